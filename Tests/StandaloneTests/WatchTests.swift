import Kubernetes
import Standalone
import Testing

@Suite struct WatchTests {
    private func watch(_ cluster: InProcessCluster, _ query: [QueryItem]) async throws -> WatchStream {
        try await cluster.watch(APIRequest(.watch, .configMaps, query: query))
    }

    private func put(_ name: String, _ labels: [String: JSONValue] = [:], in cluster: InProcessCluster) throws {
        try cluster.create(.configMaps, ["metadata": ["name": .string(name), "labels": .object(labels)]])
    }

    @Test func aWatchContinuesWhereTheListEnded() async throws {
        let cluster = InProcessCluster()
        try self.put("a", in: cluster)
        let list = try cluster.answer(APIRequest(.list, .configMaps))
        let version = try #require(list[path: "metadata", "resourceVersion"]?.stringValue)
        try self.put("b", in: cluster)
        let stream = try await self.watch(cluster, [QueryItem("resourceVersion", version)])
        try cluster.delete(.configMaps, "a")
        var lines = stream.makeAsyncIterator()
        let first = try JSONValue(parsing: try #require(try await lines.next()))
        let second = try JSONValue(parsing: try #require(try await lines.next()))
        #expect(first["type"] == "ADDED" && first["object"]?.name == "b")
        #expect(second["type"] == "DELETED" && second["object"]?.name == "a")
        #expect(second["object"]?.metadata["resourceVersion"] == "3")
    }

    @Test func aWaitingWatchWakes() async throws {
        let cluster = InProcessCluster()
        let stream = try await self.watch(cluster, [])
        async let line = within { () -> [UInt8]? in
            var lines = stream.makeAsyncIterator()
            return try await lines.next()
        }
        try self.put("a", in: cluster)
        let event = try JSONValue(parsing: try #require(try await line))
        #expect(event["object"]?.name == "a")
    }

    @Test func anObjectThatLeavesTheSelectionLooksDeleted() async throws {
        let cluster = InProcessCluster()
        let stream = try await self.watch(cluster, [QueryItem("labelSelector", "in=yes")])
        try self.put("a", ["in": "yes"], in: cluster)
        try self.put("b", ["in": "no"], in: cluster)
        let patch = APIRequest(.mergePatch, .configMaps, namespace: "default", name: "a")
        try cluster.answer(patch, body: ["metadata": ["labels": ["in": "no"]]])
        try cluster.answer(patch, body: ["metadata": ["labels": ["in": "yes"]]])
        var types: [String] = []
        var lines = stream.makeAsyncIterator()
        for _ in 0..<3 {
            let event = try JSONValue(parsing: try #require(try await lines.next()))
            types.append(event["type"]?.stringValue ?? "")
        }
        #expect(types == ["ADDED", "DELETED", "ADDED"])
    }

    @Test func aSlowWatchExpires() async throws {
        var limits = ObjectStore.Limits()
        limits.changes = 10
        let cluster = InProcessCluster(limits: limits)
        try self.put("first", in: cluster)
        let stream = try await self.watch(cluster, [QueryItem("resourceVersion", "1")])
        for number in 0..<20 { try self.put("n\(number)", in: cluster) }
        var lines = stream.makeAsyncIterator()
        let event = try JSONValue(parsing: try #require(try await lines.next()))
        #expect(event["type"] == "ERROR")
        #expect(event[path: "object", "code"] == 410)
        #expect(try await lines.next() == nil)
    }

    @Test func aVersionFromTheFutureExpires() async throws {
        let cluster = InProcessCluster()
        var lines = try await self.watch(cluster, [QueryItem("resourceVersion", "99")]).makeAsyncIterator()
        let event = try JSONValue(parsing: try #require(try await lines.next()))
        #expect(event["type"] == "ERROR")
    }

    @Test func cancellingEndsAWatch() async throws {
        let cluster = InProcessCluster()
        let stream = try await self.watch(cluster, [])
        let task = Task { () -> KubernetesError.Code? in
            var lines = stream.makeAsyncIterator()
            do throws(KubernetesError) {
                _ = try await lines.next()
                return nil
            } catch {
                return error.code
            }
        }
        task.cancel()
        let code = try await within { await task.value }
        #expect(code == .cancelled)
    }
}
