import Controller
import Foundation
import Kubernetes

/// How fast Jobs come for many documents at once, beside what the server takes from plain libcurl.
struct BurstRun {
    let bench: Bench
    let server: PlainServer
    let documents: Int
    let rounds: Int

    func run() async throws {
        var shares: [Double] = []
        for round in 1...self.rounds {
            let limit = try await self.limit(round)
            let (seconds, detection, memory) = try await self.measure(round)
            let rate = Double(self.documents) / seconds
            shares.append(rate / limit)
            row(
                "round \(round): documents answered → last of \(self.documents) Jobs seen",
                "\(seconds.with(decimals: 2)) s",
                "\(rate.with(decimals: 0))/s",
                "\((rate / limit * 100).with(decimals: 0)) % of plain libcurl",
                "first after \((detection * 1_000).with(decimals: 0)) ms",
                memory,
                "load \(Machine.load)"
            )
        }
        let median = shares.sorted()[shares.count / 2]
        row("median", "\((median * 100).with(decimals: 0)) % of plain libcurl")
    }

    /// Creates per second that the server takes, over HTTP/1.1 or HTTP/2, whichever is faster.
    private func limit(_ round: Int) async throws -> Double {
        var best = 0.0
        for isHTTP2 in [false, true] {
            let namespace = "limit-\(round)-\(isHTTP2 ? 2 : 1)"
            try await self.bench.makeNamespace(namespace)
            let watch = try JobWatch(kubeconfig: self.bench.kubeconfig, namespace: namespace)
            let bodies = try Self.bodies(self.manifest, namespace: namespace, count: self.documents)
            let seconds = try await self.server.post(bodies, namespace: namespace, isHTTP2: isHTTP2)
            let rate = Double(self.documents) / seconds
            row(
                "round \(round): plain libcurl, 32 parallel, HTTP/\(isHTTP2 ? "2" : "1.1")",
                "\(rate.with(decimals: 0))/s"
            )
            best = Swift.max(best, rate)
            _ = try await watch.wait(for: self.documents, .added)
            try await self.bench.deleteJobs(in: namespace)
        }
        return best
    }

    private func measure(_ round: Int) async throws -> (seconds: Double, detection: Double, memory: String) {
        let namespace = "burst-\(round)"
        try await self.bench.makeNamespace(namespace)
        let watch = try JobWatch(kubeconfig: self.bench.kubeconfig, namespace: namespace)
        var manifest = self.manifest
        manifest.collection = namespace
        try await self.bench.create(manifest.json, in: namespace)
        let host = try self.bench.startHost("burst-\(round)")
        defer { host.stop() }
        try await ScaledJobWatch(api: self.bench.api, namespace: namespace).wait(forReady: 1)
        let (_, answeredAt) = try await self.bench.push.insert(self.documents, into: namespace)
        let jobs = try await watch.wait(for: self.documents, .added)
        // Long enough for a second decision, were there to be one.
        try await Task.sleep(for: .seconds(2))
        let seen = watch.sightings(.added).count
        guard seen == self.documents else { throw BenchFailure("\(seen) Jobs for \(self.documents) documents") }
        let memory = Double(host.memory.resident.host + host.memory.resident.plugin).mebibytes
        host.stop()
        try await self.bench.push.removeAll(from: namespace)
        try await self.bench.deleteScaledJobs(in: namespace)
        try await self.bench.deleteJobs(in: namespace)
        return (
            answeredAt.duration(to: jobs[self.documents - 1].at).inSeconds,
            answeredAt.duration(to: jobs[0].at).inSeconds,
            "then \(memory) MiB"
        )
    }

    private var manifest: ScaledJobManifest {
        ScaledJobManifest(name: "burst", documents: self.bench.push, collection: "burst", most: self.documents)
    }

    /// The bodies that the host sends for such a ScaledJob.
    static func bodies(_ manifest: ScaledJobManifest, namespace: String, count: Int) throws -> [[UInt8]] {
        var json = manifest.json
        json["metadata"] = [
            "name": .string(manifest.name), "namespace": .string(namespace), "generation": 1,
            "uid": "00000000-0000-4000-8000-000000000000",
        ]
        let scaledJob = try JSONDecoder().decode(ScaledJob.self, from: Data(json.encoded()))
        let template = try JobTemplate(
            for: scaledJob,
            jobTargetRef: json[path: "spec", "jobTargetRef"] ?? .null,
            version: "0.1.0"
        )
        return (1...count).map { template.body(name: "\(manifest.name)-bcdfg-\($0)") }
    }
}
