internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
package import PluginProtocol

/// A peer that says exactly what a test wants, right or wrong, over a real socket.
package final class RawPlugin: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    private init(_ channel: any Channel, _ inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    /// Dials the host; with `reads` false it never reads what the host says.
    package static func dial(_ path: String, reads: Bool = true) async throws -> RawPlugin {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(inbox))
                }
            }
            .connect(unixDomainSocketPath: path)
            .get()
        return RawPlugin(channel, inbox)
    }

    package func send(_ frame: Frame) throws {
        var buffer = ByteBuffer()
        try FrameCodec().encode(frame, into: &buffer)
        self.channel.writeAndFlush(buffer, promise: nil)
    }

    package func send(bytes: [UInt8]) {
        self.channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Registers one trigger type; returns the host's answer.
    package func register(
        _ name: String,
        types: [String],
        versions: [UInt32] = ProtocolLimits.versions
    ) async throws -> Frame.Body? {
        let register = Frame.Register(
            name: name,
            version: "0",
            protocolVersions: versions,
            triggerTypes: types.map { type in
                TriggerTypeDeclaration(type: type, help: "", parameters: [], capabilities: .init(push: true))
            }
        )
        try self.send(Frame(.register(register)))
        return await self.next()?.body
    }

    /// Whether the host answers a ping; whatever it says before that is passed over.
    package func isAnswered(ping call: UInt64) async throws -> Bool {
        try self.send(Frame(call: call, .ping))
        while let frame = await self.next() {
            if frame == Frame(call: call, .pong) { return true }
        }
        return false
    }

    /// The next frame; nil when the connection ended, or when none came in time.
    package func next(within timeout: Duration = .seconds(20)) async -> Frame? {
        await self.inbox.next(within: timeout)
    }

    /// Whether the host closed the connection in time.
    package func isClosed(within timeout: Duration = .seconds(20)) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                (try? await self.channel.closeFuture.get()) != nil
            }
            group.addTask {
                try? await Task.sleep(for: timeout)
                self.channel.close(promise: nil)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    package func close() async {
        try? await self.channel.close()
    }

    private final class Inbox: Sendable {
        private let frames: AsyncStream<Frame>
        private let continuation: AsyncStream<Frame>.Continuation

        init() {
            (self.frames, self.continuation) = AsyncStream.makeStream()
        }

        func put(_ frame: Frame) { self.continuation.yield(frame) }
        func end() { self.continuation.finish() }

        func next(within timeout: Duration) async -> Frame? {
            await withTaskGroup(of: Frame?.self) { group in
                group.addTask {
                    var iterator = self.frames.makeAsyncIterator()
                    return await iterator.next()
                }
                group.addTask {
                    try? await Task.sleep(for: timeout)
                    return nil
                }
                defer { group.cancelAll() }
                return await group.next() ?? nil
            }
        }
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let inbox: Inbox
        private let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder())

        init(_ inbox: Inbox) {
            self.inbox = inbox
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            do {
                try self.processor.process(buffer: Self.unwrapInboundIn(data)) { self.inbox.put($0) }
            } catch {
                context.close(promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.inbox.end()
        }
    }
}
