import Pace
import Testing

@Suite struct BackoffTests {
    /// Draws the largest number there is, so that a pause is the whole of its range.
    private struct Highest: RandomNumberGenerator {
        func next() -> UInt64 { .max }
    }

    @Test func pausesDoubleUpToTheCapAndStartOverAfterASuccess() {
        var random = Highest()
        var backoff = Backoff(base: .seconds(1), cap: .seconds(8))
        var pauses: [Duration] = []
        for _ in 0..<6 { pauses.append(backoff.next(using: &random)) }
        let rounded = pauses.map { Int(($0 / .seconds(1)).rounded()) }
        #expect(rounded == [1, 2, 4, 8, 8, 8])
        backoff.reset()
        let first = backoff.next(using: &random)
        #expect(first <= .seconds(1))
    }

    @Test func everyPauseIsWithinItsRange() {
        var backoff = Backoff(base: .milliseconds(10), cap: .milliseconds(40))
        for _ in 0..<1_000 {
            let pause = backoff.next()
            #expect(pause >= .zero && pause <= .milliseconds(40))
        }
    }
}
