internal import FoundationEssentials
internal import Glibc
package import MongoDB
internal import NIOConcurrencyHelpers
internal import Subprocess
internal import SystemPackage

/// A real mongod on a free port, in a directory of its own.
///
/// It ends with ``stop()``, or with the test process. The shared ones are for tests that only need a database of their own.
package final class MongoTestServer: Sendable {
    /// What kind of deployment it is.
    package enum Kind: String, Sendable {
        /// Without change streams.
        case standalone
        /// One member, which is the primary.
        case replicaSet
        /// One member, and every client must log in as `root` with the password `root`, or as a user made by a test.
        case replicaSetWithUsers
    }

    /// The port on the loopback address.
    package let port: Int
    /// A pool of the test's own, as root.
    package let pool: MongoPool
    private let kind: Kind
    private let directory: String

    /// Starts one that nobody else uses.
    package static func start(_ kind: Kind) async throws -> MongoTestServer {
        let server = try MongoTestServer(kind)
        try await server.start()
        return server
    }

    /// The one of this kind that all tests share, started by the first that asks.
    package static func shared(_ kind: Kind) async throws -> MongoTestServer {
        try await SharedServers.all.server(kind)
    }

    private init(_ kind: Kind) throws {
        self.kind = kind
        self.port = try Self.freePort()
        var template = Array("/tmp/sluice-mongod-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw TestServerError("no temporary directory") }
        self.directory = String(cString: UnsafePointer(path))
        let user = kind == .replicaSetWithUsers ? "root:root@" : ""
        self.pool = MongoPool(MongoPool.Configuration(uri: "mongodb://\(user)127.0.0.1:\(self.port)/?authSource=admin"))
        RunningServers.all.add(self.directory)
    }

    /// The URI of a user; by default of one that may do everything.
    package func uri(username: String = "root", password: String = "root", source: String = "admin") -> String {
        let user = self.kind == .replicaSetWithUsers ? "\(username):\(password)@" : ""
        return "mongodb://\(user)127.0.0.1:\(self.port)/?authSource=\(source)"
    }

    /// Starts it, again after ``stop()``; returns when it can be written to.
    package func start() async throws {
        let options =
            switch self.kind {
            case .standalone: [String]()
            case .replicaSet: ["--replset"]
            case .replicaSetWithUsers: ["--replset", "--auth"]
            }
        try await Self.tool(["start", self.directory, "\(self.port)"] + options)
    }

    /// Stops it; data stays for another ``start()``.
    package func stop() async throws {
        try await Self.tool(["stop", self.directory])
    }

    /// Stops it without ending it: it keeps its connections and answers nothing.
    package func pause() throws {
        try self.signal(SIGSTOP)
    }

    /// Lets it go on after ``pause()``.
    package func resume() throws {
        try self.signal(SIGCONT)
    }

    private func signal(_ number: Int32) throws {
        let text = try String(contentsOfFile: "\(self.directory)/pid", encoding: .utf8)
        guard let pid = pid_t(text.prefix { $0.isNumber }), kill(pid, number) == 0 else {
            throw TestServerError("no process to signal")
        }
    }

    /// Adds documents to a collection.
    package func insert(_ documents: [BSONDocument], into collection: String, of database: String) async throws {
        try await self.pool.run { client throws(MongoError) in
            try client.withCollection(collection, in: database) { collection throws(MongoError) in
                try collection.insert(documents)
            }
        }
    }

    /// Runs a command.
    @discardableResult
    package func command(_ command: BSONDocument, on database: String = "admin") async throws -> BSONDocument {
        try await self.pool.run { client throws(MongoError) in try client.command(command, on: database) }
    }

    /// Counts what matches.
    package func count(_ filter: BSONDocument, in collection: String, of database: String) async throws -> Int {
        try await self.pool.run { client throws(MongoError) in
            try client.withCollection(collection, in: database) { collection throws(MongoError) in
                Int(try collection.count(filter, within: 10000))
            }
        }
    }

    /// The path of a mongod, for a test that starts it in a way of its own.
    package static func program() async throws -> String {
        try await self.tool(["path"]).filter { !$0.isNewline }
    }

    @discardableResult
    private static func tool(_ arguments: [String]) async throws -> String {
        let result = try await run(
            .path(FilePath(Self.toolPath)),
            arguments: Arguments(arguments),
            output: .string(limit: 1 << 12),
            error: .string(limit: 1 << 16)
        )
        guard result.terminationStatus.isSuccess else {
            throw TestServerError("tools/mongod \(arguments[0]): \(result.standardError)")
        }
        return result.standardOutput
    }

    private static let toolPath: String = {
        let parts = #filePath.split(separator: "/").dropLast(4)
        return "/" + parts.joined(separator: "/") + "/tools/mongod"
    }()

    /// A port that nobody listens on.
    package static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard done else { throw TestServerError("no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// A server could not be started.
private struct TestServerError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// One server of each kind for all tests.
private actor SharedServers {
    static let all = SharedServers()
    private var starts: [MongoTestServer.Kind: Task<MongoTestServer, any Error>] = [:]

    func server(_ kind: MongoTestServer.Kind) async throws -> MongoTestServer {
        // Unowned on purpose: it outlives the test that happened to ask first.
        let start = self.starts[kind] ?? Task { try await MongoTestServer.start(kind) }
        self.starts[kind] = start
        return try await start.value
    }
}

/// Ends every server with the test process.
private final class RunningServers: Sendable {
    static let all = RunningServers()
    private let directories = NIOLockedValueBox<[String]>([])

    private init() {
        atexit { RunningServers.all.end() }
    }

    func add(_ directory: String) {
        self.directories.withLockedValue { $0.append(directory) }
    }

    private func end() {
        for directory in self.directories.withLockedValue({ $0 }) {
            if let text = try? String(contentsOfFile: "\(directory)/pid", encoding: .utf8),
                let pid = pid_t(text.prefix { $0.isNumber })
            {
                kill(pid, SIGKILL)
            }
            try? FileManager.default.removeItem(atPath: directory)
        }
    }
}
