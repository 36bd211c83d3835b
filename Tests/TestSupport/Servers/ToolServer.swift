internal import Glibc
internal import NIOConcurrencyHelpers
internal import Subprocess
internal import SystemPackage

/// A real server that a script under `tools` starts on a free port, and that ends with the test process.
package final class ToolServer: Sendable {
    package enum Kind: String, Sendable {
        /// OpenBao, which speaks Vault's API; the root token is `root`.
        case vault
        /// The same over TLS, with an authority of its own.
        case vaultTLS
        /// Moto, which answers as AWS does.
        case moto

        /// The script under `tools`, and what starts this kind.
        var script: (name: String, options: [String]) {
            switch self {
            case .vault: ("vault", [])
            case .vaultTLS: ("vault", ["--tls"])
            case .moto: ("moto", [])
            }
        }
    }

    package let port: Int
    private let kind: Kind
    private let folder: String

    package var address: String { "\(self.kind == .vaultTLS ? "https" : "http")://127.0.0.1:\(self.port)" }

    /// The file with the certificate of the authority that signed the server's.
    package var authority: String { "\(self.folder)/vault-ca.pem" }

    /// The one of this kind that all tests share.
    package static func shared(_ kind: Kind) async throws -> ToolServer { try await SharedTools.all.server(kind) }

    /// Starts one that nobody else uses.
    package static func start(_ kind: Kind) async throws -> ToolServer {
        var template = Array("/tmp/sluice-\(kind.rawValue)-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw ToolFailure("no temporary folder") }
        let folder = String(cString: UnsafePointer(path))
        let script = kind.script
        RunningTools.all.add(script.name, folder)
        let started = try await Self.run("\(Self.tools)/\(script.name)", ["start", folder] + script.options)
        guard let port = Int(started) else { throw ToolFailure("no port") }
        return ToolServer(kind, port: port, folder: folder)
    }

    private init(_ kind: Kind, port: Int, folder: String) {
        self.kind = kind
        self.port = port
        self.folder = folder
    }

    package func stop() async throws { _ = try await Self.tool(self.kind.script.name, "stop", self.folder) }

    /// Runs a script under `tools` and returns what it prints.
    package static func tool(_ name: String, _ arguments: String...) async throws -> String {
        try await self.run("\(self.tools)/\(name)", arguments)
    }

    /// Runs a program and returns what it prints.
    package static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            .path(FilePath(program)),
            arguments: Arguments(arguments),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 16)
        )
        guard result.terminationStatus.isSuccess else {
            throw ToolFailure("\(program) \(arguments.first ?? ""): \(result.standardError)")
        }
        return String(result.standardOutput.filter { !$0.isNewline })
    }

    fileprivate static let tools = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/tools"
}

/// A program did not do what it was asked to.
package struct ToolFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// One server of each kind for all tests.
private actor SharedTools {
    static let all = SharedTools()
    private var starts: [ToolServer.Kind: Task<ToolServer, any Error>] = [:]

    func server(_ kind: ToolServer.Kind) async throws -> ToolServer {
        // Unowned on purpose: it outlives the test that happened to ask first.
        let start = self.starts[kind] ?? Task { try await ToolServer.start(kind) }
        self.starts[kind] = start
        return try await start.value
    }
}

/// Ends every server with the test process.
private final class RunningTools: Sendable {
    static let all = RunningTools()
    private let folders = NIOLockedValueBox<[(tool: String, folder: String)]>([])

    private init() {
        atexit { RunningTools.all.end() }
    }

    func add(_ tool: String, _ folder: String) {
        self.folders.withLockedValue { $0.append((tool, folder)) }
    }

    private func end() {
        for (tool, folder) in self.folders.withLockedValue({ $0 }) {
            system("'\(ToolServer.tools)/\(tool)' stop '\(folder)'; rm -rf '\(folder)'")
        }
    }
}
