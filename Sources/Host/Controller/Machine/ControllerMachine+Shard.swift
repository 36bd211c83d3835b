import Kubernetes

/// A host that serves only the ScaledJobs that a label selector chooses, beside others that serve the rest.
///
/// A ScaledJob whose labels are edited goes from one to another. To the one it looks deleted; to the other it appears. The
/// other leaves it alone for a while: calls of the one may still be under way, and Jobs that it created not yet be shown.
extension ControllerMachine {
    /// Longer than the longest creation (10 s) and the watch's usual delay.
    static let handOverPause = Duration.seconds(15)

    /// How a ScaledJob without a record came to be known.
    enum Entry {
        /// By the first list.
        case listed
        /// Later: it is new, or was edited.
        case appeared
    }

    /// Whether another host may still act for a ScaledJob that this host sees for the first time.
    ///
    /// Whoever serves a shard notes that in the status. Where the note is missing, an object that has been worked on, and
    /// that was not there before, comes from somewhere else.
    func mayBeServedElsewhere(_ scaledJob: ScaledJob, _ entry: Entry) -> Bool {
        let mine = self.configuration.scaledJobSelector
        if let shard = scaledJob.status?["shard"]?.stringValue { return shard != mine }
        let wasWorkedOn = scaledJob.status?["conditions"]?.arrayValue?.isEmpty == false
        return mine != nil && entry == .appeared && wasWorkedOn
    }

    /// Begins with a new record, at once or after a while.
    func enter(_ record: inout ScaledJobRecord, _ entry: Entry, at now: ContinuousClock.Instant) {
        if self.mayBeServedElsewhere(record.object, entry) {
            record.leftAloneUntil = now + Self.handOverPause
        } else {
            record.status.wanted.shard = self.configuration.scaledJobSelector ?? ""
        }
    }

    /// Takes note that nobody else acts for it any more.
    func endHandOver(_ record: inout ScaledJobRecord, at now: ContinuousClock.Instant) {
        guard let until = record.leftAloneUntil, until <= now else { return }
        record.leftAloneUntil = nil
        record.needsDecision = true
        record.status.wanted.shard = self.configuration.scaledJobSelector ?? ""
    }

    /// Logs that it has gone to another shard, or has been deleted: the watch cannot tell.
    mutating func noteLeaving(of record: ScaledJobRecord) {
        self.actions.append(
            .log(
                LogRecord(
                    level: .info,
                    message: "a ScaledJob left this shard or was deleted; its Jobs go on",
                    facts: ["scaledjob": record.key.description]
                )
            )
        )
    }
}
