import ClusterTestSupport
import FoundationEssentials
import Logging
import NIOConcurrencyHelpers
import Testing

@testable import Kubernetes

/// The client and the reflector against a real API server.
@Suite(.timeLimit(.minutes(3))) struct RealAPIServerTests {
    private func configMap(_ name: String, _ data: JSONValue = [:], labels: JSONValue = [:]) throws -> [UInt8] {
        let value: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name), "labels": labels],
            "data": data,
        ]
        return try value.encoded()
    }

    private func failure(_ body: () async throws -> Void) async throws -> KubernetesError? {
        do {
            try await body()
            return nil
        } catch let error as KubernetesError {
            return error
        }
    }

    @Test func anObjectLivesFromCreateToDelete() async throws {
        let cluster = try await TestCluster.shared
        let client = try cluster.client()
        let namespace = try await cluster.freshNamespace()
        let create = APIRequest(.create, .configMaps, namespace: namespace, body: try self.configMap("a", ["k": "1"]))

        var dry = create
        dry.query = [QueryItem("dryRun", "All")]
        _ = try await client.send(dry)
        let created = try JSONValue(parsing: try await client.send(create))
        let version = created[path: "metadata", "resourceVersion"]
        #expect(version?.stringValue != nil)
        #expect(try await self.failure { _ = try await client.send(create) }?.code == .alreadyExists)

        let patch: JSONValue = ["data": ["k": "2"]]
        let patched = try await client.send(
            APIRequest(.mergePatch, .configMaps, namespace: namespace, name: "a", body: patch.encoded())
        )
        #expect(try JSONValue(parsing: patched)[path: "data", "k"] == "2")

        let stale = try await self.failure {
            let body = try created.encoded()
            _ = try await client.send(APIRequest(.replace, .configMaps, namespace: namespace, name: "a", body: body))
        }
        #expect(stale?.code == .conflict)
        #expect(stale?.retry == .now)

        let delete = APIRequest(.delete, .configMaps, namespace: namespace, name: "a")
        _ = try await client.send(delete)
        let gone = try await self.failure { _ = try await client.send(delete) }
        #expect(gone?.code == .notFound)
        #expect(gone?.message.contains("\"a\" not found") == true)
        #expect(gone?.mayHaveHappened == false)
    }

    @Test func contentThatTheServerRefusesIsInvalid() async throws {
        let cluster = try await TestCluster.shared
        let client = try cluster.client()
        let namespace = try await cluster.freshNamespace()
        let job: JSONValue = [
            "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "a"], "spec": ["template": [:]],
        ]
        let error = try await self.failure {
            _ = try await client.send(APIRequest(.create, .jobs, namespace: namespace, body: job.encoded()))
        }
        #expect(error?.code == .invalid)
        #expect(error?.status == 422)
        #expect(error?.message.contains("containers") == true)
    }

    @Test func aWrongCertificateAuthorityIsAConfigurationError() async throws {
        let cluster = try await TestCluster.shared
        var configuration = try cluster.configuration()
        configuration.certificateAuthority = nil
        let client = try APIServerClient(configuration)
        let error = try await self.failure { _ = try await client.send(APIRequest(.list, .jobs)) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("certificate") == true)

        configuration = try cluster.configuration()
        configuration.serverName = "kubernetes.default.svc"
        _ = try await APIServerClient(configuration).send(APIRequest(.list, .jobs))
        configuration.serverName = "other.test"
        let named = try APIServerClient(configuration)
        let mismatch = try await self.failure { _ = try await named.send(APIRequest(.list, .jobs)) }
        #expect(mismatch?.code == .configuration)
    }

    @Test func twoHundredCreatesGoAtOnceBesideManyWatches() async throws {
        let cluster = try await TestCluster.shared
        let client = try cluster.client()
        let namespace = try await cluster.freshNamespace()
        let seen = NIOLockedValueBox(0)
        try await withThrowingTaskGroup { group in
            for _ in 0..<100 {
                let watch = APIRequest(
                    .watch,
                    .configMaps,
                    namespace: namespace,
                    query: [QueryItem("timeoutSeconds", "60")]
                )
                let lines = try await client.watch(watch)
                group.addTask {
                    do {
                        for try await _ in lines { seen.withLockedValue { $0 += 1 } }
                    } catch let error as KubernetesError where error.code == .cancelled {}
                }
            }
            try await withThrowingTaskGroup { creates in
                for number in 0..<200 {
                    let body = try self.configMap("c-\(number)")
                    creates.addTask {
                        _ = try await client.send(APIRequest(.create, .configMaps, namespace: namespace, body: body))
                    }
                }
                try await creates.waitForAll()
            }
            try await eventually { seen.withLockedValue { $0 } >= 100 * 200 }
            group.cancelAll()
        }
    }

    @Test func aReflectorListsByPagesThenFollows() async throws {
        let cluster = try await TestCluster.shared
        let client = try cluster.client()
        let namespace = try await cluster.freshNamespace()
        try await withThrowingTaskGroup { group in
            for number in 0..<(ReflectorStateMachine.pageSize + 20) {
                let body = try self.configMap("c-\(number)", labels: ["app": "x"])
                group.addTask {
                    _ = try await client.send(APIRequest(.create, .configMaps, namespace: namespace, body: body))
                }
            }
            try await group.waitForAll()
        }
        let mirror = Mirrored<ConfigMap>()
        let reflector = Reflector<ConfigMap>(
            api: client,
            namespace: namespace,
            labelSelector: "app=x",
            logger: Logger(label: "test")
        )
        try await withThrowingTaskGroup { group in
            group.addTask { await reflector.run { mirror.apply($0) } }
            try? await eventually { mirror.names.count == ReflectorStateMachine.pageSize + 20 }
            #expect(mirror.lastError == nil)
            #expect(mirror.names.count == ReflectorStateMachine.pageSize + 20)
            _ = try await client.send(APIRequest(.delete, .configMaps, namespace: namespace, name: "c-0"))
            let body = try self.configMap("new", ["k": "v"], labels: ["app": "x"])
            _ = try await client.send(APIRequest(.create, .configMaps, namespace: namespace, body: body))
            try await eventually { mirror.names.contains("new") && !mirror.names.contains("c-0") }
            #expect(mirror.lists == 1)
            group.cancelAll()
        }
    }

    @Test func aSecretIsFollowedByNameAndNeverShown() async throws {
        let cluster = try await TestCluster.shared
        let client = try cluster.client()
        let namespace = try await cluster.freshNamespace()
        let seen = NIOLockedValueBox<[Secret]>([])
        let reflector = Reflector<Secret>(
            api: client,
            namespace: namespace,
            fieldSelector: "metadata.name=wanted",
            logger: Logger(label: "test")
        )
        try await withThrowingTaskGroup { group in
            group.addTask {
                await reflector.run { reflection in
                    if case .upserted(let secret) = reflection { seen.withLockedValue { $0.append(secret) } }
                }
            }
            for name in ["other", "wanted"] {
                let secret: JSONValue = [
                    "apiVersion": "v1", "kind": "Secret", "metadata": ["name": .string(name)],
                    "stringData": ["password": "hunter2"],
                ]
                _ = try await client.send(
                    APIRequest(.create, .secrets, namespace: namespace, body: try secret.encoded())
                )
            }
            try await eventually { !seen.withLockedValue { $0.isEmpty } }
            group.cancelAll()
        }
        let secrets = seen.withLockedValue { $0 }
        #expect(secrets.map(\.metadata.name) == ["wanted"])
        #expect(secrets.first?.data["password"] == Array("hunter2".utf8))
        var dumped = ""
        dump(secrets, to: &dumped)
        #expect(!"\(secrets) \(dumped)".contains("hunter2"))
    }
}

/// What a reflector told, as a set of names.
final class Mirrored<Object: KubernetesObject>: Sendable {
    private struct State {
        var names: Set<String> = []
        var lists = 0
        var interruptions = 0
        var lastError: KubernetesError?
    }

    private let state = NIOLockedValueBox(State())

    var names: Set<String> { self.state.withLockedValue { $0.names } }
    var lists: Int { self.state.withLockedValue { $0.lists } }
    var lastError: KubernetesError? { self.state.withLockedValue { $0.lastError } }
    var interruptions: Int { self.state.withLockedValue { $0.interruptions } }

    func apply(_ reflection: Reflection<Object>) {
        self.state.withLockedValue { state in
            switch reflection {
            case .replaced(let objects, _):
                state.names = Set(objects.map(\.metadata.name))
                state.lists += 1
            case .upserted(let object): state.names.insert(object.metadata.name)
            case .deleted(let object): state.names.remove(object.metadata.name)
            case .interrupted(let error):
                state.interruptions += 1
                state.lastError = error
            }
        }
    }
}
