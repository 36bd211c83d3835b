/// The scaling rules: numbers in, decision out.
package struct ScalingPolicy: Sendable, Equatable {
    package let bounds: ReplicaBounds
    package let strategy: ScalingStrategy
    /// Why it is not the strategy that the manifest asks for; nil where it is.
    package let warning: String?

    package init(bounds: ReplicaBounds, strategy: ScalingStrategy = .default, warning: String? = nil) {
        self.bounds = bounds
        self.strategy = strategy
        self.warning = warning
    }

    /// Decides: what waits, less the Jobs that serve it already, within the bounds.
    ///
    /// For a reading that was taken just now the numbers are KEDA's, except that the unfinished Jobs never exceed the
    /// maximum. A reading that is used again, or that was taken while Jobs started and finished, gives no item a second
    /// Job: see ``Jobs``.
    package func decide(_ backlog: Backlog, _ jobs: Jobs) -> ScalingDecision {
        let base = self.bounds.base
        if jobs.unfinished < base { return self.belowMinimum(backlog, jobs) }
        guard case .known(let amount) = backlog else { return self.hold(backlog, jobs) }
        guard amount.isActive || base > 0 else { return self.inactive(amount, jobs) }
        guard !self.strategy.needsPending || jobs.pending != nil else { return self.hold(amount, jobs) }

        let input = self.input(amount, jobs)
        let output = self.strategy.numbers(input)
        let wanted = self.uncovered(amount, jobs)
        let free = Swift.max(0, self.bounds.mostUnfinished - jobs.unfinished)
        let most = Swift.min(output.effective, Swift.min(wanted, free))
        let create = Swift.max(0, Swift.min(most, output.scaleTo))
        return self.decision(
            create: create,
            // Base Jobs don't depend on what waits.
            withdraw: Swift.max(0, Swift.min(-wanted, jobs.unfinished - base)),
            isActive: true,
            numbers: ScalingDecision.Numbers(
                queueLength: input.scaleTo,
                maxScale: input.maxScale,
                effectiveMaxScale: Swift.max(0, output.effective),
                scaleTo: output.scaleTo
            ),
            limit: self.limit(create: create, wanted: wanted, most: most, input, output),
            .demand(amount, jobs)
        )
    }

    /// Decides without knowing the Jobs: nothing is created.
    package func decide(_ backlog: Backlog, jobsUnknown why: String) -> ScalingDecision {
        var isActive: Bool? = self.bounds.base > 0 ? true : nil
        var numbers: ScalingDecision.Numbers?
        switch backlog {
        case .known(let amount):
            isActive = amount.isActive || self.bounds.base > 0
            numbers = self.unanswered(amount)
        case .unknown(_, let known): isActive = isActive ?? known
        }
        return self.decision(
            create: 0,
            isActive: isActive,
            numbers: numbers,
            limit: .unknown,
            .unknownJobs(why)
        )
    }

    /// The decision about a ScaledJob that is paused: nothing is read and nothing created.
    package func paused() -> ScalingDecision {
        self.decision(create: 0, isActive: nil, numbers: nil, limit: .paused, .paused)
    }

    /// Jobs that the reading asks for and that do not exist yet.
    ///
    /// Less than 0: more Jobs were asked for than anything waits for.
    private func uncovered(_ amount: Backlog.Amount, _ jobs: Jobs) -> Int {
        let total = Self.ceiling(amount.uncutJobs)
        // Base Jobs are additive: those that were there first stand for them.
        let earlier = Swift.max(0, jobs.servedSinceReading - jobs.createdSinceReading - self.bounds.base)
        let created = jobs.servedSinceReading - self.bounds.base - earlier
        switch self.strategy {
        case .default: return total - earlier - created
        case .custom(let deduction, let percentage):
            return total - deduction - ScalingStrategy.share(of: earlier, percentage) - created
        case .accurate: return total - (jobs.pendingSinceReading ?? jobs.unfinished)
        case .eager: return total - created
        case .inFlight:
            // Items in work by others, or left by a Job that crashed, are no work for a new Job.
            return Swift.min(total - earlier - created, Self.ceiling(amount.waitingJobs) - created)
        }
    }

    private func limit(
        create: Int,
        wanted: Int,
        most: Int,
        _ input: StrategyInput,
        _ output: StrategyOutput
    ) -> ScalingDecision.Limit {
        if create >= Swift.max(0, wanted) { return .backlog }
        if create == output.scaleTo, output.scaleTo < most { return .queueLength }
        if self.strategy == .eager, input.pending > 0, output.effective < input.maxScale,
            output.effective + input.pending > 0
        {
            return .pendingJobs
        }
        return .maxReplicaCount
    }

    private func input(_ amount: Backlog.Amount, _ jobs: Jobs) -> StrategyInput {
        StrategyInput(
            maxScale: Self.ceiling(amount.jobs),
            running: jobs.unfinished - self.bounds.base,
            pending: jobs.pending ?? 0,
            ceiling: self.bounds.demandCeiling,
            scaleTo: Self.ceiling(amount.queueLength)
        )
    }

    /// Rounds up without trapping on values beyond what sums can hold.
    static func ceiling(_ value: Double) -> Int {
        guard value > 0 else { return 0 }
        return value >= 1e15 ? 1_000_000_000_000_000 : Int(value.rounded(.up))
    }
}

