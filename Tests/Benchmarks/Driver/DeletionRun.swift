import Foundation
import Kubernetes

/// How fast finished Jobs are deleted, beside what the server takes from plain libcurl.
struct DeletionRun {
    let bench: Bench
    let server: PlainServer
    let jobs: Int
    let rounds: Int

    func run() async throws {
        var shares: [Double] = []
        for round in 1...self.rounds {
            let limit = try await self.limit(round)
            let seconds = try await self.measure(round)
            let rate = Double(self.jobs) / seconds
            shares.append(rate / limit)
            row(
                "round \(round): \(self.jobs) finished Jobs not kept any more → last one gone",
                "\(seconds.with(decimals: 2)) s",
                "\(rate.with(decimals: 0))/s",
                "\((rate / limit * 100).with(decimals: 0)) % of plain libcurl",
                "load \(Machine.load)"
            )
        }
        let median = shares.sorted()[shares.count / 2]
        row("median", "\((median * 100).with(decimals: 0)) % of plain libcurl")
    }

    /// Deletions per second that the server takes, over HTTP/1.1 or HTTP/2, whichever is faster.
    private func limit(_ round: Int) async throws -> Double {
        var best = 0.0
        for isHTTP2 in [false, true] {
            let namespace = "undo-\(round)-\(isHTTP2 ? 2 : 1)"
            try await self.bench.makeNamespace(namespace)
            let watch = try JobWatch(kubeconfig: self.bench.kubeconfig, namespace: namespace)
            let bodies = try BurstRun.bodies(self.manifest(namespace), namespace: namespace, count: self.jobs)
            _ = try await self.server.post(bodies, namespace: namespace, isHTTP2: false)
            _ = try await watch.wait(for: self.jobs, .added)
            let seconds = try await self.server.delete(
                try await self.options(namespace),
                namespace: namespace,
                isHTTP2: isHTTP2
            )
            let rate = Double(self.jobs) / seconds
            row(
                "round \(round): plain libcurl, 32 parallel, HTTP/\(isHTTP2 ? "2" : "1.1")",
                "\(rate.with(decimals: 0))/s"
            )
            best = Swift.max(best, rate)
            _ = try await watch.wait(for: self.jobs, .deleted)
        }
        return best
    }

    /// The Jobs of a namespace, each with what the host sends along when it deletes one.
    private func options(_ namespace: String) async throws -> [(name: String, options: String)] {
        let request = APIRequest(.list, .jobs, namespace: namespace, timeout: .seconds(60))
        let list = try JSONValue(parsing: await self.bench.api.send(request))
        return try (list["items"]?.arrayValue ?? []).map { job in
            let options: JSONValue = [
                "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
                "preconditions": ["uid": job[path: "metadata", "uid"] ?? ""],
            ]
            let name = job[path: "metadata", "name"]?.stringValue ?? ""
            return (name, String(decoding: try options.encoded(), as: UTF8.self))
        }
    }

    private func measure(_ round: Int) async throws -> Double {
        let namespace = "deletion-\(round)"
        try await self.bench.makeNamespace(namespace)
        let watch = try JobWatch(kubeconfig: self.bench.kubeconfig, namespace: namespace)
        try await self.bench.create(self.manifest(namespace).json, in: namespace)
        let host = try self.bench.startHost(namespace)
        defer { host.stop() }
        try await ScaledJobWatch(api: self.bench.api, namespace: namespace).wait(forReady: 1)
        _ = try await self.bench.push.insert(self.jobs, into: namespace)
        let created = try await watch.wait(for: self.jobs, .added)
        try await self.bench.push.removeAll(from: namespace)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, job) in created.enumerated() {
                if index >= 32 { try await group.next() }
                group.addTask { try await self.bench.finish(job.name, in: namespace) }
            }
            try await group.waitForAll()
        }
        // The host keeps them all, until the manifest says otherwise.
        try await Task.sleep(for: .seconds(2))
        let patch: JSONValue = ["spec": ["successfulJobsHistoryLimit": 0]]
        let request = try APIRequest(
            .mergePatch,
            .scaledJobs,
            namespace: namespace,
            name: "undo",
            body: patch.encoded()
        )
        _ = try await self.bench.api.send(request)
        let start = ContinuousClock.now
        let deleted = try await watch.wait(for: self.jobs, .deleted)
        host.stop()
        try await self.bench.deleteScaledJobs(in: namespace)
        return start.duration(to: deleted[self.jobs - 1].at).inSeconds
    }

    private func manifest(_ collection: String) -> ScaledJobManifest {
        ScaledJobManifest(
            name: "undo",
            documents: self.bench.push,
            collection: collection,
            most: self.jobs,
            kept: self.jobs
        )
    }
}
