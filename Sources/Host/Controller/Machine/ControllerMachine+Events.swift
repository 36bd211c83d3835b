import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

extension ControllerMachine {
    /// Records an Event about a ScaledJob; the same words for the same reason are one Event with a count, unless it `isOwn`.
    mutating func note(
        _ kind: EventRecord.Kind,
        _ reason: EventReason,
        _ note: String,
        _ record: inout ScaledJobRecord,
        action: String? = nil,
        isOwn: Bool = false,
        at moment: Moment
    ) {
        let telling = record.eventLedger.take(reason, note, isOwn: isOwn, at: moment.instant, using: &self.random)
        let (number, count): (UInt64, Int?)
        switch telling {
        case .first(let new): (number, count) = (new, nil)
        case .again(let known, let times): (number, count) = (known, times)
        case .counted: return
        case .dropped:
            self.totals.droppedEvents += 1
            return
        }
        let event = EventRecord(
            kind,
            reason,
            note,
            action: action,
            regarding: EventRecord.Regarding(.scaledJobs, record.key, uid: record.uid),
            number: number,
            count: count
        )
        self.tell(event)
        if kind == .warning, count == nil {
            let facts = ["scaledjob": record.key.description, "reason": reason.rawValue, "note": note]
            self.actions.append(.log(LogRecord(level: .warning, message: "ScaledJob has a problem", facts: facts)))
        }
    }

    /// Counts an Event and has it recorded.
    mutating func tell(_ event: EventRecord) {
        self.totals.events[event.reason, default: 0] += 1
        self.actions.append(.recordEvent(event))
    }

    // MARK: - Watching

    /// Tells when a ScaledJob begins to be polled, and when it no longer is.
    mutating func noteWatching(_ record: inout ScaledJobRecord, at moment: Moment) {
        let isWatched = self.mayPoll(record)
        guard isWatched != record.isWatched else { return }
        record.isWatched = isWatched
        if isWatched {
            self.note(
                .normal,
                .scalersStarted,
                "Started scalers watch",
                &record,
                action: "ScalersWatchStarted",
                at: moment
            )
        } else {
            self.note(.normal, .scalersStopped, "Stopped scalers watch", &record, at: moment)
        }
    }

    /// Tells that a trigger was opened, and what of its manifest nobody reads.
    mutating func noteStart(of id: TriggerID, at moment: Moment) {
        guard var record = self.records[id.owner] else { return }
        defer { self.records[id.owner] = record }
        guard record.triggers.indices.contains(id.index), record.triggers[id.index].opened != nil,
            let manifests = record.specification?.triggers, manifests.indices.contains(id.index)
        else { return }
        let manifest = manifests[id.index]
        let place = "spec.triggers[\(id.index)]"
        self.note(.normal, .scalersStarted, "Scaler \(manifest.type) of \(place) is built", &record, at: moment)
        guard let declaration = self.offers[manifest.type]?.declaration else { return }
        let path = "\(place).metadata"
        let unread = declaration.unread(of: manifest.metadata)
        if !unread.isEmpty {
            let names = unread.map { "\(path).\($0)" }.joined(separator: ", ")
            let note = "nothing reads \(names); check the spelling, or leave it out"
            self.note(.normal, .scalerInfo, note, &record, at: moment)
        }
        for parameter in declaration.parameters {
            guard let advice = parameter.deprecation, manifest.metadata[parameter.name] != nil else { continue }
            let note = "\(path).\(parameter.name) is deprecated: \(advice)"
            self.note(.warning, .scalerInfo, note, &record, at: moment)
        }
    }

    /// Tells that a ScaledJob is gone, and keeps what it counted.
    mutating func noteDeletion(of record: ScaledJobRecord, at moment: Moment) {
        var record = record
        if record.isWatched { self.note(.normal, .scalersStopped, "Stopped scalers watch", &record, at: moment) }
        self.note(.warning, .scaledJobDeleted, "ScaledJob was deleted", &record, at: moment)
        self.noteReferences(of: record, isGone: true, at: moment)
        self.totals.jobs += record.counters
    }

    /// Says that a ScaledJob is going that this host never had a record of.
    mutating func noteDeletion(of scaledJob: ObjectKey, uid: String) {
        let event = EventRecord(
            .warning,
            .scaledJobDeleted,
            "ScaledJob was deleted",
            regarding: EventRecord.Regarding(.scaledJobs, scaledJob, uid: uid),
            number: self.random.next()
        )
        self.tell(event)
    }

    // MARK: - Creation

    /// The least time between two Events about created Jobs.
    private static let creationSpacing = Duration.seconds(10)

    /// When Jobs that were created may be told of; nil while there are none, or their batch is still under way.
    func createdEventDue(_ record: ScaledJobRecord, _ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard record.createdSinceEvent > 0, record.creations.isEmpty, record.window.underWay == 0 else { return nil }
        return record.createdToldAt.map { $0 + Self.creationSpacing } ?? now
    }

    /// One Event for a whole batch, or for all batches of a short time.
    mutating func noteCreations(_ record: inout ScaledJobRecord, at moment: Moment) {
        guard let due = self.createdEventDue(record, moment.instant), due <= moment.instant else { return }
        let count = record.createdSinceEvent
        record.createdSinceEvent = 0
        record.createdToldAt = moment.instant
        let note = "Created \(count) \(count == 1 ? "Job" : "Jobs")"
        self.note(.normal, .jobsCreated, note, &record, isOwn: true, at: moment)
    }

    // MARK: - Polls

    /// Counts a poll, with the triggers that it finds without a source.
    mutating func countPoll(_ record: inout ScaledJobRecord, at now: ContinuousClock.Instant) {
        record.pollLateness = Swift.max(.zero, now - record.schedule.next)
        for index in record.triggers.indices where record.triggers[index].isBroken {
            record.triggers[index].errors += 1
            record.errors += 1
        }
    }
}

extension TriggerRecord {
    /// Whether a poll cannot even ask it.
    fileprivate var isBroken: Bool {
        switch self.state {
        case .unresolved, .failed: true
        case .waiting, .opening, .opened: false
        }
    }

    /// Takes the name of its metric; another name is another series, which starts at 0.
    mutating func name(_ opened: OpenedTrigger) {
        let name = opened.metricName.flatMap(MetricName.normalized) ?? self.specification?.type ?? ""
        let metric = MetricName.indexed(self.id.index, name)
        guard metric != self.metric else { return }
        if self.metric != nil { self.errors = 0 }
        self.metric = metric
    }
}

extension TriggerTypeDeclaration {
    /// Keys of a trigger's metadata that no parameter is read from, in order.
    fileprivate func unread(of metadata: [String: String]) -> [String] {
        var read: Set<String> = []
        for parameter in self.parameters {
            for name in [parameter.name] + parameter.aliases {
                if parameter.sources.contains(.metadata) { read.insert(name) }
                if parameter.sources.contains(.environment) { read.insert("\(name)FromEnv") }
            }
        }
        return metadata.keys.filter { !read.contains($0) }.sorted()
    }
}
