import Controller
import Foundation
import Kubernetes
import Logging
import NIOConcurrencyHelpers
import PluginHost
import PluginProtocol
import Standalone
import SystemPackage
import Testing

/// Pending Jobs on one machine: a Job is pending until its process runs.
@Suite struct LocalPodsTests {
    @Test(.timeLimit(.minutes(1))) func aLocalJobIsPendingUntilItsProcessRuns() async throws {
        let machine = LocalMachine()
        defer { try? FileManager.default.removeItem(atPath: machine.folder.string) }
        try await machine.create(.scaledJobs, "transcode", LocalMachine.scaledJob)
        try await machine.run {
            machine.source.waiting = 2
            // The processes need a Secret that is not there yet: the Jobs are pending.
            try await machine.until("two Jobs wait") {
                machine.source.push()
                return try await machine.phases() == ["Pending", "Pending"]
            }
            let before = machine.source.readings
            try await machine.until("the source was read again") {
                machine.source.push()
                return machine.source.readings > before + 1
            }
            #expect(try await machine.phases().count == 2)

            try await machine.create(.secrets, "keys", ["stringData": ["pass": "x"]])
            // They run, so what waits now is not theirs, and is read without a push.
            try await machine.until("four processes run") {
                try await machine.phases() == ["Running", "Running", "Running", "Running"]
            }
            machine.source.waiting = 0
        }
    }
}

/// A controller and a runner of local processes over one in-process cluster.
private struct LocalMachine: Sendable {
    let cluster = InProcessCluster()
    let source = CountingSource()
    let folder = FilePath(
        "\(FileManager.default.temporaryDirectory.path)/sluice-local-pods-\(UInt64.random(in: 0...UInt64.max))"
    )

    static let scaledJob: JSONValue = [
        "spec": [
            "pollingInterval": 3_600, "maxReplicaCount": 4, "scalingStrategy": ["strategy": "accurate"],
            "triggers": [["type": "counter", "metadata": ["queue": "a"]]],
            "jobTargetRef": [
                "template": [
                    "spec": [
                        "terminationGracePeriodSeconds": 0,
                        "containers": [
                            [
                                "name": "main", "command": ["sleep", "300"],
                                "env": [
                                    ["name": "PASS", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "pass"]]]
                                ],
                            ]
                        ],
                    ]
                ]
            ],
        ]
    ]

    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var configuration = ControllerConfiguration(version: "test")
        configuration.claimGrace = .zero
        let controller = Controller(
            configuration: configuration,
            api: self.cluster,
            plugins: self.source,
            logger: logger
        )
        var settings = JobRunner.Settings(environment: ["PATH": "/usr/bin:/bin"])
        settings.backoffBase = .milliseconds(50)
        let runner = JobRunner(
            cluster: self.cluster,
            output: JobOutput(stateDirectory: self.folder),
            settings: settings,
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            group.addTask { try await runner.run() }
            // Whatever the body finds, the processes end with the runner.
            defer { group.cancelAll() }
            try await body()
        }
    }

    func create(_ resource: APIResource, _ name: String, _ content: JSONValue) async throws {
        var object = content
        object["apiVersion"] = .string(resource.apiVersion)
        object["kind"] = .string(resource.kind)
        object["metadata"] = ["name": .string(name), "namespace": "media"]
        _ = try await self.cluster.send(APIRequest(.create, resource, namespace: "media", body: object.encoded()))
    }

    func phases() async throws -> [String] {
        let list = try JSONValue(parsing: await self.cluster.send(APIRequest(.list, .pods, namespace: "media")))
        return (list["items"]?.arrayValue ?? []).compactMap { $0[path: "status", "phase"]?.stringValue }
    }

    /// Looks again until it is so, or a deadline has passed.
    func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
        try await wait(for: what, within: .seconds(40), lookingEvery: .milliseconds(10), isSo)
    }
}

/// A source that counts what the test says, and how often it was read.
private final class CountingSource: TriggerPlugins {
    private struct State {
        var waiting = 0
        var readings = 0
        var open: [TriggerID: UInt64] = [:]
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
                "counter": TriggerTypeOffer(plugin: "counter", isConnected: true, declaration: ModelCluster.declaration)
            ])
        )
    }

    var waiting: Int {
        get { self.state.withLockedValue { $0.waiting } }
        set { self.state.withLockedValue { $0.waiting = newValue } }
    }

    var readings: Int { self.state.withLockedValue { $0.readings } }

    func push() {
        for id in self.state.withLockedValue({ Array($0.open.keys) }) { self.queue.yield(.changed(id)) }
    }

    func set(_ trigger: TriggerID, revision: UInt64, to specification: TriggerSpecification) {
        self.state.withLockedValue { $0.open[trigger] = revision }
        self.queue.yield(.opened(trigger, revision: revision, OpenedTrigger(target: 1)))
    }

    func remove(_ trigger: TriggerID) { self.state.withLockedValue { $0.open[trigger] = nil } }

    func measure(_ triggers: [TriggerID]) {
        let askedAt = ContinuousClock.now
        for trigger in triggers {
            let (revision, waiting) = self.state.withLockedValue { state in
                state.readings += 1
                return (state.open[trigger] ?? 0, state.waiting)
            }
            let reading = Reading(waiting: Double(waiting))
            self.queue.yield(.reading(trigger, revision: revision, reading, askedAt: askedAt))
        }
    }
}
