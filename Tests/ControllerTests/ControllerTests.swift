import Controller
import Kubernetes
import Logging
import NIOConcurrencyHelpers
import PluginHost
import PluginProtocol
import Standalone
import Testing

/// The controller with its shell, over the in-process cluster of the standalone mode.
@Suite struct ControllerTests {
    @Test(.timeLimit(.minutes(1))) func waitingItemsBecomeJobsAndFinishedOnesAreCleaned() async throws {
        let world = try await World()
        try await world.run {
            world.source.waiting = 5
            world.source.push()
            try await world.until("five Jobs") { try await world.jobs().count == 5 }
            world.source.waiting = 0
            for name in try await world.jobs() { try await world.finish(name) }
            try await world.until("no Job left") { try await world.jobs().isEmpty }
            let status = try await world.scaledJob()["status"]
            #expect(status?["triggersTypes"] == "counter")
        }
    }

    @Test(.timeLimit(.minutes(1))) func conditionsSayHowItIs() async throws {
        let world = try await World()
        try await world.run {
            try await world.until("Ready") { try await world.condition("Ready")?["status"] == "True" }
            world.source.failure = PluginFailure(.unavailable, "the source is away")
            world.source.push()
            try await world.until("not Ready") { try await world.condition("Ready")?["reason"] == "TriggerError" }
            let message = try await world.condition("Ready")?["message"]?.stringValue
            #expect(message?.contains("the source is away") == true)
            world.source.failure = nil
            world.source.push()
            try await world.until("Ready again") { try await world.condition("Ready")?["status"] == "True" }
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSecretThatAppearsOpensTheTrigger() async throws {
        let world = try await World(authenticated: true)
        try await world.run {
            try await world.until("the Secret is named") {
                try await world.condition("Ready")?["message"]?.stringValue?.contains("Secret media/keys") == true
            }
            #expect(world.source.passwords.isEmpty)
            try await world.create(
                .secrets,
                ["metadata": ["name": "keys", "namespace": "media"], "stringData": ["pass": "first"]]
            )
            try await world.until("the trigger is open") { world.source.passwords == ["first"] }
            _ = try await world.cluster.send(
                APIRequest(
                    .mergePatch,
                    .secrets,
                    namespace: "media",
                    name: "keys",
                    body: JSONValue.object(["stringData": ["pass": "second"]]).encoded()
                )
            )
            try await world.until("the new value has arrived") { world.source.passwords == ["first", "second"] }
        }
    }

    @Test(.timeLimit(.minutes(1))) func aConfigMapThatChangesReachesTheSource() async throws {
        let target: JSONValue = ["parameter": "password", "name": "settings", "key": "pass"]
        let world = try await World(authenticated: true, authentication: ["configMapTargetRef": [target]])
        try await world.run {
            try await world.create(
                .configMaps,
                ["metadata": ["name": "settings", "namespace": "media"], "data": ["pass": "first"]]
            )
            try await world.until("the trigger is open") { world.source.passwords == ["first"] }
            _ = try await world.cluster.send(
                APIRequest(
                    .mergePatch,
                    .configMaps,
                    namespace: "media",
                    name: "settings",
                    body: JSONValue.object(["data": ["pass": "second"]]).encoded()
                )
            )
            try await world.until("the new value has arrived") { world.source.passwords == ["first", "second"] }
        }
    }

    @Test(.timeLimit(.minutes(1))) func whatIsUnderWayEndsBeforeTheControllerIsStopped() async throws {
        let world = try await World()
        let gate = CreationGate(world.cluster)
        let controller = world.controller(gate)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            world.source.waiting = 5
            world.source.push()
            try await world.until("a creation is under way") { gate.held > 0 }
            #expect(await !controller.finishCalls(by: .now + .milliseconds(100)))
            gate.open()
            #expect(await controller.finishCalls(by: .now + .seconds(20)))
            let begun = gate.begun
            let made = try await world.jobs().count
            #expect(made == begun && made > 0)
            world.source.push()
            try await Task.sleep(for: .milliseconds(200))
            #expect(gate.begun == begun)
            #expect(await controller.finishCalls(by: .now))
            group.cancelAll()
        }
    }
}

/// Holds creations of Jobs up until it is opened.
private final class CreationGate: KubernetesAPI {
    private struct State {
        var isOpen = false
        var begun = 0
        var held: [CheckedContinuation<Void, Never>] = []
    }

    private let cluster: InProcessCluster
    private let state = NIOLockedValueBox(State())

    init(_ cluster: InProcessCluster) {
        self.cluster = cluster
    }

    var begun: Int { self.state.withLockedValue { $0.begun } }
    var held: Int { self.state.withLockedValue { $0.held.count } }

