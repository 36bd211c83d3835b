/// Growing pauses between attempts, each drawn from the whole range (full jitter).
package struct Backoff: Sendable, Equatable {
    package let base: Duration
    package let cap: Duration
    package private(set) var failures = 0

    package init(base: Duration, cap: Duration) {
        self.base = base
        self.cap = cap
    }

    /// The pause before the next attempt, between half and the whole of `base · 2^failures`, at most `cap`.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let exponent = Swift.min(self.failures, 20)
        self.failures += 1
        let whole = Swift.min(self.base * (1 << exponent), self.cap)
        return whole * Double.random(in: 0.5...1, using: &generator)
    }

    package mutating func reset() { self.failures = 0 }
}
