import Kubernetes
import Standalone
import Testing

@Suite struct ObjectStoreTests {
    private func request(_ verb: APIRequest.Verb, _ name: String? = nil, _ query: [QueryItem] = []) -> APIRequest {
        APIRequest(verb, .configMaps, namespace: "default", name: name, query: query)
    }

    private func makeStore(_ limits: ObjectStore.Limits = .init()) -> ObjectStore {
        ObjectStore(resources: InProcessCluster.resources, limits: limits)
    }

    private func code(_ body: () throws(KubernetesError) -> JSONValue) -> KubernetesError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func createSetsWhatTheServerSets() throws {
        var store = self.makeStore()
        let body: JSONValue = [
            "metadata": ["generateName": "x-", "uid": "mine", "resourceVersion": "77"], "status": ["a": 1],
        ]
        var named = body
        named.metadata["resourceVersion"] = nil
        let object = try store.create(named, as: .scaledJobs, namespace: "ns", now: "2026-01-01T00:00:00Z")
        #expect(object.name.hasPrefix("x-") && object.name.count == 7)
        #expect(object.namespace == "ns")
        #expect(object.uid.count == 36 && object.uid != "mine")
        #expect(object.metadata["generation"] == 1)
        #expect(object.metadata["creationTimestamp"] == "2026-01-01T00:00:00Z")
        #expect(object["status"] == nil)
        #expect(object["kind"] == "ScaledJob")
    }

