package import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import PluginProtocol

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Where the plugins meet the host: listens, lets plugins register, and keeps the triggers of the controller open.
///
/// All functions of ``TriggerPlugins`` may be called before ``run()``; what was set is opened when its plugin registers.
package final class PluginHub: TriggerPlugins {
    private let configuration: HubConfiguration
    private let queue = PluginEventQueue()
    private let eventLoop: any EventLoop
    private let loop: HubLoop
    private let logger: Logger
    private let listens = NIOLockedValueBox(false)

    /// One thread for all sockets of a process; it lives as long as the process.
    private static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    package init(configuration: HubConfiguration, logger: Logger = Logger(label: "sluice.plugins")) {
        self.configuration = configuration
        self.logger = logger
        self.eventLoop = Self.eventLoops.next()
        self.loop = HubLoop(
            configuration: configuration,
            events: self.queue,
            eventLoop: self.eventLoop,
            logger: logger
        )
    }

    /// Whether plugins can connect.
    package var isListening: Bool { self.listens.withLockedValue { $0 } }

    package var events: any AsyncSequence<PluginEvent, Never> & Sendable { self.queue }

    package func set(_ trigger: TriggerID, revision: UInt64, to specification: TriggerSpecification) {
        self.update { $0.set(trigger, revision: revision, to: specification, now: .now) }
    }

    package func remove(_ trigger: TriggerID) {
        self.update { $0.remove(trigger, now: .now) }
    }

    package func measure(_ triggers: [TriggerID]) {
        let now = ContinuousClock.now
        self.update { $0.measure(triggers, now: now) }
    }

    package func measure(_ items: [TriggerID: Int]) {
        let now = ContinuousClock.now
        self.update { $0.measure(items.keys.sorted(), items: items, now: now) }
    }

    /// Listens until the task is cancelled; then drains every plugin and ends ``events``.
    ///
    /// - Throws: ``PluginHostError`` when a socket cannot be had.
    package func run() async throws {
        var listening: [(any Channel, ListeningSocket)] = []
        let result: Result<Void, any Error>
        do {
            for socket in self.configuration.sockets {
                let bound = try ListeningSocket(path: socket.path)
                listening.append((try await self.listen(on: bound, identity: socket.plugin), bound))
                self.logger.info("listening for plugins", metadata: ["socket": "\(socket.path)"])
            }
            self.listens.withLockedValue { $0 = true }
            try await withTaskCancellationHandler {
                try await listening.first?.0.closeFuture.get()
            } onCancel: { [channels = listening.map(\.0)] in
                for channel in channels {
                    channel.close(promise: nil)
                }
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        self.listens.withLockedValue { $0 = false }
        for (channel, socket) in listening {
            try? await channel.close()
            socket.removeFile()
        }
        try? await self.eventLoop.submit { self.loop.stop() }.get()
        try result.get()
    }

    private func update(_ change: @escaping @Sendable (inout HubMachine) -> Void) {
        if self.eventLoop.inEventLoop {
            self.loop.update(change)
        } else {
            self.eventLoop.execute { self.loop.update(change) }
        }
    }

    private func listen(on socket: ListeningSocket, identity: String?) async throws -> any Channel {
        let users = self.configuration.allowedUsers.union([getuid()])
        let (loop, logger) = (self.loop, self.logger)
        return try await ServerBootstrap(group: self.eventLoop)
            .serverChannelOption(.backlog, value: 128)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                PeerCredentials.user(of: channel).flatMapThrowing { user in
                    guard users.contains(user) else {
                        logger.warning("a process of another user was turned away", metadata: ["uid": "\(user)"])
                        throw ChannelError.inappropriateOperationForState
                    }
                    guard let connection = loop.makeConnection(identity: identity) else {
                        logger.warning("too many plugin connections")
                        throw ChannelError.inappropriateOperationForState
                    }
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .withBoundSocket(socket.takeDescriptor())
            .get()
    }
}
