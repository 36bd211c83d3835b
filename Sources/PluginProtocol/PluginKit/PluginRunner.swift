public import Logging
internal import NIOCore
internal import NIOPosix
internal import Pace
internal import PluginProtocol
internal import UnixSignals

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Runs a plugin: connects to the host, registers, serves its calls, and connects again for ever.
///
/// The plugin's functions run on the thread of the connection unless they go elsewhere themselves, so they must not block
/// it. A call that takes longer than the host waits is cancelled.
public struct PluginRunner: Sendable {
    private let plugin: any Plugin
    private let configuration: PluginConfiguration
    private let logger: Logger
    private let stop = StopRequest()

    /// One thread for all connections of a process; it lives as long as the process.
    static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// A session that lasted this long was healthy: the next attempt comes quickly.
    private static let healthyAfter: Duration = .seconds(5)

    /// Creates a runner; nothing happens before ``run()``.
    public init(
        plugin: any Plugin,
        configuration: PluginConfiguration = .fromEnvironment(),
        logger: Logger = Logger(label: "sluice.plugin")
    ) {
        self.plugin = plugin
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: "plugin"] = "\(plugin.name)"
        self.logger = logger
    }

    /// Runs until SIGTERM, SIGINT, ``drain()`` or the cancellation of the task.
    ///
    /// The first three finish the calls under way; cancellation does not.
    ///
    /// - Throws: When the path of the socket cannot be one.
    public func run() async throws {
        guard self.configuration.socketPath.utf8.count <= ProtocolLimits.socketPathBytes else {
            throw PluginFailure(
                .invalidParameter,
                "the path of the host's socket is longer than \(ProtocolLimits.socketPathBytes) bytes",
                parameter: ProtocolLimits.socketPathVariable
            )
        }
        let signals =
            self.configuration.handlesSignals ? await UnixSignalsSequence(trapping: .sigterm, .sigint) : nil
        let watch = self.configuration.parent.map { self.watch($0, on: Self.eventLoops.next()) }
        defer { watch?.cancel() }
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await self.serve()
                return true
            }
            if let signals {
                group.addTask {
                    for await _ in signals {
                        self.stop.make()
                    }
                    return false
                }
            }
            while let isServed = await group.next(), !isServed {}
            group.cancelAll()
        }
    }

    /// Makes ``run()`` finish the calls under way and return; may be called from anywhere.
    public func drain() {
        self.stop.make()
    }

    private func serve() async {
        let eventLoop = Self.eventLoops.next()
        let handles = HandleCounter()
        var connecting = Backoff(base: .milliseconds(50), cap: self.configuration.longestConnectPause)
        var refused = Backoff(base: .milliseconds(100), cap: self.configuration.longestRefusedPause)
        var isLossReported = false
        while !self.stop.isMade, !Task.isCancelled {
            let connection = HostConnection(
                plugin: self.plugin,
                configuration: self.configuration,
                handles: handles,
                eventLoop: eventLoop,
                logger: self.logger
            )
            let isConnected = await self.connect(connection, on: eventLoop)
            let (reason, registeredAt) = await self.end(of: connection)
            await self.settle(connection, on: eventLoop)
            if registeredAt != nil {
                isLossReported = false
            }
            if reason != .drained, !isLossReported {
                isLossReported = true
                self.logger.info(
                    isConnected ? "the session with the host ended" : "the host cannot be reached yet",
                    metadata: ["reason": "\(reason)", "socket": "\(self.configuration.socketPath)"]
                )
            }
            let pause: Duration
            if let registeredAt, registeredAt.duration(to: .now) >= Self.healthyAfter {
                connecting.reset()
                refused.reset()
                pause = connecting.next()
            } else {
                pause = isConnected ? refused.next() : connecting.next()
            }
            await self.pause(pause, on: eventLoop)
        }
    }

    private func connect(_ connection: HostConnection, on eventLoop: any EventLoop) async -> Bool {
        do {
            _ = try await ClientBootstrap(group: eventLoop)
                .connectTimeout(.seconds(5))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(connection)
                    }
                }
                .connect(unixDomainSocketPath: self.configuration.socketPath)
                .get()
            return true
        } catch {
            connection.failedToConnect()
            return false
        }
    }

    private func end(
        of connection: HostConnection
    ) async -> (SessionEnd, registeredAt: ContinuousClock.Instant?) {
        self.stop.react { connection.drain(reason: "the plugin is shutting down") }
        defer { self.stop.react(nil) }
        return await withTaskCancellationHandler {
            // The promise never fails; a lost connection is as good an answer as any.
            (try? await connection.ended.futureResult.get()) ?? (.connectionLost, nil)
        } onCancel: {
            connection.abandon()
        }
    }

    /// Waits until the calls that were under way are over and the triggers closed, but not for ever.
    private func settle(_ connection: HostConnection, on eventLoop: any EventLoop) async {
        let patience = eventLoop.scheduleTask(in: .seconds(5)) {
            connection.settled.succeed()
        }
        try? await connection.settled.futureResult.get()
        patience.cancel()
    }

    private func pause(_ duration: Duration, on eventLoop: any EventLoop) async {
        guard !self.stop.isMade else { return }
        let scheduled = eventLoop.scheduleTask(in: TimeAmount(duration)) {}
        self.stop.react { scheduled.cancel() }
        defer { self.stop.react(nil) }
        await withTaskCancellationHandler {
            try? await scheduled.futureResult.get()
        } onCancel: {
            scheduled.cancel()
        }
    }

    /// Stops the plugin when the process that started it is gone.
    private func watch(_ parent: Int32, on eventLoop: any EventLoop) -> RepeatedTask {
        eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .seconds(1)) { task in
            guard getppid() != parent else { return }
            self.logger.notice("the process that started the plugin is gone")
            task.cancel()
            self.stop.make()
        }
    }
}
