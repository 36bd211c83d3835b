/// The scaling rules: numbers in, decision out.
package struct ScalingPolicy: Sendable, Equatable {
    /// The Jobs of one ScaledJob, as the decision needs them.
    package struct Jobs: Sendable, Equatable {
        /// Created or asked for, and not finished.
        package let unfinished: Int
        /// Unfinished at any time since the backlog was asked for; at least `unfinished`.
        ///
        /// A Job that finished while the source was being counted may have its item in that count. Counting the Job as
        /// well keeps the item from getting a second one.
        package let servedSinceReading: Int

        package init(unfinished: Int, servedSinceReading: Int) {
            self.unfinished = unfinished
            self.servedSinceReading = Swift.max(unfinished, servedSinceReading)
        }
    }

    package let bounds: ReplicaBounds

    package init(bounds: ReplicaBounds) {
        self.bounds = bounds
    }

    /// Decides by the `default` strategy: what waits, less what runs.
    ///
    /// Without `servedSinceReading` the numbers are KEDA's, except that the unfinished Jobs never exceed the maximum.
    package func decide(_ backlog: Backlog, _ jobs: Jobs) -> ScalingDecision {
        let base = self.bounds.base
        let free = Swift.max(0, self.bounds.mostUnfinished - jobs.unfinished)
        if jobs.unfinished < base {
            return self.belowMinimum(backlog, jobs)
        }
        guard case .known(let amount) = backlog else {
            return self.hold(backlog, jobs)
        }
        guard amount.isActive || base > 0 else {
            return self.inactive(amount, jobs)
        }
        let wanted = Self.ceiling(amount.uncutJobs) - (jobs.servedSinceReading - base)
        let underCeiling = Self.ceiling(amount.jobs) - (jobs.unfinished - base)
        let effective = Swift.min(wanted, underCeiling)
        let queueLength = Self.ceiling(amount.queueLength)
        let create = Swift.max(0, Swift.min(effective, queueLength, free))
        let limit: ScalingDecision.Limit =
            if create >= Swift.max(0, wanted) {
                .backlog
            } else if create == queueLength && queueLength < Swift.min(effective, free) {
                .queueLength
            } else {
                .maxReplicaCount
            }
        return ScalingDecision(
            create: create,
            withdraw: Swift.max(0, -wanted),
            isActive: true,
            queueLength: queueLength,
            unfinished: jobs.unfinished,
            limit: limit,
            reason: self.sentence(amount, jobs, create: create, limit: limit)
        )
    }

    private func belowMinimum(_ backlog: Backlog, _ jobs: Jobs) -> ScalingDecision {
        var queueLength: Int?
        if case .known(let amount) = backlog { queueLength = Self.ceiling(amount.queueLength) }
        let create = self.bounds.base - jobs.unfinished
        return ScalingDecision(
            create: create,
            isActive: true,
            queueLength: queueLength,
            unfinished: jobs.unfinished,
            limit: .minReplicaCount,
            reason: "\(jobs.unfinished) unfinished, minReplicaCount keeps \(self.bounds.base): create \(create)"
        )
    }

    private func hold(_ backlog: Backlog, _ jobs: Jobs) -> ScalingDecision {
        var why = "not known"
        if case .unknown(let reason) = backlog { why = reason }
        return ScalingDecision(
            create: 0,
            isActive: self.bounds.base > 0 ? true : nil,
            queueLength: nil,
            unfinished: jobs.unfinished,
            limit: .unknown,
            reason: "backlog unknown (\(why)), \(jobs.unfinished) unfinished: hold"
        )
    }

    private func inactive(_ amount: Backlog.Amount, _ jobs: Jobs) -> ScalingDecision {
        ScalingDecision(
            create: 0,
            withdraw: jobs.unfinished,
            isActive: false,
            queueLength: Self.ceiling(amount.queueLength),
            unfinished: jobs.unfinished,
            limit: .inactive,
            reason: "no trigger is active, \(jobs.unfinished) unfinished: create 0"
        )
    }

    private func sentence(
        _ amount: Backlog.Amount,
        _ jobs: Jobs,
        create: Int,
        limit: ScalingDecision.Limit
    ) -> String {
        var text = "\(Self.text(amount.queueLength)) waiting"
        if Self.ceiling(amount.uncutJobs) != Self.ceiling(amount.queueLength) {
            text += " worth \(Self.ceiling(amount.uncutJobs)) Jobs"
        }
        if amount.unknownTriggers > 0 { text += " (\(amount.unknownTriggers) triggers unknown)" }
        let finished = jobs.servedSinceReading - jobs.unfinished
        if finished > 0 { text += ", \(finished) finished since" }
        text += ", \(jobs.unfinished) unfinished"
        if self.bounds.base > 0 { text += " (\(self.bounds.base) by minReplicaCount)" }
        switch limit {
        case .maxReplicaCount: text += ", maximum \(self.bounds.mostUnfinished)"
        case .queueLength: text += ", at most one per waiting item at once"
        default: break
        }
        return text + ": create \(create)"
    }

    /// Rounds up without trapping on values beyond `Int`.
    private static func ceiling(_ value: Double) -> Int {
        let rounded = value.rounded(.up)
        guard rounded.isFinite, rounded > 0 else { return 0 }
        return rounded >= Double(Int32.max) ? Int(Int32.max) : Int(rounded)
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() ? "\(Self.ceiling(value))" : "\(value)"
    }
}
