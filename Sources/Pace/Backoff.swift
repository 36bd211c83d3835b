/// Delays that double up to a cap, each drawn at random between nothing and that ("full jitter").
///
/// Full jitter keeps many clients that lost the same peer from coming back at the same moment.
package struct Backoff: Sendable, Equatable {
    private let base: Duration
    private let cap: Duration
    private var ceiling: Duration

    package init(base: Duration, cap: Duration) {
        self.base = base
        self.cap = cap
        self.ceiling = base
    }

    /// The next delay.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let delay = self.ceiling * Double.random(in: 0...1, using: &generator)
        self.ceiling = Swift.min(self.ceiling * 2, self.cap)
        return delay
    }

    /// The next delay, by the system's random numbers.
    package mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return self.next(using: &generator)
    }

    /// Starts over after a success that lasted.
    package mutating func reset() {
        self.ceiling = self.base
    }
}
