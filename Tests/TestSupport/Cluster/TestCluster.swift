import FoundationEssentials
import Glibc
package import Kubernetes
import NIOConcurrencyHelpers
import Subprocess
import SystemPackage

/// A real Kubernetes control plane, started by `tools/cluster`.
package struct TestCluster: Sendable {
    package let name: String
    package let kubeconfig: String

    /// The one that tests share, started with the first use and stopped when the process ends.
    ///
    /// An instance that already runs is used and left running; `SLUICE_KEEP_CLUSTER=1` leaves it running too.
    package static var shared: TestCluster {
        get async throws { try await Self.sharedStart.value }
    }

    // Unowned on purpose: the cluster belongs to the whole process, not to the test that happens to need it first.
    private static let sharedStart = Task { try await TestCluster.start(name: "tests", port: 16443) }

    /// Starts an instance, or finds it running.
    ///
    /// Whoever breaks it takes a name and a port (four in a row) of his own, and a `fresh` one: an earlier run may have
    /// left it broken. For two checkouts at once, `SLUICE_CLUSTER_PREFIX` and `SLUICE_CLUSTER_PORT_OFFSET` keep the instances
    /// of one apart from those of the other.
    package static func start(
        name: String,
        port: Int,
        fresh: Bool = false,
        controllers: String = "*",
        withNode: Bool = false
    ) async throws -> TestCluster {
        let environment = ProcessInfo.processInfo.environment
        let name = (environment["SLUICE_CLUSTER_PREFIX"] ?? "") + name
        let port = port + (environment["SLUICE_CLUSTER_PORT_OFFSET"].flatMap(Int.init) ?? 0)
        if fresh { try await Self.tool(["down", "--name", name]) }
        let wasRunning = (try? await Self.tool(["apiserver", "status", "--name", name])) != nil
        if !wasRunning, environment["SLUICE_KEEP_CLUSTER"] == nil { Self.stopAtExit(name) }
        let arguments =
            ["up", "--name", name, "--port", "\(port)", "--controllers", controllers] + (withNode ? ["--node"] : [])
        return TestCluster(name: name, kubeconfig: try await Self.tool(arguments))
    }

    /// Runs `tools/cluster` on this instance.
    @discardableResult
    package func tool(_ arguments: String...) async throws -> String {
        try await Self.tool(arguments + ["--name", self.name])
    }

    package func stop() async throws {
        try await self.tool("down")
    }

    package func configuration() throws -> ClientConfiguration {
        try .kubeconfig(self.kubeconfig, environment: [:])
    }

    package func client() throws -> APIServerClient {
        try APIServerClient(self.configuration())
    }

    /// A namespace that no other test has.
    package func freshNamespace(_ prefix: String = "test") async throws -> String {
        let name = "\(prefix)-\(UInt64.random(in: 0...UInt64.max))"
        let namespaces = APIResource(
            group: "",
            version: "v1",
            plural: "namespaces",
            kind: "Namespace",
            isNamespaced: false
        )
        let body: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
        _ = try await self.client().send(APIRequest(.create, namespaces, body: body.encoded()))
        return name
    }

    /// Runs kubectl and returns what it prints.
    @discardableResult
    package func kubectl(_ arguments: String...) async throws -> String {
        try await self.kubectl(arguments)
    }

    @discardableResult
    package func kubectl(_ arguments: [String]) async throws -> String {
        try await Self.run(.name("kubectl"), ["--kubeconfig", self.kubeconfig] + arguments)
    }

    /// The root of the working copy.
    package static let repository: String = {
        var path = FilePath(#filePath)
        for _ in 0..<4 { path.removeLastComponent() }
        return path.string
    }()

    private static let script = "\(repository)/tools/cluster"

    @discardableResult
    private static func tool(_ arguments: [String]) async throws -> String {
        try await Self.run(.path(FilePath(Self.script)), arguments)
    }

    private static func run(_ executable: Executable, _ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            executable,
            arguments: Arguments(arguments),
            output: .string(limit: 4 << 20),
            error: .string(limit: 1 << 20)
        )
        guard result.terminationStatus.isSuccess else {
            throw CommandFailure(command: arguments.joined(separator: " "), message: result.standardError)
        }
        var output = result.standardOutput[...]
        while output.last?.isNewline == true { output.removeLast() }
        return String(output)
    }

    /// Only a handler of the process's exit runs after the last test.
    private static func stopAtExit(_ name: String) {
        let isFirst = Self.startedNames.withLockedValue { names in
            names.append(name)
            return names.count == 1
        }
        guard isFirst else { return }
        atexit {
            for name in TestCluster.startedNames.withLockedValue({ $0 }) {
                system("'\(TestCluster.script)' down --name '\(name)' >/dev/null 2>&1")
            }
        }
    }

    private static let startedNames = NIOLockedValueBox<[String]>([])
}

/// A command that a test needs did not succeed.
package struct CommandFailure: Error, CustomStringConvertible {
    let command: String
    let message: String

    package var description: String { "\(self.command): \(self.message)" }
}
