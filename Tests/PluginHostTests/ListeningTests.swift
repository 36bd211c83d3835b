import PluginHost
import PluginPeers
import PluginProtocol
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct ListeningTests {
    @Test func pathThatIsTooLongIsNamed() async {
        let path = "/tmp/" + String(repeating: "x", count: 110)
        let hub = PluginHub(configuration: HubConfiguration(socketPath: path), logger: .quiet)
        let error = await #expect(throws: PluginHostError.self) { try await hub.run() }
        #expect(error?.code == .pathTooLong)
        #expect(error?.message.contains("115 bytes") == true)
    }

    @Test func fileThatIsNoSocketIsLeftAlone() async {
        let socket = TemporarySocket()
        defer { socket.remove() }
        let path = socket.write("precious", to: "host.sock")
        let hub = PluginHub(configuration: HubConfiguration(socketPath: path), logger: .quiet)
        let error = await #expect(throws: PluginHostError.self) { try await hub.run() }
        #expect(error?.code == .inUse)
        #expect(access(path, F_OK) == 0)
    }

    @Test func secondHostOnTheSamePathIsRefused() async throws {
        try await HubFixture.with { hub in
            let second = PluginHub(configuration: HubConfiguration(socketPath: hub.socket.path), logger: .quiet)
            let error = await #expect(throws: PluginHostError.self) { try await second.run() }
            #expect(error?.code == .inUse)
        }
    }

    @Test func staleSocketIsReplacedAndOnlyTheOwnerMayOpenIt() async throws {
        let socket = TemporarySocket()
        defer { socket.remove() }
        // A bound socket that nobody listens on is what a killed host leaves behind.
        let left = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(left)
        let hub = PluginHub(configuration: HubConfiguration(socketPath: socket.path), logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await hub.run() }
            let deadline = ContinuousClock.now + .seconds(10)
            var peer: RawPlugin?
            while peer == nil, ContinuousClock.now < deadline {
                peer = try? await RawPlugin.dial(socket.path)
            }
            #expect(peer != nil)
            var status = stat()
            #expect(lstat(socket.path, &status) == 0)
            #expect(status.st_mode & 0o077 == 0)
            await peer?.close()
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(access(socket.path, F_OK) != 0)
    }
}
