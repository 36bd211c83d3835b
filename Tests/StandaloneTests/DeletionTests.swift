import Kubernetes
import Standalone
import Testing

@Suite struct DeletionTests {
    /// A ScaledJob that owns a Job that owns a running pod.
    private func makeFamily() throws -> ObjectStore {
        var store = ObjectStore(resources: InProcessCluster.resources)
        let owner = try store.create(["metadata": ["name": "owner"]], as: .scaledJobs, namespace: "ns", now: "t")
        var job = shellJob("job", "true")
        job.metadata["ownerReferences"] = [Self.reference(to: owner)]
        let stored = try store.create(job, as: .jobs, namespace: "ns", now: "t")
        let pod: JSONValue = [
            "metadata": ["name": "pod", "ownerReferences": [Self.reference(to: stored)]],
            "status": ["phase": "Running"],
        ]
        _ = try store.create(pod, as: .pods, namespace: "ns", now: "t")
        return store
    }

    private static func reference(to object: JSONValue) -> JSONValue {
        ["apiVersion": "v1", "kind": object["kind"] ?? "X", "name": .string(object.name), "uid": .string(object.uid)]
    }

    private func names(_ store: ObjectStore) -> [String] {
        [APIResource.scaledJobs, .jobs, .pods].flatMap { store.list(WatchScope(resource: $0)).map(\.name) }
    }

    private func delete(_ policy: ObjectStore.Propagation, in store: inout ObjectStore) throws -> JSONValue? {
        var options = ObjectStore.DeleteOptions()
        options.propagation = policy
        return try store.delete(.scaledJobs, ObjectKey(namespace: "ns", name: "owner"), options: options, now: "d")
    }

    private func endPod(in store: inout ObjectStore) throws {
        let key = ObjectKey(namespace: "ns", name: "pod")
        _ = try store.mergePatch(.pods, key, with: ["status": ["phase": "Failed"]], subresource: "status")
    }

    @Test func inTheBackgroundOwnersGoFirst() throws {
        var store = try self.makeFamily()
        #expect(try self.delete(.background, in: &store) == nil)
        #expect(self.names(store) == ["pod"])
        #expect(store.list(WatchScope(resource: .pods)).first?.isBeingDeleted == true)
        try self.endPod(in: &store)
        #expect(self.names(store).isEmpty)
    }

    @Test func inTheForegroundOwnersGoLast() throws {
        var store = try self.makeFamily()
        #expect(try self.delete(.foreground, in: &store)?.isBeingDeleted == true)
        #expect(self.names(store) == ["owner", "job", "pod"])
        try self.endPod(in: &store)
        #expect(self.names(store).isEmpty)
    }

    @Test func orphansStay() throws {
        var store = try self.makeFamily()
        #expect(try self.delete(.orphan, in: &store) == nil)
        #expect(self.names(store) == ["job", "pod"])
        #expect(store.list(WatchScope(resource: .jobs)).first?.ownerUIDs == [])
    }

    @Test func aFinalizerHoldsAnObject() throws {
        var store = ObjectStore(resources: InProcessCluster.resources)
        let key = ObjectKey(namespace: "ns", name: "held")
        let body: JSONValue = ["metadata": ["name": "held", "finalizers": ["mine"]]]
        _ = try store.create(body, as: .scaledJobs, namespace: "ns", now: "t")
        let marked = try store.delete(.scaledJobs, key, options: .init(), now: "d")
        #expect(marked?.metadata["deletionTimestamp"] == "d")
        _ = try store.mergePatch(.scaledJobs, key, with: ["metadata": ["finalizers": .null]], subresource: nil)
        #expect(store.find(.scaledJobs, key) == nil)
    }

    @Test func preconditionsAreChecked() throws {
        var store = try self.makeFamily()
        var options = ObjectStore.DeleteOptions()
        options.uid = "another"
        do {
            _ = try store.delete(.jobs, ObjectKey(namespace: "ns", name: "job"), options: options, now: "d")
            Issue.record("deleted")
        } catch {
            #expect(error.code == .conflict)
        }
    }
}
