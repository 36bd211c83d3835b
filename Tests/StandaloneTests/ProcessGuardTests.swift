import Foundation
import Kubernetes
import Standalone
import Testing

@Suite struct ProcessGuardTests {
    /// Processes in sessions of their own, as the runner starts them; they outlive the Job that starts them here.
    private func startSleepers() async throws -> [Int32] {
        let bench = try RunnerBench()
        try await bench.run { bench in
            let script = "for i in 1 2; do setsid sleep 1000 >/dev/null 2>&1 & echo $!; done; sleep 0.2"
            try bench.cluster.create(.jobs, shellJob("sleepers", script))
            _ = try await bench.cluster.job("sleepers", has: "Complete")
        }
        return try bench.text(of: "sleepers").split(separator: "\n").compactMap { Int32($0) }
    }

    @Test func whatIsStillListedIsKilledWhenThePipeEnds() async throws {
        let sleepers = try await self.startSleepers()
        defer { for sleeper in sleepers { kill(sleeper, SIGKILL) } }
        try #require(sleepers.count == 2)
        let (first, second) = (sleepers[0], sleepers[1])
        #expect(Self.isRunning(first) && Self.isRunning(second))
        let guardian = ProcessGuard()
        guardian.started(first)
        guardian.started(second)
        guardian.ended(second)
        guardian.finish()
        try await within { try await guardian.run() }
        try await within {
            // The sleepers belong to init, or stay as zombies where there is none to wait for them.
            while Self.isRunning(first) { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(Self.isRunning(second))
    }

    private static func isRunning(_ process: Int32) -> Bool {
        guard let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return false }
        return !String(decoding: status, as: UTF8.self).contains(") Z ")
    }
}
