/// What waits for one ScaledJob, combined over its triggers.
package enum Backlog: Sendable, Equatable {
    case known(Amount)
    /// No number can be stated; the last decision holds.
    ///
    /// `isActive` is true where the triggers that are known make the ScaledJob active whatever the others say.
    case unknown(String, isActive: Bool? = nil)

    /// A backlog that is known, at least as a lower bound.
    package struct Amount: Sendable, Equatable {
        /// The combined queue length.
        package var queueLength: Double
        /// Jobs that it is worth, each trigger and the whole cut to the demand ceiling.
        package var jobs: Double
        /// The same without the cut: never less than `jobs`.
        package var uncutJobs: Double
        /// Jobs that the waiting part of it is worth, without what Jobs already have in work; not cut.
        package var waitingJobs: Double
        package var isActive: Bool
        /// When the oldest reading in it was asked for.
        package var askedAt: ContinuousClock.Instant
        /// Triggers that are not part of it because they are unknown.
        package var unknownTriggers: Int

        /// Nothing waits.
        package static func nothing(askedAt: ContinuousClock.Instant) -> Amount {
            Amount(
                queueLength: 0,
                jobs: 0,
                uncutJobs: 0,
                waitingJobs: 0,
                isActive: false,
                askedAt: askedAt,
                unknownTriggers: 0
            )
        }
    }
}

/// How the numbers of several triggers become one (`multipleScalersCalculation`).
package enum BacklogCombination: String, Sendable, CaseIterable {
    case max, min, avg, sum

    /// Combines the triggers in the order of the manifest.
    ///
    /// With `max` and `sum` the known triggers are a lower bound of the whole, so an unknown one is left out. With
    /// `min` and `avg` they are not: one unknown trigger makes the whole unknown. With `countsInFlight` an item counts
    /// until it is finished, wherever its source says how many are in work.
    package func combine(
        _ standings: [TriggerStanding],
        demandCeiling: Int,
        countsInFlight: Bool = false
    ) -> Backlog {
        let ceiling = Double(demandCeiling)
        var sum = Running()
        var oldest: ContinuousClock.Instant?
        var reason: String?
        for standing in standings {
            switch standing {
            case .unknown(let why):
                if reason == nil { reason = why }
                sum.unknown += 1
            case .known(let trigger, let askedAt):
                if let known = oldest, known <= askedAt {} else { oldest = askedAt }
                if trigger.isActive { self.take(trigger, into: &sum, ceiling, countsInFlight) }
            }
        }
        guard let oldest else { return .unknown(reason ?? "no trigger has been read yet") }
        if let reason, self == .min || self == .avg {
            return .unknown(reason, isActive: sum.isActive ? true : nil)
        }
        if self == .avg { sum.divide() }
        return .known(
            Backlog.Amount(
                queueLength: sum.queueLength,
                jobs: Swift.min(sum.jobs, ceiling),
                uncutJobs: sum.uncutJobs,
                waitingJobs: sum.waitingJobs,
                isActive: sum.isActive,
                askedAt: oldest,
                unknownTriggers: sum.unknown
            )
        )
    }

    /// The triggers so far.
    private struct Running {
        var queueLength = 0.0
        var jobs = 0.0
        var uncutJobs = 0.0
        var waitingJobs = 0.0
        var isActive = false
        var unknown = 0
        /// Active triggers.
        var count = 0.0
        /// What the chosen trigger was chosen by.
        var length = 0.0

        mutating func divide() {
            guard self.count > 0 else { return }
            self.queueLength /= self.count
            self.jobs /= self.count
            self.uncutJobs /= self.count
            self.waitingJobs /= self.count
        }
    }

    private func take(_ trigger: TriggerBacklog, into sum: inout Running, _ ceiling: Double, _ countsInFlight: Bool) {
        sum.count += 1
        let length = trigger.waiting + (countsInFlight ? trigger.inFlight ?? 0 : 0)
        let jobs = trigger.jobs(of: length)
        switch self {
        case .max, .min:
            // By queue length, not by Jobs; ties keep the earlier trigger. A queue of 0 does not activate.
            let isPreferred = self == .max ? length > sum.length : sum.length == 0 || length < sum.length
            guard isPreferred else { return }
            sum.length = length
            sum.queueLength = trigger.waiting
            sum.jobs = Swift.min(jobs, ceiling)
            sum.uncutJobs = jobs
            sum.waitingJobs = trigger.jobs
        case .avg, .sum:
            sum.queueLength += trigger.waiting
            sum.jobs += Swift.min(jobs, ceiling)
            sum.uncutJobs += jobs
            sum.waitingJobs += trigger.jobs
        }
        sum.isActive = true
    }
}
