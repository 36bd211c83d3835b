import Fuzzing
import Testing

@Suite struct FuzzTests {
    /// Whatever is written, there is an answer.
    ///
    /// `make fuzz` looks for longer.
    @Test(.timeLimit(.minutes(3))) func everyInputIsAnswered() async throws {
        let seed = UInt64.random(in: 0...(.max >> 1))
        print("fuzz seed \(seed)")
        let done = try await FuzzRun(seed: seed).run(for: .seconds(20))
        #expect(done > 0, "seed \(seed)")
    }

    @Test func aSeedMakesTheSameInputAgain() {
        for subject in FuzzSubject.all {
            #expect(FuzzRun.input(7, for: subject) == FuzzRun.input(7, for: subject))
            #expect(FuzzRun.input(7, for: subject) != FuzzRun.input(8, for: subject))
        }
    }
}
