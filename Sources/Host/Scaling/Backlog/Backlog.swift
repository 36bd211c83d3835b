/// What waits for one ScaledJob, combined over its triggers.
package enum Backlog: Sendable, Equatable {
    case known(Amount)
    /// No number can be stated; the last decision holds.
    case unknown(String)

    /// A backlog that is known, at least as a lower bound.
    package struct Amount: Sendable, Equatable {
        /// The combined queue length.
        package var queueLength: Double
        /// Jobs that it is worth, each trigger and the whole cut to the demand ceiling.
        package var jobs: Double
        /// The same without the cut: never less than `jobs`.
        package var uncutJobs: Double
        package var isActive: Bool
        /// When the oldest reading in it was asked for.
        package var askedAt: ContinuousClock.Instant
        /// Triggers that are not part of it because they are unknown.
        package var unknownTriggers: Int
    }
}

/// How the numbers of several triggers become one (`multipleScalersCalculation`).
package enum BacklogCombination: String, Sendable, CaseIterable {
    case max, min, avg, sum

    /// Combines the triggers in the order of the manifest.
    ///
    /// With `max` and `sum` the known triggers are a lower bound of the whole, so an unknown one is left out. With
    /// `min` and `avg` they are not: one unknown trigger makes the whole unknown.
    package func combine(_ standings: [TriggerStanding], demandCeiling: Int) -> Backlog {
        var known: [(trigger: TriggerBacklog, askedAt: ContinuousClock.Instant)] = []
        var reasons: [String] = []
        for standing in standings {
            switch standing {
            case .known(let trigger, let askedAt): known.append((trigger, askedAt))
            case .unknown(let reason): reasons.append(reason)
            }
        }
        guard let oldest = known.map(\.askedAt).min() else {
            return .unknown(reasons.first ?? "no trigger has been read yet")
        }
        if let reason = reasons.first, self == .min || self == .avg { return .unknown(reason) }

        let ceiling = Double(demandCeiling)
        let active = known.map(\.trigger).filter(\.isActive)
        var amount = Backlog.Amount(
            queueLength: 0,
            jobs: 0,
            uncutJobs: 0,
            isActive: false,
            askedAt: oldest,
            unknownTriggers: reasons.count
        )
        switch self {
        case .max, .min:
            // By queue length, not by Jobs; ties keep the earlier trigger. A queue of 0 does not activate.
            for trigger in active where self.prefers(trigger.waiting, to: amount.queueLength) {
                amount.take(trigger, ceiling: ceiling)
            }
        case .avg, .sum:
            for trigger in active {
                amount.add(trigger, ceiling: ceiling)
            }
            if self == .avg, !active.isEmpty { amount.divide(by: Double(active.count)) }
        }
        amount.jobs = Swift.min(amount.jobs, ceiling)
        return .known(amount)
    }

    private func prefers(_ queueLength: Double, to current: Double) -> Bool {
        self == .max ? queueLength > current : current == 0 || queueLength < current
    }
}

extension Backlog.Amount {
    fileprivate mutating func take(_ trigger: TriggerBacklog, ceiling: Double) {
        self.queueLength = trigger.waiting
        self.jobs = Swift.min(trigger.jobs, ceiling)
        self.uncutJobs = trigger.jobs
        self.isActive = true
    }

    fileprivate mutating func add(_ trigger: TriggerBacklog, ceiling: Double) {
        self.queueLength += trigger.waiting
        self.jobs += Swift.min(trigger.jobs, ceiling)
        self.uncutJobs += trigger.jobs
        self.isActive = true
    }

    fileprivate mutating func divide(by count: Double) {
        self.queueLength /= count
        self.jobs /= count
        self.uncutJobs /= count
    }
}
