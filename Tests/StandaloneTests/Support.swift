import Foundation
import Kubernetes
import Logging
import Standalone
import SystemPackage
import Testing

/// A folder that goes with the test.
final class TemporaryFolder: Sendable {
    let path: FilePath

    init() throws {
        self.path = FilePath(NSTemporaryDirectory()).appending("sluice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: self.path.string, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path.string) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self.path.appending(name).string), options: .atomic)
    }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: self.path.appending(name).string).flatMap {
            String(bytes: $0, encoding: .utf8)
        }
    }
}

struct DeadlineExceeded: Error {}

/// Runs the body; it must end before the deadline.
func within<Result: Sendable>(
    _ deadline: Duration = .seconds(20),
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: deadline)
            throw DeadlineExceeded()
        }
        defer { group.cancelAll() }
        return try #require(try await group.next())
    }
}

extension InProcessCluster {
    /// Waits for the first event of a resource type that fits.
    func event(of resource: APIResource, where fits: @escaping @Sendable (WatchEvent) -> Bool) async throws -> JSONValue
    {
        let changes = self.changes(of: WatchScope(resource: resource))
        return try await within {
            while let event = try await changes.next() {
                if fits(event) { return event.object }
            }
            throw DeadlineExceeded()
        }
    }

    /// Waits until a Job has a condition and returns the Job.
    func job(_ name: String, has condition: String) async throws -> JSONValue {
        try await self.event(of: .jobs) { $0.object.name == name && $0.object.hasCondition(condition) }
    }

    func create(_ resource: APIResource, _ object: JSONValue, namespace: String = "default") throws {
        try self.answer(APIRequest(.create, resource, namespace: namespace), body: object)
    }

    func delete(_ resource: APIResource, _ name: String, _ options: JSONValue? = nil) throws {
        try self.answer(APIRequest(.delete, resource, namespace: "default", name: name), body: options)
    }

    func find(_ resource: APIResource, _ name: String) -> JSONValue? {
        try? self.answer(APIRequest(.get, resource, namespace: "default", name: name))
    }
}

extension JSONValue {
    func hasCondition(_ type: String) -> Bool {
        self[path: "status", "conditions"]?.arrayValue?.contains { $0["type"] == .string(type) } ?? false
    }

    var conditionReason: String? {
        self[path: "status", "conditions"]?.arrayValue?.first?["reason"]?.stringValue
    }
}

/// A Job with one container that runs a shell script.
func shellJob(_ name: String, _ script: String, spec: [String: JSONValue] = [:], pod: [String: JSONValue] = [:])
    -> JSONValue
{
    let container: JSONValue = ["name": "main", "command": ["sh", "-c", .string(script)]]
    let podSpec: [String: JSONValue] = ["restartPolicy": "Never", "containers": [container]]
    let template: JSONValue = ["spec": .object(podSpec.merging(pod) { _, new in new })]
    let jobSpec = ["template": template].merging(spec) { _, new in new }
    return ["metadata": ["name": .string(name)], "spec": .object(jobSpec)]
}

/// A runner with its cluster and folder, for as long as the body runs.
struct RunnerBench: Sendable {
    let cluster = InProcessCluster()
    let folder: TemporaryFolder
    let output: JobOutput
    let runner: JobRunner

    init(maximumProcesses: Int = 64, backoffBase: Duration = .milliseconds(10), maximumFileSize: Int = 8 << 20) throws {
        self.folder = try TemporaryFolder()
        self.output = JobOutput(stateDirectory: self.folder.path, maximumFileSize: maximumFileSize)
        var settings = JobRunner.Settings(environment: ["PATH": "/usr/bin:/bin", "NOT_INHERITED": "x"])
        settings.backoffBase = backoffBase
        settings.maximumProcesses = maximumProcesses
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        self.runner = JobRunner(cluster: self.cluster, output: self.output, settings: settings, logger: logger)
    }

    func run(_ body: (RunnerBench) async throws -> Void) async throws {
        let running = Task { [runner = self.runner] in try await runner.run() }
        do {
            try await body(self)
        } catch {
            running.cancel()
            _ = await running.result
            throw error
        }
        running.cancel()
        try await running.value
    }

    func text(of job: String) throws -> String {
        let files = self.output.files(of: ObjectKey(namespace: "default", name: job))
        return files.compactMap { FileManager.default.contents(atPath: $0.string) }
            .map { String(decoding: $0, as: UTF8.self) }.joined()
    }
}
