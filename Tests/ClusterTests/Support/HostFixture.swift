import ClusterTestSupport
import Foundation
import Kubernetes
import NIOConcurrencyHelpers
import PluginPeers

/// A namespace of a real API server, watched, with whatever hosts and plugins a test starts for it.
struct HostFixture: Sendable {
    let cluster: TestCluster
    let client: APIServerClient
    let namespace: String
    let folder: TemporarySocket
    let jobs = JobWatch()
    private let processes = NIOLockedValueBox<[ChildProcess]>([])

    /// The API server that tests share which leave it whole.
    ///
    /// No controllers: Jobs get no pods, and end when the test says so.
    static var sharedCluster: TestCluster {
        get async throws { try await Self.sharedStart.value }
    }

    // Unowned on purpose: it belongs to the whole process.
    private static let sharedStart = Task { try await Self.cluster(name: "hosts", port: 16643) }

    /// An API server that knows the resources.
    static func cluster(
        name: String,
        port: Int,
        controllers: String = "none",
        withNode: Bool = false
    ) async throws -> TestCluster {
        let cluster = try await TestCluster.start(name: name, port: port, controllers: controllers, withNode: withNode)
        try await cluster.kubectl("apply", "-f", "\(TestCluster.repository)/deploy/crds")
        let kinds = ["scaledjobs", "triggerauthentications", "clustertriggerauthentications"]
        for kind in kinds {
            try await cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/\(kind).keda.sh")
        }
        return cluster
    }

    private init(_ cluster: TestCluster, namespace: String?) async throws {
        self.cluster = cluster
        self.client = try cluster.client()
        if let namespace {
            self.namespace = namespace
        } else {
            self.namespace = try await cluster.freshNamespace()
        }
        self.folder = TemporarySocket()
    }

