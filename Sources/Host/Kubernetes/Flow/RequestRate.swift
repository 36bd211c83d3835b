/// So many calls a second on average, and so many at once after a time of silence.
///
/// In any span of time there are never more calls than fit into it at that rate, and the burst.
package struct RequestRate: Sendable, Equatable {
    private let spacing: Duration
    /// How far ahead of an even spacing calls may be.
    private let slack: Duration
    /// When the next call would come, were they evenly spaced.
    private var next: ContinuousClock.Instant?

    /// At least one call at once; a rate is above zero.
    package init(perSecond rate: Double, burst: Int) {
        self.spacing = .seconds(1) / Swift.max(rate, 0.001)
        self.slack = self.spacing * Swift.max(0, burst - 1)
    }

    /// When the next call may begin.
    package func due(at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        self.next.map { Swift.max(now, $0 - self.slack) } ?? now
    }

    /// Counts a call that begins now.
    package mutating func took(at now: ContinuousClock.Instant) {
        self.next = (self.next.map { Swift.max(now, $0) } ?? now) + self.spacing
    }
}
