import Foundation
import Kubernetes

/// How long it takes from a document's insertion until its Job exists: pushed, and polled at the same time.
struct LatencyRun {
    let bench: Bench
    let samples: Int

    /// Polled ScaledJobs, so that both kinds take about as long.
    private static let polledScaledJobs = 8

    func run() async throws {
        let host = try self.bench.startHost("latency")
        defer { host.stop() }
        let pushed = try await self.flow("pushed", self.bench.push, pollingInterval: 30)
        var polled: [Flow] = []
        for number in 1...Self.polledScaledJobs {
            polled.append(try await self.flow("polled-\(number)", self.bench.polled, pollingInterval: 1))
        }
        let load = Machine.load
        let share = (self.samples + polled.count - 1) / polled.count
        let pushSamples = self.samples
        let flows = polled
        async let pushTimes = pushed.measure(pushSamples, pause: 0.05...0.3)
        let pollTimes = try await withThrowingTaskGroup(of: [Flow.Sample].self) { group in
            for flow in flows { group.addTask { try await flow.measure(share, pause: 0.2...1.2) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let pushResult = try await pushTimes
        row("load before and after", load, Machine.load)
        row("push: insert sent → Job seen", Distribution(pushResult.map(\.fromSending)).summary)
        row("push: insert answered → Job seen", Distribution(pushResult.map(\.fromAnswer)).summary)
        row("poll at 1 s: insert answered → Job seen", Distribution(pollTimes.map(\.fromAnswer)).summary)
        MemoryRun.report("after it", host)
        for flow in [pushed] + polled { try await self.bench.deleteScaledJobs(in: flow.namespace) }
    }

    private func flow(_ name: String, _ documents: Documents, pollingInterval: Int) async throws -> Flow {
        let namespace = "latency-\(name)"
        try await self.bench.makeNamespace(namespace)
        let flow = Flow(
            bench: self.bench,
            documents: documents,
            namespace: namespace,
            watch: try JobWatch(kubeconfig: self.bench.kubeconfig, namespace: namespace)
        )
        let manifest = ScaledJobManifest(
            name: name,
            documents: documents,
            collection: namespace,
            pollingInterval: pollingInterval
        )
        try await self.bench.create(manifest.json, in: namespace)
        try await ScaledJobWatch(api: self.bench.api, namespace: namespace).wait(forReady: 1)
        return flow
    }
}

/// Documents for one ScaledJob, one after the other.
private struct Flow: Sendable {
    struct Sample: Sendable {
        let fromSending: Duration
        let fromAnswer: Duration
    }

    let bench: Bench
    let documents: Documents
    let namespace: String
    let watch: JobWatch

    func measure(_ count: Int, pause: ClosedRange<Double>) async throws -> [Sample] {
        var samples: [Sample] = []
        for number in 0..<count {
            let (sentAt, answeredAt) = try await self.documents.insert(1, into: self.namespace)
            let jobs = try await self.watch.wait(for: number + 1, .added)
            guard jobs.count == number + 1 else { throw BenchFailure("\(jobs.count) Jobs for \(number + 1) documents") }
            let job = jobs[number]
            samples.append(
                Sample(fromSending: sentAt.duration(to: job.at), fromAnswer: answeredAt.duration(to: job.at))
            )
            try await self.documents.removeAll(from: self.namespace)
            try await self.bench.finish(job.name, in: self.namespace)
            try await Task.sleep(for: .seconds(Double.random(in: pause)))
        }
        guard self.watch.sightings(.added).count == count else { throw BenchFailure("a Job too many") }
        return samples
    }
}
