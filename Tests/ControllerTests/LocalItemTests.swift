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

/// One Job per item on one machine: local processes learn their item as containers do.
@Suite struct LocalItemTests {
    @Test(.timeLimit(.minutes(1))) func everyProcessGetsItsItemAndTheFailingOneItsAttempts() async throws {
        let folder =
            "\(FileManager.default.temporaryDirectory.path)/sluice-local-items-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // A process finishes its item by a file of its name.
        let source = ItemSource(keys: ["one", "$(PATH) two", "bad"], doneFolder: folder)
        let cluster = InProcessCluster()
        let script =
            #"echo "$SLUICE_ITEM_KEY=$SLUICE_ITEM_PAYLOAD" >>"$0/log"; [ "$SLUICE_ITEM_KEY" != bad ] && : >"$0/$SLUICE_ITEM_KEY""#
        let container: JSONValue = ["name": "main", "command": ["sh", "-c", .string(script), .string(folder)]]
        let scaledJob: JSONValue = [
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob",
            "metadata": [
                "name": "transcode", "namespace": "media",
                "annotations": ["sluice.dev/one-job-per-item": "true", "sluice.dev/item-attempts": "2"],
            ],
            "spec": [
                "pollingInterval": 1, "successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0,
                "triggers": [["type": "items", "metadata": [:]]],
                "jobTargetRef": [
                    "backoffLimit": 0, "template": ["spec": ["restartPolicy": "Never", "containers": [container]]],
                ],
            ],
        ]
        _ = try await cluster.send(
            APIRequest(.create, .scaledJobs, namespace: "media", body: try scaledJob.encoded())
        )
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let controller = Controller(
            configuration: ControllerConfiguration(version: "test"),
            api: cluster,
            plugins: source,
            logger: logger
        )
        let runner = JobRunner(
            cluster: cluster,
            output: JobOutput(stateDirectory: FilePath("\(folder)/state")),
            settings: JobRunner.Settings(environment: ["PATH": "/usr/bin:/bin"]),
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            group.addTask { try await runner.run() }
            defer { group.cancelAll() }
            let deadline = ContinuousClock.now + .seconds(40)
            var decision = ""
            while !decision.contains("1 exhausted"), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
                let found = try await cluster.send(APIRequest(.get, .scaledJobs, namespace: "media", name: "transcode"))
                decision = try JSONValue(parsing: found)[path: "status", "lastDecision"]?.stringValue ?? ""
            }
            #expect(decision.contains("1 exhausted"), "\(decision)")
        }
        let log = try String(contentsOfFile: "\(folder)/log", encoding: .utf8).split(separator: "\n").sorted()
        #expect(log == ["$(PATH) two=<$(PATH) two>", "bad=<bad>", "bad=<bad>", "one=<one>"])
    }
}

/// A source of items, each of which waits until there is a file of its name.
private final class ItemSource: TriggerPlugins {
    let events: any AsyncSequence<PluginEvent, Never> & Sendable
    private let queue: AsyncStream<PluginEvent>.Continuation
    private let open = NIOLockedValueBox<[TriggerID: UInt64]>([:])
    private let keys: [String]
    private let folder: String

    init(keys: [String], doneFolder: String) {
        self.keys = keys
        self.folder = doneFolder
        let (events, queue) = AsyncStream.makeStream(of: PluginEvent.self)
        self.events = events
        self.queue = queue
        let declaration = TriggerTypeDeclaration(
            type: "items",
            help: "Names items.",
            parameters: [],
            capabilities: TriggerTypeDeclaration.Capabilities(items: true)
        )
        let offer = TriggerTypeOffer(plugin: "items", isConnected: true, declaration: declaration)
        queue.yield(.offers(["items": offer]))
    }

    func set(_ trigger: TriggerID, revision: UInt64, to specification: TriggerSpecification) {
        self.open.withLockedValue { $0[trigger] = revision }
        self.queue.yield(.opened(trigger, revision: revision, OpenedTrigger(target: 1)))
    }

    func remove(_ trigger: TriggerID) { self.open.withLockedValue { $0[trigger] = nil } }

    func measure(_ triggers: [TriggerID]) {
        self.measure(Dictionary(uniqueKeysWithValues: triggers.map { ($0, 0) }))
    }

    func measure(_ items: [TriggerID: Int]) {
        for (trigger, count) in items {
            let askedAt = ContinuousClock.now
            let waiting = self.keys.filter { !FileManager.default.fileExists(atPath: "\(self.folder)/\($0)") }
            let reading = Reading(
                waiting: Double(waiting.count),
                items: waiting.prefix(count).map { Reading.Item(key: Array($0.utf8), payload: Array("<\($0)>".utf8)) }
            )
            let revision = self.open.withLockedValue { $0[trigger] } ?? 0
            self.queue.yield(.reading(trigger, revision: revision, reading, askedAt: askedAt))
        }
    }
}
