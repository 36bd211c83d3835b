import ArgumentParser
import Foundation
import Fuzzing

/// Runs the fuzzer for as long as wanted; `tools/test` runs it for a short time only.
@main
struct Fuzz: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Throws manifests that nobody would write at all that reads manifests.",
        discussion: """
            The seed of the input at hand is kept in a file: after a crash, or when nothing moves, run it again with \
            --seed SEED --count 1.
            """
    )

    @Option(help: "How long to run.") var seconds = 60
    @Option(help: "Where to start; a random number by default.") var seed: UInt64?
    @Option(help: "How many inputs at most.") var count = Int.max
    @Option(help: "The file that holds the seed at hand.") var current = "/tmp/sluice-fuzz-seed"
    @Flag(help: "Print the inputs instead of running them.") var show = false

    func run() async throws {
        let seed = self.seed ?? UInt64.random(in: 0...(.max >> 1))
        if self.show {
            for subject in FuzzSubject.all {
                print("# \(subject.name)")
                FileHandle.standardOutput.write(Data(FuzzRun.input(seed, for: subject)))
                print("")
            }
            return
        }
        print("seed \(seed); the one at hand is in \(self.current)")
        fflush(nil)
        let descriptor = open(self.current, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ValidationError("cannot write \(self.current)") }
        let fuzz = FuzzRun(seed: seed) { seed in
            // Of a fixed length, so that it replaces the one before.
            let text = String(seed)
            let line = String(repeating: " ", count: max(0, 20 - text.count)) + text + "\n"
            _ = line.withCString { pwrite(descriptor, $0, 21, 0) }
        }
        let done = try await fuzz.run(for: .seconds(self.seconds), count: self.count)
        print("\(done) inputs, each given to \(FuzzSubject.all.map(\.name).joined(separator: ", ")): all answered")
    }
}
