/// When one ScaledJob is polled next: at a fixed rate, with a first interval drawn by chance so that hosts and objects
/// that start together do not poll together.
package struct PollSchedule: Sendable, Equatable {
    package var interval: Duration
    package private(set) var next: ContinuousClock.Instant

    /// The first poll is due at once.
    package init(interval: Duration, now: ContinuousClock.Instant) {
        self.interval = interval
        self.next = now
        self.isFirst = true
    }

    private var isFirst: Bool

    package mutating func polled(
        at now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) {
        if self.isFirst {
            self.isFirst = false
            self.next = now + self.interval * Double.random(in: 0.5...1, using: &generator)
            return
        }
        self.next = Swift.max(self.next, now - self.interval) + self.interval
    }

    /// Takes a new interval; the next poll is not put off by it.
    package mutating func change(interval: Duration, now: ContinuousClock.Instant) {
        guard interval != self.interval else { return }
        self.interval = interval
        self.next = Swift.min(self.next, now + interval)
    }
}
