import Kubernetes
import NIOConcurrencyHelpers
import PluginPeers

/// Several hosts of which one leads; whichever ends is started again, as a Deployment would.
final class HostCrew: Sendable {
    private struct State {
        var hosts: [ChildProcess] = []
        var ends = 0
    }

    private let fixture: HostFixture
    private let flags: @Sendable (Int) -> [String]
    private let leaseDuration: Int
    private let replaces: Bool
    private let sockets: [TemporarySocket]
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - fixture: where they work; the Lease is in its namespace.
    ///   - size: how many there are.
    ///   - leaseDuration: in seconds.
    ///   - replaces: whether those that end are started again.
    ///   - flags: what else each is told, by its number.
    init(
        _ fixture: HostFixture,
        size: Int = 2,
        leaseDuration: Int = 5,
        replaces: Bool = true,
        flags: @escaping @Sendable (Int) -> [String] = { _ in [] }
    ) {
        self.fixture = fixture
        self.leaseDuration = leaseDuration
        self.replaces = replaces
        self.flags = flags
        self.sockets = (0..<size).map { _ in TemporarySocket() }
    }

    /// Starts them, the first of which leads, and lets the body run; none is left afterwards.
    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        defer { for socket in self.sockets { socket.remove() } }
        for index in self.sockets.indices {
            let host = try self.start(index)
            self.state.withLockedValue { $0.hosts.append(host) }
            let word = index == 0 ? "leads" : "waits for its turn"
            try await eventually("host \(index) \(word)", otherwise: { host.log }) { host.log.contains(word) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            if self.replaces { group.addTask { try await self.replaceThoseThatEnd() } }
            group.addTask { try await body() }
            try await group.firstToEnd()
        }
        for host in self.hosts where !host.hasEnded { try await host.kill() }
    }

    /// How many have ended and been replaced.
    var ends: Int { self.state.withLockedValue { $0.ends } }

    var hosts: [ChildProcess] { self.state.withLockedValue { $0.hosts } }

    /// The name that the Lease gives, before its mark; nil while nobody has it.
    func leader() async throws -> Int? {
        let lease = try await self.fixture.get(.leases, "operator.keda.sh")
        let holder = lease[path: "spec", "holderIdentity"]?.stringValue ?? ""
        return holder.split(separator: "_").first.flatMap { $0.split(separator: "-").last }.flatMap { Int($0) }
    }

    private func replaceThoseThatEnd() async throws {
        while true {
            for (index, host) in self.hosts.enumerated() where host.hasEnded {
                let next = try self.start(index)
                self.state.withLockedValue { state in
                    state.hosts[index] = next
                    state.ends += 1
                }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func start(_ index: Int) throws -> ChildProcess {
        try self.fixture.startHost(
            [
                "--leader-elect", "--lease-namespace", self.fixture.namespace, "--lease-duration",
                "\(self.leaseDuration)", "--socket", self.sockets[index].path,
            ] + self.flags(index),
            environment: ["POD_NAME": "host-\(index)"],
            log: "host-\(index).log"
        )
    }
}