    func open() {
        let held = self.state.withLockedValue { state in
            defer { state.held = [] }
            state.isOpen = true
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        if request.verb == .create, request.resource == .jobs, !request.query.contains(where: { $0.name == "dryRun" }) {
            await withCheckedContinuation { continuation in
                let isOpen = self.state.withLockedValue { state in
                    state.begun += 1
                    if !state.isOpen { state.held.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }
        return try await self.cluster.send(request)
    }

    func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        try await self.cluster.watch(request)
    }
}

/// A cluster with one ScaledJob, a source that the test controls, and a controller.
struct World: Sendable {
    let cluster = InProcessCluster()
    let source = ManualSource()

    private static let secret: JSONValue = [
        "secretTargetRef": [["parameter": "password", "name": "keys", "key": "pass"]]
    ]

    init(authenticated: Bool = false, authentication: JSONValue = Self.secret) async throws {
        var trigger: JSONValue = ["type": "counter", "metadata": ["queue": "a"]]
        if authenticated { trigger["authenticationRef"] = ["name": "login"] }
        try await self.create(
            .scaledJobs,
            [
                "metadata": ["name": "transcode", "namespace": "media"],
                "spec": [
                    "pollingInterval": 1, "maxReplicaCount": 5, "successfulJobsHistoryLimit": 0,
                    "triggers": [trigger],
                    "jobTargetRef": [
                        "template": ["spec": ["containers": [["name": "main", "command": ["true"]]]]]
                    ],
                ],
            ]
        )
        try await self.create(
            .triggerAuthentications,
            [
                "metadata": ["name": "login", "namespace": "media"],
                "spec": authentication,
            ]
        )
    }

    func controller(_ api: any KubernetesAPI) -> Controller {
        Controller(
            configuration: ControllerConfiguration(version: "test"),
            api: api,
            plugins: self.source,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Runs the body beside the controller, and stops the controller afterwards.
    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let controller = self.controller(self.cluster)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            try await body()
            group.cancelAll()
        }
    }

    func create(_ resource: APIResource, _ object: JSONValue) async throws {
        var object = object
        object["apiVersion"] = .string(resource.apiVersion)
        object["kind"] = .string(resource.kind)
        _ = try await self.cluster.send(
            APIRequest(.create, resource, namespace: "media", body: object.encoded())
        )
    }

    func jobs() async throws -> [String] {
        let list = try JSONValue(parsing: await self.cluster.send(APIRequest(.list, .jobs, namespace: "media")))
        return (list["items"]?.arrayValue ?? []).compactMap { $0[path: "metadata", "name"]?.stringValue }
    }

    func finish(_ job: String) async throws {
        let status: JSONValue = [
            "status": [
                "conditions": [
                    ["type": "Complete", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"]
                ]
            ]
        ]
        _ = try await self.cluster.send(
            APIRequest(
                .mergePatch,
                .jobs,
                namespace: "media",
                name: job,
                subresource: "status",
                body: status.encoded()
            )
        )
    }

    func scaledJob() async throws -> JSONValue {
        try JSONValue(
            parsing: await self.cluster.send(APIRequest(.get, .scaledJobs, namespace: "media", name: "transcode"))
        )
    }

    func condition(_ type: String) async throws -> JSONValue? {
        try await self.scaledJob()[path: "status", "conditions"]?.arrayValue?.first { $0["type"] == .string(type) }
    }

    /// Looks again after every change of the cluster's ScaledJobs or Jobs, or at the latest a moment later.
    func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
        try await wait(for: what, within: .seconds(30), isSo)
    }
}

/// An event source that says what the test tells it to say.
final class ManualSource: TriggerPlugins {
    private struct State {
        var waiting = 0
        var failure: PluginFailure?
        var open: [TriggerID: (revision: UInt64, parameters: [String: String])] = [:]
        var passwords: [String] = []
    }

    let events: any AsyncSequence<PluginEvent, Never> & Sendable
    private let queue: AsyncStream<PluginEvent>.Continuation
    private let state = NIOLockedValueBox(State())

    init() {
        let (events, queue) = AsyncStream.makeStream(of: PluginEvent.self)
        self.events = events
        self.queue = queue
        queue.yield(
            .offers([
                "counter": TriggerTypeOffer(
                    plugin: "counter",
                    isConnected: true,
                    declaration: ModelCluster.declaration
                )
            ])
        )
    }

    var waiting: Int {
        get { self.state.withLockedValue { $0.waiting } }
        set { self.state.withLockedValue { $0.waiting = newValue } }
    }

    var failure: PluginFailure? {
        get { self.state.withLockedValue { $0.failure } }
        set { self.state.withLockedValue { $0.failure = newValue } }
    }

    /// Every password that a trigger was opened with.
    var passwords: [String] { self.state.withLockedValue { $0.passwords } }

    func push() {
        for id in self.state.withLockedValue({ Array($0.open.keys) }) { self.queue.yield(.changed(id)) }
    }

    func set(_ trigger: TriggerID, revision: UInt64, to specification: TriggerSpecification) {
        self.state.withLockedValue { state in
            state.open[trigger] = (revision, specification.parameters)
            if let password = specification.parameters["password"] { state.passwords.append(password) }
        }
        self.queue.yield(.opened(trigger, revision: revision, OpenedTrigger(target: 1)))
    }

    func remove(_ trigger: TriggerID) {
        self.state.withLockedValue { $0.open[trigger] = nil }
    }

    func measure(_ triggers: [TriggerID]) {
        let askedAt = ContinuousClock.now
        for trigger in triggers {
            let (revision, waiting, failure) = self.state.withLockedValue { state in
                (state.open[trigger]?.revision ?? 0, state.waiting, state.failure)
            }
            if let failure {
                self.queue.yield(.unknown(trigger, revision: revision, failure))
            } else {
                let reading = Reading(waiting: Double(waiting))
                self.queue.yield(.reading(trigger, revision: revision, reading, askedAt: askedAt))
            }
        }
    }
}
