import ArgumentParser
import Foundation
import Kubernetes

/// Measures the host and the MongoDB plugin against a real API server and a real MongoDB; `tools/bench` starts it.
@main
struct Benchmarks: AsyncParsableCommand {
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case memory, latency, burst, cleaning
        case cleaningBeside = "cleaning-beside"
        case deletion, fleet
    }

    @Option(help: "Kubeconfig of the API server; nothing else may work in it.")
    var kubeconfig: String

    @Option(help: "Folder with ca.crt, admin.crt and admin.key, for the comparison with plain libcurl.")
    var certificates: String

    @Option(help: "Port of a MongoDB that has change streams.")
    var pushPort: Int

    @Option(help: "Port of a MongoDB that has none, so that it is polled.")
    var polledPort: Int

    @Option(help: "Folder with the programs to measure.")
    var programs: String = "bin"

    @Option(help: "Folder for the logs of the programs.")
    var logs: String = "."

    @Option(help: "Documents for the latency, one at a time.")
    var samples: Int = 200

    @Option(help: "Documents at once.")
    var burst: Int = 1_000

    @Option(help: "Repetitions of the burst, each with its own comparison.")
    var rounds: Int = 3

    @Option(help: "Finished Jobs that are cleaned beside another client.")
    var finishedJobs: Int = 10_000

    @Option(help: "What --max-deletions-per-second is beside another client; by default the host's own.")
    var deletionsPerSecond: Double?

    @Argument(help: "The parts to measure; all by default.")
    var parts: [Part] = Part.allCases

    func run() async throws {
        let bench = try Bench(
            kubeconfig: self.kubeconfig,
            programs: self.programs,
            logs: self.logs,
            pushPort: self.pushPort,
            polledPort: self.polledPort
        )
        print(Machine.description)
        for part in self.parts {
            print("\n\(part.rawValue) (load \(Machine.load))")
            switch part {
            case .memory:
                for count in [1, 100] { try await MemoryRun(bench: bench, scaledJobs: count).run() }
            case .latency: try await LatencyRun(bench: bench, samples: self.samples).run()
            case .burst:
                let server = try PlainServer(kubeconfig: self.kubeconfig, certificates: self.certificates)
                try await BurstRun(bench: bench, server: server, documents: self.burst, rounds: self.rounds).run()
            case .cleaning: try await CleaningRun(bench: bench, jobs: 500).run()
            case .cleaningBeside:
                let pace = self.deletionsPerSecond.map { ["--max-deletions-per-second", "\($0)"] } ?? []
                try await CleaningBesideRun(bench: bench, jobs: self.finishedJobs, options: pace).run()
            case .deletion:
                let server = try PlainServer(kubeconfig: self.kubeconfig, certificates: self.certificates)
                try await DeletionRun(bench: bench, server: server, jobs: self.burst, rounds: self.rounds).run()
            case .fleet:
                for isShared in [true, false] {
                    try await FleetRun(bench: bench, scaledJobs: 500, isShared: isShared).run()
                }
            }
        }
    }
}

/// What the figures were measured on.
enum Machine {
    static var description: String {
        let cpus = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = cpus.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last ?? "?"
        let date = Date.now.formatted(.iso8601)
        return "\(date), \(ProcessInfo.processInfo.processorCount) processors,\(model)"
    }

    /// Processes that wanted a processor, on average over the last minute.
    static var load: String {
        String((try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.prefix { $0 != " " } ?? "?")
    }
}

/// A measurement that could not be made, or that showed something that must not be.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// One row of the result.
func row(_ name: String, _ values: String...) {
    print("  " + name.padding(toLength: 58, withPad: " ", startingAt: 0) + values.joined(separator: "   "))
    // At once, wherever it goes.
    fflush(nil)
}
