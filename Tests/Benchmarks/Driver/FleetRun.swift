import Foundation
import Kubernetes

/// What many ScaledJobs cost that have nothing to do.
struct FleetRun {
    let bench: Bench
    let scaledJobs: Int
    /// Whether all ask the same question, as copies of one manifest would.
    let isShared: Bool

    private static let watched = Duration.seconds(60)

    func run() async throws {
        let namespace = self.isShared ? "fleet-shared" : "fleet"
        try await self.bench.makeNamespace(namespace)
        for number in 1...self.scaledJobs {
            let manifest = ScaledJobManifest(
                name: "idle-\(number)",
                documents: self.bench.push,
                collection: self.isShared ? namespace : "\(namespace)-\(number)",
                pollingInterval: 5
            )
            try await self.bench.create(manifest.json, in: namespace)
        }
        row(self.isShared ? "one collection for all" : "a collection each")
        let startedAt = ContinuousClock.now
        let host = try self.bench.startHost(namespace)
        defer { host.stop() }
        try await ScaledJobWatch(api: self.bench.api, namespace: namespace).wait(forReady: self.scaledJobs)
        row(
            "host started → all \(self.scaledJobs) Ready",
            "\(startedAt.duration(to: .now).inSeconds.with(decimals: 1)) s"
        )
        try await Task.sleep(for: .seconds(10))
        let before = (host.host.processorTime, host.plugin.processorTime)
        try await Task.sleep(for: Self.watched)
        func share(_ before: Double, _ after: Double) -> String {
            ((after - before) / Self.watched.inSeconds * 100).with(decimals: 1)
        }
        let (hostTime, pluginTime) = (host.host.processorTime, host.plugin.processorTime)
        row(
            "processor, polling every 5 s",
            "\(share(before.0 + before.1, hostTime + pluginTime)) % of a core "
                + "(\(share(before.0, hostTime)) + \(share(before.1, pluginTime)))"
        )
        MemoryRun.report("\(self.scaledJobs) idle ScaledJobs", host)
        row("connections to MongoDB", "\(host.plugin.connections(to: self.bench.push.port))")
        try await self.bench.deleteScaledJobs(in: namespace)
    }
}