// MARK: - Where no demand is looked at

extension ScalingPolicy {
    private func belowMinimum(_ backlog: Backlog, _ jobs: Jobs) -> ScalingDecision {
        let create = self.bounds.base - jobs.unfinished
        var numbers: ScalingDecision.Numbers?
        if case .known(let amount) = backlog {
            numbers = self.unanswered(amount)
            numbers?.effectiveMaxScale = create
            numbers?.scaleTo = create
        }
        return self.decision(
            create: create,
            isActive: true,
            numbers: numbers,
            // A minimum above the maximum means the maximum.
            limit: self.bounds.minimum ?? 0 > self.bounds.base ? .maxReplicaCount : .minReplicaCount,
            .belowMinimum(unfinished: jobs.unfinished, base: self.bounds.base)
        )
    }

    private func inactive(_ amount: Backlog.Amount, _ jobs: Jobs) -> ScalingDecision {
        var numbers = self.unanswered(amount)
        if !self.strategy.needsPending || jobs.pending != nil {
            let output = self.strategy.numbers(self.input(amount, jobs))
            numbers.effectiveMaxScale = Swift.max(0, output.effective)
            numbers.scaleTo = output.scaleTo
        }
        return self.decision(
            create: 0,
            withdraw: jobs.unfinished,
            isActive: false,
            numbers: numbers,
            limit: .inactive,
            .inactive(unfinished: jobs.unfinished, unknownTriggers: amount.unknownTriggers)
        )
    }

    private func hold(_ backlog: Backlog, _ jobs: Jobs) -> ScalingDecision {
        var why = "not known"
        var isActive: Bool? = self.bounds.base > 0 ? true : nil
        if case .unknown(let reason, let known) = backlog {
            why = reason
            isActive = isActive ?? known
        }
        return self.decision(
            create: 0,
            isActive: isActive,
            numbers: nil,
            limit: .unknown,
            .unknownBacklog(why, unfinished: jobs.unfinished)
        )
    }

    private func hold(_ amount: Backlog.Amount, _ jobs: Jobs) -> ScalingDecision {
        self.decision(
            create: 0,
            isActive: true,
            numbers: self.unanswered(amount),
            limit: .unknown,
            .unknownPods(jobs.whyPendingIsUnknown, unfinished: jobs.unfinished)
        )
    }

    /// The numbers before the strategy.
    private func unanswered(_ amount: Backlog.Amount) -> ScalingDecision.Numbers {
        ScalingDecision.Numbers(
            queueLength: Self.ceiling(amount.queueLength),
            maxScale: Self.ceiling(amount.jobs),
            effectiveMaxScale: nil,
            scaleTo: nil
        )
    }

    private func decision(
        create: Int,
        withdraw: Int = 0,
        isActive: Bool?,
        numbers: ScalingDecision.Numbers?,
        limit: ScalingDecision.Limit,
        _ ground: ScalingDecision.Ground
    ) -> ScalingDecision {
        ScalingDecision(
            create: create,
            withdraw: withdraw,
            isActive: isActive,
            numbers: numbers,
            strategy: self.strategy,
            demandLimit: limit,
            bounds: self.bounds,
            warning: self.warning,
            ground: ground
        )
    }
}
