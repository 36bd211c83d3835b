import ArgumentParser
import Dispatch
import Foundation
import Simulation

/// Plays the controller in worlds that break, one for each seed.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plays the controller in worlds that break, one for each seed.",
        discussion: """
            A seed that breaks a rule is told with its trace. Set SWIFT_DETERMINISTIC_HASHING=1, as make does, or a seed \
            does not repeat a run.
            """
    )

    @Option(help: "The first seed.") var first: UInt64 = 1
    @Option(help: "How many seeds.") var seeds: UInt64 = 100
    @Option(help: "A mistake of the controller that is to be found.") var mutation: String?
    @Flag(help: "Print the trace of the first seed.") var trace = false
    @Flag(help: "Print a number for each run that is the same for the same run.") var hashes = false
    @Flag(help: "Run each seed twice; both runs have to be the same.") var twice = false
    @Option(help: "Processors to use.") var jobs = ProcessInfo.processInfo.activeProcessorCount
    @Option(help: "Measure what so many ScaledJobs cost instead.") var load: Int?

    func run() throws {
        guard ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] != nil else {
            throw ValidationError("set SWIFT_DETERMINISTIC_HASHING=1: without it a seed does not repeat a run")
        }
        if let load { return Self.measure(load) }
        var mistake: Mutation?
        if let mutation {
            guard let known = Mutation(rawValue: mutation) else {
                let names = Mutation.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("\(mutation) is none of \(names)")
            }
            mistake = known
        }
        if self.trace { return self.show(self.first, mistake) }
        var report = SeedReport()
        let started = ContinuousClock.now
        try self.play(mistake, into: &report)
        for line in report.hashes.sorted(by: { $0.key < $1.key }) where self.hashes {
            print("hash \(line.key) \(line.value)")
        }
        report.print(after: ContinuousClock.now - started)
        guard let (seed, violation) = report.violations.min(by: { $0.key < $1.key }) else { return }
        print("seed \(seed): \(violation)")
        if mistake == nil {
            self.show(seed, nil)
            let others = report.violations.keys.sorted().dropFirst().prefix(20).map(String.init)
            if !others.isEmpty { print("also: \(others.joined(separator: ", "))") }
            print("again: make simulate FIRST=\(seed) SEEDS=1")
        }
        throw ExitCode(1)
    }

    /// One process for each processor takes every so-manieth seed.
    private func play(_ mistake: Mutation?, into report: inout SeedReport) throws {
        if self.jobs <= 1 || self.seeds < 4 {
            for seed in self.first..<self.first + self.seeds {
                let outcome = Simulation(seed: seed, mutation: mistake).run()
                if self.twice, Simulation(seed: seed, mutation: mistake).run().hash != outcome.hash {
                    throw ValidationError("seed \(seed) does not repeat its run")
                }
                report.add(outcome)
                // What is looked for is found.
                if mistake != nil, !report.violations.isEmpty { return }
            }
            return
        }
        let lock = NSLock()
        nonisolated(unsafe) var shared = SeedReport()
        let (first, seeds, jobs) = (self.first, self.seeds, UInt64(self.jobs))
        DispatchQueue.concurrentPerform(iterations: self.jobs) { job in
            var seed = first + UInt64(job)
            while seed < first + seeds {
                let outcome = Simulation(seed: seed, mutation: mistake).run()
                lock.lock()
                shared.add(outcome)
                let isFound = mistake != nil && !shared.violations.isEmpty
                lock.unlock()
                if isFound { return }
                seed += jobs
            }
        }
        report = shared
    }

    private static func measure(_ count: Int) {
        var run = LoadRun(count: count)
        let figures = run.run()
        print("\(count) ScaledJobs, half of them with work, polled every 30 s; two minutes of the simulated clock:")
        print("\(figures.decisions) decisions, \(figures.createdJobs) Jobs created, \(figures.deletedJobs) deleted")
        print("machine \(figures.total), \(figures.microsecondsPerDecision) µs a decision, everything included")
        for (kind, spent) in figures.spent.sorted(by: { $0.key < $1.key }) {
            print("  \(kind): \(spent.count) inputs, \(spent.time / max(1, spent.count)) each")
        }
        print("without work: \(figures.idlePolls) readings asked for, \(figures.idleActions) other actions")
        print("resident with the simulated server: \(figures.residentKilobytes / 1024) MiB")
    }

    private func show(_ seed: UInt64, _ mistake: Mutation?) {
        let outcome = Simulation(seed: seed, mutation: mistake, keepsTrace: true).run()
        for line in outcome.trace { print(line) }
        print("seed \(seed): \(outcome.violation ?? "no rule was broken") after \(outcome.steps) steps")
    }
}
