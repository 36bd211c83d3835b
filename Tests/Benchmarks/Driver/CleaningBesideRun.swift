import Foundation
import Kubernetes
import NIOConcurrencyHelpers

/// What other clients of the API server notice while many finished Jobs are cleaned: how long their reads take.
struct CleaningBesideRun {
    let bench: Bench
    let jobs: Int
    /// What the host is told besides.
    let options: [String]

    private static let namespace = "beside"
    private static let pause = Duration.milliseconds(20)

    func run() async throws {
        try await self.bench.makeNamespace(Self.namespace)
        let owner = try await self.makeScaledJob()
        try await self.makeJobs(of: owner)
        let readers = try Readers(kubeconfig: self.bench.kubeconfig, namespace: Self.namespace)
        try await readers.prepare()
        // The server is done with what was before.
        try await Task.sleep(for: .seconds(5))
        let before = try await readers.measure(for: .seconds(15)) { false }

        let host = try self.bench.startHost(Self.namespace, self.options)
        defer { host.stop() }
        try await self.waitForFirst()
        let startedAt = ContinuousClock.now
        let endedAt = NIOLockedValueBox<ContinuousClock.Instant?>(nil)
        async let beside = readers.measure(for: .seconds(600)) { endedAt.withLockedValue { $0 != nil } }
        while try await self.left() > 0 { try await Task.sleep(for: .milliseconds(200)) }
        let end = ContinuousClock.now
        endedAt.withLockedValue { $0 = end }
        let seconds = startedAt.duration(to: end).inSeconds
        row(
            "\(self.jobs) finished Jobs cleaned",
            "\(seconds.with(decimals: 1)) s",
            "\((Double(self.jobs) / seconds).with(decimals: 0)) a second"
        )
        let (first, second) = (before, try await beside)
        row("GET of another client before", first.get.summary)
        row("GET of another client beside it", second.get.summary)
        row("LIST of another client before", first.list.summary)
        row("LIST of another client beside it", second.list.summary)
        try await self.bench.deleteScaledJobs(in: Self.namespace)
    }

    private func makeScaledJob() async throws -> JSONValue {
        let manifest = ScaledJobManifest(
            name: Self.namespace,
            documents: self.bench.push,
            collection: Self.namespace
        )
        try await self.bench.create(manifest.json, in: Self.namespace)
        let request = APIRequest(.get, .scaledJobs, namespace: Self.namespace, name: Self.namespace)
        let object = try JSONValue(parsing: try await self.bench.api.send(request))
        return [
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "name": .string(Self.namespace),
            "uid": object[path: "metadata", "uid"] ?? "", "controller": true,
        ]
    }

    private func makeJobs(of owner: JSONValue) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<self.jobs {
                if number >= 32 { try await group.next() }
                group.addTask {
                    let name = "beside-\(number)"
                    let container: JSONValue = ["name": "main", "image": "transcode-worker:latest"]
                    let job: JSONValue = [
                        "apiVersion": "batch/v1", "kind": "Job",
                        "metadata": ["name": .string(name), "ownerReferences": [owner]],
                        "spec": ["template": ["spec": ["restartPolicy": "Never", "containers": [container]]]],
                    ]
                    let request = try APIRequest(.create, .jobs, namespace: Self.namespace, body: job.encoded())
                    _ = try await self.bench.api.send(request)
                    try await self.bench.finish(name, in: Self.namespace)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Jobs that exist, by a list of one.
    private func left() async throws -> Int {
        let request = APIRequest(.list, .jobs, namespace: Self.namespace, query: [QueryItem("limit", "1")])
        let list = try JSONValue(parsing: try await self.bench.api.send(request))
        let shown = list["items"]?.arrayValue?.count ?? 0
        return shown + Int(list[path: "metadata", "remainingItemCount"]?.integerValue ?? 0)
    }

    private func waitForFirst() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await self.left() == self.jobs {
            guard ContinuousClock.now < deadline else { throw BenchFailure("nothing is cleaned") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Another client: fifty reads a second, whatever the answers take.
    private struct Readers: Sendable {
        let api: APIServerClient
        let namespace: String

        private static let configMaps = APIResource(
            group: "",
            version: "v1",
            plural: "configmaps",
            kind: "ConfigMap"
        )

        init(kubeconfig: String, namespace: String) throws {
            self.api = try APIServerClient(.kubeconfig(kubeconfig, environment: [:]))
            self.namespace = namespace
        }

        func prepare() async throws {
            for number in 0..<10 {
                let object: JSONValue = [
                    "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string("read-\(number)")],
                    "data": ["text": "Somebody reads this."],
                ]
                let request = try APIRequest(
                    .create,
                    Self.configMaps,
                    namespace: self.namespace,
                    body: object.encoded()
                )
                _ = try await self.api.send(request)
            }
        }

        /// Each read counts from the time at which it was due.
        func measure(
            for duration: Duration,
            until isOver: @escaping @Sendable () -> Bool
        ) async throws -> (get: Distribution, list: Distribution) {
            let times = NIOLockedValueBox<(get: [Duration], list: [Duration])>(([], []))
            let end = ContinuousClock.now + duration
            var due = ContinuousClock.now
            var number = 0
            try await withThrowingTaskGroup(of: Void.self) { group in
                while due < end, !isOver() {
                    try await Task.sleep(until: due)
                    let (startedAt, isList) = (due, number % 2 == 1)
                    let request =
                        isList
                        ? APIRequest(.list, Self.configMaps, namespace: self.namespace)
                        : APIRequest(.get, Self.configMaps, namespace: self.namespace, name: "read-\(number % 10)")
                    group.addTask {
                        _ = try await self.api.send(request)
                        let took = startedAt.duration(to: .now)
                        times.withLockedValue { times in
                            if isList { times.list.append(took) } else { times.get.append(took) }
                        }
                    }
                    number += 1
                    due += CleaningBesideRun.pause
                }
                try await group.waitForAll()
            }
            return times.withLockedValue { (Distribution($0.get), Distribution($0.list)) }
        }
    }
}
