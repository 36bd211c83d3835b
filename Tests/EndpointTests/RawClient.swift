import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

/// A connection on which a test writes whatever bytes it likes.
final class RawClient: Sendable {
    private let channel: any Channel
    private let received: AsyncStream<[UInt8]>
    private let text = NIOLockedValueBox("")

    /// Connects; over TLS where a certificate to trust is named.
    init(port: Int, trusting certificate: String? = nil) async throws {
        let (received, queue) = AsyncStream.makeStream(of: [UInt8].self)
        self.received = received
        var context: NIOSSLContext?
        if let certificate {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .file(certificate)
            context = try NIOSSLContext(configuration: configuration)
        }
        let tls = context
        self.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(Receiver(queue: queue))
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
    }

    func send(_ text: String) async throws {
        try await self.channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// All that came, as soon as it contains the text; or as it is when the connection ends or time is up.
    func receive(until part: String) async -> String {
        for await bytes in self.received {
            let all = self.text.withLockedValue { text in
                text += String(decoding: bytes, as: UTF8.self)
                return text
            }
            if all.contains(part) { return all }
        }
        return self.text.withLockedValue { $0 } + "(closed)"
    }

    /// All that came until the server closed.
    func receiveToTheEnd() async -> String { await self.receive(until: "\0never\0") }

    func close() async throws {
        try? await self.channel.close()
    }

    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let queue: AsyncStream<[UInt8]>.Continuation

        init(queue: AsyncStream<[UInt8]>.Continuation) {
            self.queue = queue
        }

        func handlerAdded(context: ChannelHandlerContext) {
            // A test that waits in vain ends as well.
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .seconds(30)) { bound.value.close(promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.queue.yield(Array(Self.unwrapInboundIn(data).readableBytesView))
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.queue.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
