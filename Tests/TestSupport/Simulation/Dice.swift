import Pace

/// Every choice of a run, drawn from its seed.
struct Dice: RandomNumberGenerator {
    private var generator: SplitMix64

    init(seed: UInt64) {
        self.generator = SplitMix64(seed: seed)
        // Neighbouring seeds begin alike.
        for _ in 0..<4 { _ = self.generator.next() }
    }

    mutating func next() -> UInt64 { self.generator.next() }

    /// At least 0, less than 1.
    mutating func fraction() -> Double { Double(self.next() >> 11) * 0x1p-53 }

    mutating func chance(_ probability: Double) -> Bool { self.fraction() < probability }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(self.next() % UInt64(range.count))
    }

    /// A time between two numbers of seconds.
    mutating func time(_ least: Double, _ most: Double) -> Duration {
        .nanoseconds(Int64((least + (most - least) * self.fraction()) * 1e9))
    }

    /// Nil of an empty list.
    mutating func pick<Element>(_ list: [Element]) -> Element? {
        list.isEmpty ? nil : list[self.number(0...(list.count - 1))]
    }
}