    /// Runs the body in a fresh namespace, unless one is named, and stops every process that it started.
    static func with(
        _ cluster: TestCluster? = nil,
        namespace: String? = nil,
        _ body: @Sendable (HostFixture) async throws -> Void
    ) async throws {
        var chosen = cluster
        if chosen == nil { chosen = try await Self.sharedCluster }
        guard let chosen else { return }
        let fixture = try await HostFixture(chosen, namespace: namespace)
        let watcher = try chosen.client()
        defer { fixture.folder.remove() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await fixture.jobs.run(watcher, namespace: fixture.namespace) }
            do {
                try await eventually("the first list") { fixture.jobs.isSynced }
                try await body(fixture)
            } catch {
                // The logs are shown before their folder goes.
                FailureLogs.current?.hasFailed.withLockedValue { $0 = true }
                try await fixture.end()
                throw error
            }
            try await fixture.end()
            group.cancelAll()
        }
    }

    private func end() async throws {
        for process in self.processes.withLockedValue({ $0 }) where !process.hasEnded { try await process.kill() }
        FailureLogs.current?.show()
    }

    // MARK: - Programs

    /// Starts the real host, for this namespace only; what else it is to be told comes last and wins.
    @discardableResult
    func startHost(
        plugins: [String] = ["ScriptedPlugin"],
        _ more: [String] = [],
        environment: [String: String] = [:],
        log: String = "host.log"
    ) throws -> ChildProcess {
        let standard = [
            "host", "--kubeconfig", self.cluster.kubeconfig, "--namespace", self.namespace,
            "--socket", self.folder.path, "--log-level", "debug",
            "--metrics-bind-address", "0", "--health-probe-bind-address", "0",
        ]
        return try self.start(
            "sluice",
            standard + plugins.flatMap { ["--plugin", builtExecutable($0)] } + more,
            environment: environment,
            log: log
        )
    }

    /// Starts the scripted plugin under another name, which is also the trigger type that it offers.
    func startPlugin(_ name: String) throws -> ChildProcess {
        let environment = [
            "SCRIPTED_NAME": name, "SCRIPTED_TYPE": name, "SLUICE_HOST_SOCKET": self.folder.path,
            "SLUICE_LOG_LEVEL": "debug",
        ]
        return try self.start("ScriptedPlugin", [], environment: environment, log: "\(name).log")
    }

    private func start(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        log: String
    ) throws -> ChildProcess {
        try self.startTool(builtExecutable(program), arguments, environment: environment, log: log)
    }

    /// Starts any program; it is killed at the end of the test.
    func startTool(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        log: String
    ) throws -> ChildProcess {
        let logFile = "\(self.folder.folder)/\(log)"
        FailureLogs.current?.add(logFile)
        let process = try ChildProcess(
            executable,
            arguments,
            environment: environment,
            logFile: logFile
        )
        self.processes.withLockedValue { $0.append(process) }
        return process
    }

    // MARK: - Objects

    var kubelet: Kubelet { Kubelet(client: self.client, namespace: self.namespace) }

    func documents(_ number: Int, _ name: String = "documents") -> Documents {
        Documents(number, named: name, in: self.folder)
    }

    @discardableResult
    func create(_ resource: APIResource, _ object: JSONValue) async throws -> JSONValue {
        let body = try object.encoded()
        return try JSONValue(
            parsing: await self.client.send(APIRequest(.create, resource, namespace: self.namespace, body: body))
        )
    }

    func patch(_ resource: APIResource, _ name: String, _ patch: JSONValue) async throws {
        _ = try await self.client.send(
            APIRequest(.mergePatch, resource, namespace: self.namespace, name: name, body: try patch.encoded())
        )
    }

    func get(_ resource: APIResource, _ name: String) async throws -> JSONValue {
        try JSONValue(
            parsing: await self.client.send(APIRequest(.get, resource, namespace: self.namespace, name: name))
        )
    }

    func list(_ resource: APIResource) async throws -> [JSONValue] {
        let body = try await self.client.send(APIRequest(.list, resource, namespace: self.namespace))
        return try JSONValue(parsing: body)["items"]?.arrayValue ?? []
    }

    func kubectl(_ arguments: String...) async throws -> String {
        try await self.cluster.kubectl(["--namespace", self.namespace] + arguments)
    }

    /// A condition of a ScaledJob as the API server has it.
    func condition(_ type: String, of scaledJob: String) async throws -> ConditionSeen {
        let object = try await self.get(.scaledJobs, scaledJob)
        let found = object[path: "status", "conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }
        return ConditionSeen(
            status: found?["status"]?.stringValue ?? "",
            reason: found?["reason"]?.stringValue ?? "",
            message: found?["message"]?.stringValue ?? ""
        )
    }

    /// Waits until a condition is as the test wants it, and returns it.
    @discardableResult
    func condition(
        _ type: String,
        of scaledJob: String,
        within timeout: Duration = .seconds(30),
        becomes isWanted: @escaping @Sendable (ConditionSeen) -> Bool
    ) async throws -> ConditionSeen {
        var last = ConditionSeen(status: "", reason: "", message: "")
        let deadline = ContinuousClock.now + timeout
        repeat {
            last = try await self.condition(type, of: scaledJob)
            if isWanted(last) { return last }
            try await Task.sleep(for: .milliseconds(20))
        } while ContinuousClock.now < deadline
        throw NeverHappened(what: "\(type) of \(scaledJob)", timeout: timeout, state: "\(last)")
    }

    func isReady(_ scaledJob: String, within timeout: Duration = .seconds(30)) async throws {
        try await self.condition("Ready", of: scaledJob, within: timeout) { $0.status == "True" }
    }

    /// Waits until the host gives this reason for its last decision.
    func lastDecision(of scaledJob: String, contains part: String) async throws {
        var last = ""
        try await eventually("a decision: \(part)", otherwise: { last }) {
            last = try await self.get(.scaledJobs, scaledJob)[path: "status", "lastDecision"]?.stringValue ?? ""
            return last.contains(part)
        }
    }

    /// Waits until the host has decided that nothing is left to do.
    func isAtRest(_ scaledJob: String, within timeout: Duration = .seconds(60)) async throws {
        try await self.condition("Active", of: scaledJob, within: timeout) { $0.status == "False" }
    }
}

/// What a condition said.
struct ConditionSeen: Sendable {
    let status: String
    let reason: String
    let message: String
}
