package import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import ServiceLifecycle

/// A small HTTP/1.1 server: whole requests in, whole answers out, everything bounded.
///
/// A graceful shutdown stops listening, closes connections that wait, and lets answers that are being made go out.
package final class EndpointServer: Sendable {
    private let name: String
    private let address: BindAddress
    private let limits: EndpointLimits
    private let certificate: ServerCertificate?
    private let logger: Logger
    private let answer: @Sendable (EndpointRequest) async -> EndpointAnswer
    private let bound = NIOLockedValueBox<BindAddress?>(nil)

    /// One thread for all servers of a process; it lives as long as the process.
    private static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Serves what `answer` makes; with a certificate over TLS only.
    package init(
        _ name: String,
        at address: BindAddress,
        limits: EndpointLimits = EndpointLimits(),
        certificate: ServerCertificate? = nil,
        logger: Logger,
        answer: @escaping @Sendable (EndpointRequest) async -> EndpointAnswer
    ) {
        self.name = name
        self.address = address
        self.limits = limits
        self.certificate = certificate
        self.logger = logger
        self.answer = answer
    }

    /// Where it listens, with the port that the system chose; nil before and after.
    package var listensAt: BindAddress? { self.bound.withLockedValue { $0 } }

    /// Serves until the task is cancelled or a graceful shutdown begins.
    ///
    /// - Throws: ``EndpointError`` when the address cannot be had.
    package func run() async throws {
        // Bounded by the connections: each has one request at a time.
        let (requests, queue) = AsyncStream.makeStream(of: Exchange.self)
        let connections = ConnectionTable(limits: self.limits) { queue.finish() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            let listener = try await self.listen(connections, queue)
            guard connections.listens(listener) else {
                try? await listener.close()
                return
            }
            let place = BindAddress(host: self.address.host, port: listener.localAddress?.port ?? self.address.port)
            self.bound.withLockedValue { $0 = place }
            self.logger.info("listening", metadata: ["for": "\(self.name)", "address": "\(place)"])
            await withDiscardingTaskGroup { group in
                if let certificate = self.certificate { group.addTask { await certificate.run() } }
                for await exchange in requests {
                    group.addTask { exchange.reply(await self.answer(exchange.request)) }
                }
                group.cancelAll()
            }
            self.bound.withLockedValue { $0 = nil }
        } onCancelOrGracefulShutdown: {
            connections.drain()
        }
    }

    private func listen(
        _ connections: ConnectionTable,
        _ queue: AsyncStream<Exchange>.Continuation
    ) async throws -> any Channel {
        let (limits, certificate) = (self.limits, self.certificate)
        let bootstrap = ServerBootstrap(group: Self.eventLoops)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard connections.add(channel) else { throw ChannelError.inappropriateOperationForState }
                    channel.closeFuture.whenComplete { _ in connections.remove(channel) }
                    let pipeline = channel.pipeline.syncOperations
                    if let certificate {
                        guard let context = certificate.context else {
                            throw ChannelError.inappropriateOperationForState
                        }
                        try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
                    try pipeline.addHandler(
                        EndpointConnection(limits: limits, connections: connections, requests: queue)
                    )
                }
            }
        do {
            guard self.address.host.isEmpty else {
                return try await bootstrap.bind(host: self.address.host, port: self.address.port).get()
            }
            do {
                // Serves IPv4 as well.
                return try await bootstrap.bind(host: "::", port: self.address.port).get()
            } catch let error as IOError where error.errnoCode != EADDRINUSE && error.errnoCode != EACCES {
                return try await bootstrap.bind(host: "0.0.0.0", port: self.address.port).get()
            }
        } catch {
            throw EndpointError("cannot listen for \(self.name) at \(self.address): \(Self.reason(error))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: "the address is in use; choose another, or 0 for none"
        case EACCES: "ports under 1024 need a privilege; choose a higher one"
        case EADDRNOTAVAIL: "this machine does not have the address"
        case let code?: String(cString: strerror(code))
        case nil: "\(error)"
        }
    }
}

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif
