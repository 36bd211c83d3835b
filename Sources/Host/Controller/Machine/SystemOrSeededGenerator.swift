import Pace

/// The system's generator, or a seeded one whose run can be repeated.
package struct SystemOrSeededGenerator: RandomNumberGenerator, Sendable {
    private var seeded: SplitMix64?

    package init(seed: UInt64?) {
        self.seeded = seed.map(SplitMix64.init(seed:))
    }

    package mutating func next() -> UInt64 {
        if let number = self.seeded?.next() { return number }
        var system = SystemRandomNumberGenerator()
        return system.next()
    }
}
