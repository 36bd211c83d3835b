internal import Pace

/// A generator of numbers whose run can be repeated.
package struct FuzzGenerator: RandomNumberGenerator, Sendable {
    private var numbers: SplitMix64

    package init(seed: UInt64) {
        self.numbers = SplitMix64(seed: seed)
    }

    package mutating func next() -> UInt64 {
        self.numbers.next()
    }

    /// True once in so many times.
    mutating func chance(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }

    /// A number that is small most of the time.
    mutating func size(upTo limit: Int) -> Int {
        let bound = self.chance(in: 20) ? limit : Swift.max(1, limit / 20)
        return Int.random(in: 0...bound, using: &self)
    }
}
