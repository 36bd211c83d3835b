/// What is known about one trigger at the moment of a decision.
package enum TriggerStanding: Sendable, Equatable {
    /// A reading that was asked for at `askedAt`.
    case known(TriggerBacklog, askedAt: ContinuousClock.Instant)
    /// The last attempt to read it failed, or none has been answered yet.
    case unknown(String)
}

/// The numbers of one trigger.
package struct TriggerBacklog: Sendable, Equatable {
    /// Until when an item is part of what waits.
    package enum Counts: String, Sendable, CaseIterable {
        /// Until its Job has finished with it.
        case untilFinished = "finished"
        /// Until a Job has claimed it.
        case untilClaimed = "claimed"
    }

    /// At least 0, in thousandths: what a source reports beyond that is noise of its arithmetic.
    package let waiting: Double
    /// Backlog that one Job takes.
    package let target: Double
    package let isActive: Bool
    /// Items that Jobs have claimed and not finished; nil where the source doesn't say.
    package let inFlight: Double?
    /// Nil where the plugin cannot know.
    package let counts: Counts?

    package init(
        waiting: Double,
        target: Double,
        isActive: Bool,
        inFlight: Double? = nil,
        counts: Counts? = nil
    ) {
        self.waiting = Self.thousandths(waiting)
        self.target = target
        self.isActive = isActive
        self.inFlight = inFlight.map(Self.thousandths)
        self.counts = counts
    }

    /// How many Jobs the waiting work is worth; 0 when the target is 0.
    package var jobs: Double { self.jobs(of: self.waiting) }

    /// How many Jobs a queue of this length is worth.
    func jobs(of length: Double) -> Double { self.target > 0 ? length / self.target : 0 }

    /// The arithmetic mean of a source's targets, one for each of its metrics; a metric without one counts as 0.
    package static func meanTarget(_ targets: [Double?]) -> Double {
        guard !targets.isEmpty else { return 0 }
        var sum = 0.0
        for target in targets { sum += target ?? 0 }
        return sum / Double(targets.count)
    }

    private static func thousandths(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        // Beyond this a number has no thousandths.
        guard value < 1e12 else { return Swift.min(value, 1e18) }
        return (value * 1_000).rounded() / 1_000
    }
}
