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
        /// Nothing waits above the activation threshold.
        case inactive
        /// The backlog is not known: the last decision holds.
        case unknown
        /// The ScaledJob is paused.
        case paused
    }

    package let create: Int
    /// Jobs that were asked for but not yet sent, and that nothing waits for any more.
    package let withdraw: Int
    /// Nil when it is not known.
    package let isActive: Bool?
    /// Nil when it is not known.
    package let queueLength: Int?
    package let unfinished: Int
    package let limit: Limit
    /// One sentence with the numbers.
    package let reason: String

    package init(
        create: Int,
        withdraw: Int = 0,
        isActive: Bool?,
        queueLength: Int?,
        unfinished: Int,
        limit: Limit,
        reason: String
    ) {
        self.create = create
        self.withdraw = withdraw
        self.isActive = isActive
        self.queueLength = queueLength
        self.unfinished = unfinished
        self.limit = limit
        self.reason = reason
    }
}
