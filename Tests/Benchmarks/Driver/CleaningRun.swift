import Foundation
import Kubernetes

/// How soon finished Jobs are gone.
struct CleaningRun {
    let bench: Bench
    let jobs: Int

    func run() async throws {
        let namespace = "cleaning"
        try await self.bench.makeNamespace(namespace)
        let watch = try JobWatch(kubeconfig: self.bench.kubeconfig, namespace: namespace)
        let manifest = ScaledJobManifest(
            name: namespace,
            documents: self.bench.push,
            collection: namespace,
            most: self.jobs
        )
        try await self.bench.create(manifest.json, in: namespace)
        let host = try self.bench.startHost(namespace)
        defer { host.stop() }
        try await ScaledJobWatch(api: self.bench.api, namespace: namespace).wait(forReady: 1)
        _ = try await self.bench.push.insert(self.jobs, into: namespace)
        let created = try await watch.wait(for: self.jobs, .added)
        try await self.bench.push.removeAll(from: namespace)

        let startedAt = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, job) in created.enumerated() {
                if index >= 32 { try await group.next() }
                group.addTask { try await self.bench.finish(job.name, in: namespace) }
            }
            try await group.waitForAll()
        }
        let finishedAt = ContinuousClock.now
        let deleted = try await watch.wait(for: self.jobs, .deleted)
        row(
            "last of \(self.jobs) Jobs finished → last one gone",
            "\(finishedAt.duration(to: deleted[self.jobs - 1].at).inSeconds.with(decimals: 2)) s",
            "(they finished within \(startedAt.duration(to: finishedAt).inSeconds.with(decimals: 2)) s)"
        )
        try await self.bench.deleteScaledJobs(in: namespace)
    }
}
