/// Growing pauses with full jitter: anything between nothing and the ceiling, which doubles up to a maximum.
struct Backoff: Sendable, Equatable {
    private let base: Duration
    private let maximum: Duration
    private var exponent = 0

    init(base: Duration, maximum: Duration) {
        self.base = base
        self.maximum = maximum
    }

    /// The most that the next pause can be.
    var ceiling: Duration { min(self.maximum, self.base * (1 << min(self.exponent, 20))) }

    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        defer { if self.ceiling < self.maximum { self.exponent += 1 } }
        return self.ceiling * Double.random(in: 0...1, using: &generator)
    }

    mutating func reset() {
        self.exponent = 0
    }
}
