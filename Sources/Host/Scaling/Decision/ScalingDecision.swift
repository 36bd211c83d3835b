/// How many Jobs to create now, and why not more.
package struct ScalingDecision: Sendable, Equatable {
    /// What kept the number from being higher.
    package enum Limit: String, Sendable, CaseIterable {
        /// Everything that waits has its Job.
        case backlog
        /// `maxReplicaCount`, or 100 where it is not set.
        case maxReplicaCount
        /// Fewer Jobs than `minReplicaCount` ran; demand is looked at afterwards.
        case minReplicaCount
        /// The queue length itself, when one item is worth several Jobs.
        case queueLength
        /// Jobs whose Pods have not started: `eager` leaves as many slots free as there are.
        case pendingJobs
        /// The items that wait: with one Job for each, those without one that may have it.
        case items
        /// Nothing waits above the activation threshold.
        case inactive
        /// The backlog, the Jobs or their Pods are not known: the last decision holds.
        case unknown
        /// The ScaledJob is paused.
        case paused
        /// A limit of unfinished Jobs of a budget, a namespace or the host is used up.
        case maxRunningJobs
        /// As many Jobs were created since the last poll as one batch may have.
        case maxJobsPerBatch
        /// Jobs are created at a limited pace.
        case maxJobsPerSecond
        /// A limit of what Jobs request is used up.
        case maxResources
        /// A quota of the namespace is used up.
        case resourceQuota
    }

    /// The numbers on the way from the backlog to the decision, by the names that KEDA logs them under.
    package struct Numbers: Sendable, Equatable {
        /// The combined queue length in whole items.
        package var queueLength: Int
        /// Jobs that the backlog is worth, at most the ceiling on top of the base.
        package var maxScale: Int
        /// What the strategy leaves of them, at least 0; nil where the Jobs or their Pods are not known.
        package var effectiveMaxScale: Int?
        /// The most Jobs of one batch by the strategy; nil where the Jobs or their Pods are not known.
        package var scaleTo: Int?
    }

    /// What the sentence is made of.
    enum Ground: Sendable, Equatable {
        case demand(Backlog.Amount, ScalingPolicy.Jobs)
        case belowMinimum(unfinished: Int, base: Int)
        case inactive(unfinished: Int, unknownTriggers: Int)
        case unknownBacklog(String, unfinished: Int)
        case unknownJobs(String)
        case unknownPods(String?, unfinished: Int)
        case paused
    }

    package let create: Int
    /// Jobs that were asked for but not yet sent, and that nothing waits for any more.
    package let withdraw: Int
    /// Nil when it is not known.
    package let isActive: Bool?
    /// Nil when the backlog is not known.
    package let numbers: Numbers?
    /// The strategy really used.
    package let strategy: ScalingStrategy
    /// What kept it from being higher, apart from what is shared with others.
    let demandLimit: Limit
    /// What those that were decided on wait for; nil when they wait for nothing that is shared.
    package private(set) var wait: AdmissionWait?

    let bounds: ReplicaBounds
    let warning: String?
    let ground: Ground
    /// How the items stand, where each has a Job of its own.
    package private(set) var items: ItemTally?

    init(
        create: Int,
        withdraw: Int,
        isActive: Bool?,
        numbers: Numbers?,
        strategy: ScalingStrategy,
        demandLimit: Limit,
        bounds: ReplicaBounds,
        warning: String?,
        ground: Ground
    ) {
        self.create = create
        self.withdraw = withdraw
        self.isActive = isActive
        self.numbers = numbers
        self.strategy = strategy
        self.demandLimit = demandLimit
        self.bounds = bounds
        self.warning = warning
        self.ground = ground
    }

    /// The same decision where there are only so many items to create a Job for.
    package func serving(_ count: Int, _ items: ItemTally) -> ScalingDecision {
        var decision = ScalingDecision(
            create: Swift.min(self.create, count),
            withdraw: self.withdraw,
            isActive: self.isActive,
            numbers: self.numbers,
            strategy: self.strategy,
            demandLimit: count < self.create ? .items : self.demandLimit,
            bounds: self.bounds,
            warning: self.warning,
            ground: self.ground
        )
        decision.items = items
        decision.wait = self.wait
        return decision
    }

    /// Whether its Jobs are base Jobs; demand is looked at afterwards.
    package var fillsBase: Bool {
        if case .belowMinimum = self.ground { true } else { false }
    }

    package var limit: Limit { self.wait?.decisionLimit ?? self.demandLimit }

    /// The same decision, with what its Jobs wait for.
    package func waiting(for wait: AdmissionWait?) -> ScalingDecision {
        var decision = self
        decision.wait = wait
        return decision
    }

    /// Nil when it is not known.
    package var queueLength: Int? { self.numbers?.queueLength }
}
