import ClusterTestSupport
import FoundationEssentials
import Logging
import Testing

@testable import Kubernetes

/// One control plane of its own, which is then broken in every way that has a verb.
@Suite(.serialized, .timeLimit(.minutes(3))) struct BrokenClusterTests {
    private static let start = Task {
        try await TestCluster.start(name: "broken", port: 16543, fresh: true, controllers: "none")
    }

    private func create(_ name: String, _ client: APIServerClient, _ namespace: String) async throws {
        let value: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)]]
        let body = try value.encoded()
        _ = try await client.send(APIRequest(.create, .configMaps, namespace: namespace, body: body))
    }

    @Test func aKilledAPIServerLosesNoDeletion() async throws {
        let cluster = try await Self.start.value
        let client = try cluster.client()
        let namespace = try await cluster.freshNamespace()
        for name in ["a", "b"] { try await self.create(name, client, namespace) }
        let mirror = Mirrored<ConfigMap>()
        let reflector = Reflector<ConfigMap>(api: client, namespace: namespace, logger: Logger(label: "test"))
        try await withThrowingTaskGroup { group in
            group.addTask { await reflector.run { mirror.apply($0) } }
            try await eventually { mirror.names == ["a", "b"] }
            try await cluster.tool("apiserver", "kill")
            try await eventually { mirror.interruptions > 0 }
            // A client of its own, so that the deletion falls into the time in which the reflector hears nothing.
            try await cluster.tool("apiserver", "start")
            let other = try cluster.client()
            _ = try await other.send(APIRequest(.delete, .configMaps, namespace: namespace, name: "a"))
            try await self.create("c", other, namespace)
            let deadline = ContinuousClock.now + .seconds(40)
            while mirror.names != ["b", "c"], ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(mirror.names == ["b", "c"])
            #expect(mirror.lists == 2)
            group.cancelAll()
        }
    }

    @Test func aVersionFromBeforeTheRestartIsExpiredInsideTheStream() async throws {
        let cluster = try await Self.start.value
        let client = try cluster.client()
        try await self.create("old", client, try await cluster.freshNamespace())
        try await cluster.tool("apiserver", "restart")
        let lines = try await client.watch(APIRequest(.watch, .configMaps, query: [QueryItem("resourceVersion", "1")]))
        var iterator = lines.makeAsyncIterator()
        let line = try #require(try await iterator.next())
        guard case .error(let status) = try JSONDecoder().decode(WatchEvent<ConfigMap>.self, from: Data(line)) else {
            Issue.record("\(String(decoding: line, as: UTF8.self))")
            return
        }
        #expect(status.code == 410)
    }

    @Test func compactionExpiresPagesAndTheListStartsOver() async throws {
        let cluster = try await Self.start.value
        let client = try cluster.client()
        let namespace = try await cluster.freshNamespace()
        for number in 0..<4 { try await self.create("c-\(number)", client, namespace) }
        let first = APIRequest(.list, .configMaps, namespace: namespace, query: [QueryItem("limit", "2")])
        let token = try JSONValue(parsing: try await client.send(first))[path: "metadata", "continue"]?.stringValue
        // Compaction forgets what was before the newest revision, so there must be a newer one.
        try await self.create("newer", client, namespace)
        try await cluster.tool("compact")
        var second = first
        second.query.append(QueryItem("continue", try #require(token)))
        do {
            _ = try await client.send(second)
            Issue.record("the page is still there")
        } catch {
            #expect(error.code == .expired)
            #expect(error.retry == .relist)
        }
    }

    @Test func aPausedEtcdTimesOutAWriteThatMayHaveHappened() async throws {
        let cluster = try await Self.start.value
        let client = try cluster.client()
        let namespace = try await cluster.freshNamespace()
        try await cluster.tool("etcd", "pause")
        do {
            let value: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "late"]]
            _ = try await client.send(
                APIRequest(
                    .create,
                    .configMaps,
                    namespace: namespace,
                    body: try value.encoded(),
                    timeout: .milliseconds(500)
                )
            )
            Issue.record("created without etcd")
        } catch let error as KubernetesError {
            #expect(error.code == .timedOut)
            #expect(error.mayHaveHappened)
        }
        try await cluster.tool("etcd", "continue")
        // Whether it happened is open; asked for again under the same name, the answer is definite.
        try await eventually {
            do {
                try await self.create("late", client, namespace)
                return true
            } catch let error as KubernetesError {
                return error.code == .alreadyExists
            }
        }
    }
}
