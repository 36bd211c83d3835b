/// What is known about one trigger at the moment of a decision.
package enum TriggerStanding: Sendable, Equatable {
    /// A reading that was asked for at `askedAt`.
    case known(TriggerBacklog, askedAt: ContinuousClock.Instant)
    /// The last attempt to read it failed, or none has been answered yet.
    case unknown(String)
}

/// The numbers of one trigger.
package struct TriggerBacklog: Sendable, Equatable {
    package let waiting: Double
    /// Backlog that one Job takes.
    package let target: Double
    package let isActive: Bool

    package init(waiting: Double, target: Double, isActive: Bool) {
        self.waiting = waiting
        self.target = target
        self.isActive = isActive
    }

    /// How many Jobs the waiting work is worth; 0 when the target is 0.
    package var jobs: Double { self.target == 0 ? 0 : self.waiting / self.target }
}