    @Test func theSameNameTwiceIsRefused() throws {
        var store = self.makeStore()
        let body: JSONValue = ["metadata": ["name": "a"]]
        _ = try store.answer(self.request(.create), body: body, now: "t")
        #expect(
            self.code { () throws(KubernetesError) in try store.answer(self.request(.create), body: body, now: "t") }
                == .alreadyExists
        )
    }

    @Test func aDryRunChangesNothing() throws {
        var store = self.makeStore()
        let dryRun = self.request(.create, nil, [QueryItem("dryRun", "All")])
        _ = try store.answer(dryRun, body: ["metadata": ["name": "a"]], now: "t")
        #expect(store.revision == 0)
        #expect(store.find(.configMaps, ObjectKey(namespace: "default", name: "a")) == nil)
    }

    @Test func aStaleWriteIsAConflict() throws {
        var store = self.makeStore()
        let first = try store.answer(self.request(.create), body: ["metadata": ["name": "a"]], now: "t")
        _ = try store.answer(self.request(.mergePatch, "a"), body: ["data": ["x": "1"]], now: "t")
        #expect(
            self.code { () throws(KubernetesError) in
                try store.answer(self.request(.replace, "a"), body: first, now: "t")
            } == .conflict
        )
    }

    @Test func aWriteWithoutChangeKeepsTheVersion() throws {
        var store = self.makeStore()
        let first = try store.answer(
            self.request(.create),
            body: ["metadata": ["name": "a"], "data": ["x": "1"]],
            now: "t"
        )
        let second = try store.answer(self.request(.mergePatch, "a"), body: ["data": ["x": "1"]], now: "t")
        #expect(first == second)
    }

    @Test func statusAndSpecAreWrittenSeparately() throws {
        var store = self.makeStore()
        let key = ObjectKey(namespace: "ns", name: "a")
        _ = try store.create(["metadata": ["name": "a"]], as: .scaledJobs, namespace: "ns", now: "t")
        let both: JSONValue = ["extra": 1, "status": ["b": 2]]
        let afterStatus = try store.mergePatch(.scaledJobs, key, with: both, subresource: "status")
        #expect(afterStatus["extra"] == nil && afterStatus["status"] == ["b": 2])
        #expect(afterStatus.metadata["generation"] == 1)
        let afterSpec = try store.mergePatch(
            .scaledJobs,
            key,
            with: ["extra": 1, "status": ["b": 3]],
            subresource: nil
        )
        #expect(afterSpec["extra"] == 1 && afterSpec["status"] == ["b": 2])
        #expect(afterSpec.metadata["generation"] == 2)
        let afterLabel = try store.mergePatch(
            .scaledJobs,
            key,
            with: ["metadata": ["labels": ["l": "1"]]],
            subresource: nil
        )
        #expect(afterLabel.metadata["generation"] == 2)
    }

    @Test func plainSecretTextIsFoldedIntoData() throws {
        var store = self.makeStore()
        let body: JSONValue = ["metadata": ["name": "s"], "data": ["a": "YQ=="], "stringData": ["b": "b"]]
        let secret = try store.create(body, as: .secrets, namespace: "ns", now: "t")
        #expect(secret["data"] == ["a": "YQ==", "b": "Yg=="])
        #expect(secret["stringData"] == nil)
        do {
            _ = try store.create(
                ["metadata": ["name": "t"], "data": ["a": "geheim!"]],
                as: .secrets,
                namespace: "ns",
                now: "t"
            )
            Issue.record("accepted")
        } catch {
            #expect(!error.message.contains("geheim"))
        }
    }

    @Test func theOldestEventsMakeRoom() throws {
        var limits = ObjectStore.Limits()
        limits.events = 3
        var store = self.makeStore(limits)
        for number in 1...5 {
            _ = try store.create(["metadata": ["name": .string("e\(number)")]], as: .events, namespace: "ns", now: "t")
        }
        #expect(store.list(WatchScope(resource: .events)).map(\.name) == ["e3", "e4", "e5"])
    }

    @Test func unknownTypesAreNotFound() {
        var store = self.makeStore()
        let leases = APIResource(group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease")
        let request = APIRequest(.list, leases)
        #expect(self.code { () throws(KubernetesError) in try store.answer(request, body: nil, now: "t") } == .notFound)
    }

    /// What is laid over a good pod, and the field that must be named.
    private static let refusals: [(String, String)] = [
        (#"{"volumes": [{"name": "v"}]}"#, "spec.template.spec.volumes"),
        (#"{"restartPolicy": "Always"}"#, "spec.template.spec.restartPolicy"),
        (#"{"containers": [{"name": "c", "image": "i"}]}"#, "containers[0].command"),
        (#"{"containers": [{"command": ["x"]}]}"#, "containers[0].name"),
        (#"{"containers": [{"name": "c", "command": ["x"], "livenessProbe": {}}]}"#, "containers[0].livenessProbe"),
        (#"{"containers": [{"name": "c", "command": ["x"], "volumeMounts": [{}]}]}"#, "containers[0].volumeMounts"),
        (#"{"containers": [{"name": "c", "command": [1]}]}"#, "containers[0].command"),
        (#"{"containers": [{"name": "c", "command": ["x"], "env": [{"name": "N", "value": 1}]}]}"#, "env[0].value"),
    ]

    @Test(arguments: ObjectStoreTests.refusals)
    func aJobThatCannotRunHereIsRefusedByName(pod: String, path: String) throws {
        var store = self.makeStore()
        let change: JSONValue = ["spec": ["template": ["spec": try JSONValue(parsing: pod.utf8)]]]
        let job = MergePatch.apply(change, to: shellJob("j", "true"))
        let error = #expect(throws: KubernetesError.self) {
            try store.create(job, as: .jobs, namespace: "ns", now: "t")
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains(path) == true, "\(error?.message ?? pod)")
    }

    @Test func aJobGetsItsDefaultsAndIgnoresWhatPlacesIt() throws {
        var store = self.makeStore()
        let job = shellJob(
            "j",
            "true",
            pod: ["nodeSelector": ["a": "b"], "serviceAccountName": "x", "tolerations": []]
        )
        let stored = try store.create(job, as: .jobs, namespace: "ns", now: "t")
        #expect(stored[path: "spec", "backoffLimit"] == 6)
        #expect(stored[path: "spec", "completions"] == 1)
        #expect(stored[path: "spec", "parallelism"] == 1)
    }

    @Test func randomWritesAgreeWithASimpleModel() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            var store = self.makeStore()
            var model: [String: [String: String]] = [:]
            var lastRevision: Int64 = 0
            for _ in 0..<300 {
                let name = "n\(Int.random(in: 0..<5, using: &random))"
                let value = "v\(Int.random(in: 0..<3, using: &random))"
                let body: JSONValue = ["metadata": ["name": .string(name)], "data": ["k": .string(value)]]
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let code = self.code { () throws(KubernetesError) in
                        try store.answer(self.request(.create), body: body, now: "t")
                    }
                    #expect(code == (model[name] == nil ? nil : .alreadyExists), "seed \(seed)")
                    if model[name] == nil { model[name] = ["k": value] }
                case 1:
                    let code = self.code { () throws(KubernetesError) in
                        try store.answer(self.request(.replace, name), body: body, now: "t")
                    }
                    #expect(code == (model[name] == nil ? .notFound : nil), "seed \(seed)")
                    if model[name] != nil { model[name] = ["k": value] }
                case 2:
                    let patch: JSONValue = ["data": ["p": .string(value), "k": .null]]
                    let code = self.code { () throws(KubernetesError) in
                        try store.answer(self.request(.mergePatch, name), body: patch, now: "t")
                    }
                    #expect(code == (model[name] == nil ? .notFound : nil), "seed \(seed)")
                    if model[name] != nil { model[name]?["p"] = value; model[name]?["k"] = nil }
                default:
                    let code = self.code { () throws(KubernetesError) in
                        try store.answer(self.request(.delete, name), body: nil, now: "t")
                    }
                    #expect(code == (model.removeValue(forKey: name) == nil ? .notFound : nil), "seed \(seed)")
                }
                #expect(store.revision >= lastRevision && store.revision <= lastRevision + 1)
                lastRevision = store.revision
                let list = store.list(WatchScope(resource: .configMaps))
                #expect(list.map(\.name) == model.keys.sorted(), "seed \(seed)")
                #expect(
                    list.map { $0["data"]?.strings ?? [:] } == model.keys.sorted().compactMap { model[$0] },
                    "seed \(seed)"
                )
            }
        }
    }
}

/// The same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
