import Foundation
import Kubernetes

/// How much memory host and plugin hold when nothing happens.
struct MemoryRun {
    let bench: Bench
    let scaledJobs: Int

    func run() async throws {
        let namespace = "memory-\(self.scaledJobs)"
        try await self.bench.makeNamespace(namespace)
        for number in 1...self.scaledJobs {
            let manifest = ScaledJobManifest(
                name: "idle-\(number)",
                documents: self.bench.push,
                collection: "\(namespace)-\(number)"
            )
            try await self.bench.create(manifest.json, in: namespace)
        }
        let host = try self.bench.startHost(namespace)
        defer { host.stop() }
        try await ScaledJobWatch(api: self.bench.api, namespace: namespace).wait(forReady: self.scaledJobs)
        let name = "\(self.scaledJobs) idle \(self.scaledJobs == 1 ? "ScaledJob" : "ScaledJobs")"
        Self.report("\(name), just Ready", host)
        let settled = try await host.settledMemory()
        row("\(name): most resident, host + plugin", "\(Double(settled.resident).mebibytes) MiB")
        row("\(name): most proportional", "\(Double(settled.proportional).mebibytes) MiB")
        Self.report("\(name), at the end", host)
        try await self.bench.deleteScaledJobs(in: namespace)
    }

    /// Prints what both processes hold now.
    static func report(_ name: String, _ host: HostProcess) {
        let memory = host.memory
        func text(_ pair: (host: Int, plugin: Int)) -> String {
            "\(Double(pair.host + pair.plugin).mebibytes) MiB "
                + "(\(Double(pair.host).mebibytes) + \(Double(pair.plugin).mebibytes))"
        }
        row("\(name): resident, host + plugin", text(memory.resident))
        row("\(name): proportional", text(memory.proportional))
    }
}
