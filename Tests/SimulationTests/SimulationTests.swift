import PluginPeers
import Simulation
import Subprocess
import SystemPackage
import Testing

/// Worlds that break, one for each seed, played by the program that `make simulate` runs.
///
/// It is a process of its own because the order of sets and dictionaries has to be the same each time.
@Suite struct SimulationTests {
    struct Outcome {
        let isFine: Bool
        let lines: [String]

        var text: String { self.lines.joined(separator: "\n") }
        /// How often a fault happened.
        func count(of fault: Fault) -> Int {
            let prefix = "fault \(fault.rawValue) "
            return self.lines.first { $0.hasPrefix(prefix) }.flatMap { Int($0.dropFirst(prefix.count)) } ?? 0
        }
    }

    /// Seeds that once broke a rule, in a world as it was then.
    static let knownSeeds: [UInt64] = [11, 75, 161, 197, 299, 366, 412, 474, 496, 1040]

    private func simulate(_ arguments: [String]) async throws -> Outcome {
        let result = try await Subprocess.run(
            .path(FilePath(builtExecutable("Simulate"))),
            arguments: Arguments(arguments),
            environment: .inherit.updating(["SWIFT_DETERMINISTIC_HASHING": "1"]),
            output: .string(limit: 4 << 20),
            error: .string(limit: 1 << 20)
        )
        let lines = (result.standardOutput + result.standardError).split(separator: "\n").map(String.init)
        return Outcome(isFine: result.terminationStatus.isSuccess, lines: lines)
    }

    @Test(.timeLimit(.minutes(5))) func fiveHundredWorldsBreakNoRuleAndEveryFaultHappens() async throws {
        let outcome = try await self.simulate(["--first", "1", "--seeds", "500"])
        #expect(outcome.isFine, "\(outcome.text)")
        for fault in Fault.allCases { #expect(outcome.count(of: fault) >= 10, "\(fault.rawValue)") }
    }

    @Test(.timeLimit(.minutes(2))) func seedsThatOnceBrokeARuleNoLongerDo() async throws {
        for seed in Self.knownSeeds {
            let outcome = try await self.simulate(["--first", "\(seed)", "--seeds", "1"])
            #expect(outcome.isFine, "\(outcome.text)")
        }
    }

    @Test(.timeLimit(.minutes(2))) func aSeedRepeatsARunInOneProcessAndInTwo() async throws {
        let arguments = ["--first", "7", "--seeds", "6", "--twice", "--hashes", "--jobs", "1"]
        let (first, second) = (try await self.simulate(arguments), try await self.simulate(arguments))
        #expect(first.isFine, "\(first.text)")
        let hashes = first.lines.filter { $0.hasPrefix("hash ") }
        #expect(hashes.count == 6)
        #expect(Set(hashes.map { $0.split(separator: " ").last }).count == 6)
        #expect(second.lines.filter { $0.hasPrefix("hash ") } == hashes)
    }

    /// What a seed finds is worth something only where a mistake would have been found.
    @Test(.timeLimit(.minutes(4)), arguments: Mutation.allCases)
    func aMistakeIsFound(_ mutation: Mutation) async throws {
        // The first 500 seeds are clean without a mistake.
        let outcome = try await self.simulate(["--mutation", mutation.rawValue, "--seeds", "500", "--jobs", "1"])
        #expect(!outcome.isFine, "nobody notices: \(outcome.text)")
        #expect(outcome.lines.contains { $0.hasPrefix("seed ") }, "\(outcome.text)")
    }

    @Test func withoutAnOrderThatRepeatsItRefusesToRun() async throws {
        let result = try await Subprocess.run(
            .path(FilePath(builtExecutable("Simulate"))),
            arguments: ["--seeds", "1"],
            environment: .custom(["PATH": "/usr/bin:/bin"]),
            output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16)
        )
        #expect(!result.terminationStatus.isSuccess)
        #expect(result.standardError.contains("SWIFT_DETERMINISTIC_HASHING"))
    }
}
