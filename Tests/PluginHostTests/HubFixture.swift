import Logging
import PluginHost
import PluginKit
import PluginPeers
import PluginProtocol
import Subprocess
import SystemPackage

/// A hub on a socket of its own, with timeouts that suit tests.
struct HubFixture: Sendable {
    let socket: TemporarySocket
    let hub: PluginHub
    let events: EventProbe

    static func with(
        _ adjust: (inout HubConfiguration) -> Void = { _ in },
        _ body: @Sendable (HubFixture) async throws -> Void
    ) async throws {
        let socket = TemporarySocket()
        defer { socket.remove() }
        try await Self.with(socket, adjust, body)
    }

    /// A hub on this socket.
    static func with(
        _ socket: TemporarySocket,
        _ adjust: (inout HubConfiguration) -> Void = { _ in },
        _ body: @Sendable (HubFixture) async throws -> Void
    ) async throws {
        var configuration = HubConfiguration(socketPath: socket.path)
        adjust(&configuration)
        let hub = PluginHub(configuration: configuration, logger: .quiet)
        let fixture = HubFixture(socket: socket, hub: hub, events: EventProbe())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await hub.run() }
            group.addTask { await fixture.events.collect(hub.events) }
            try await fixture.listening()
            try await body(fixture)
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    /// Waits until the hub lets somebody in.
    private func listening() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if let peer = try? await RawPlugin.dial(self.socket.path) {
                return await peer.close()
            }
            await Task.yield()
        }
        throw PluginHostError(.cannotListen, "the hub did not come up")
    }

    func trigger(_ name: String) -> TriggerID { TriggerID(owner: name, index: 0) }

    func specification(_ type: String, _ parameters: [String: String] = [:]) -> TriggerSpecification {
        TriggerSpecification(type: type, scaledJob: "tests/job", parameters: parameters)
    }

    /// Sets a trigger and waits until it is open.
    func open(_ id: TriggerID, _ type: String, _ parameters: [String: String] = [:]) async -> Bool {
        let mark = self.events.mark
        self.hub.set(id, revision: 1, to: self.specification(type, parameters))
        return await self.events.first(after: mark) { $0.isOpened(id) } != nil
    }

    /// Measures once and waits for what comes of it.
    func measure(_ id: TriggerID) async -> PluginEvent? {
        let mark = self.events.mark
        self.hub.measure([id])
        return await self.events.first(after: mark) { $0.waiting(of: id) != nil || $0.unknown(of: id) != nil }
    }

    /// Runs a plugin of this process while the body runs.
    func with(_ plugin: any Plugin, _ body: () async throws -> Void) async throws {
        var configuration = PluginConfiguration(socketPath: self.socket.path)
        configuration.handlesSignals = false
        let runner = PluginRunner(plugin: plugin, configuration: configuration, logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runner.run() }
            try await body()
            runner.drain()
            try await group.waitForAll()
        }
    }

    /// Runs the scripted plugin as a process of its own while the body runs.
    func withScriptedPlugin(_ body: (ProcessIdentifier) async throws -> Void) async throws {
        try await runScriptedPlugin(on: self.socket, body)
    }
}

/// Runs the scripted plugin as a process of its own while the body runs.
func runScriptedPlugin(on socket: TemporarySocket, _ body: (ProcessIdentifier) async throws -> Void) async throws {
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
    _ = try await Subprocess.run(
        .path(FilePath(builtExecutable("ScriptedPlugin"))),
        environment: .inherit.updating(["SLUICE_HOST_SOCKET": socket.path, "SLUICE_LOG_LEVEL": "error"]),
        platformOptions: options,
        input: .none,
        output: .discarded,
        error: .currentStandardError
    ) { execution in
        try await body(execution.processIdentifier)
        await execution.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))])
    }
}

extension Logger {
    static var quiet: Logger {
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        return logger
    }
}
