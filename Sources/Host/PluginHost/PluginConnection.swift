internal import NIOCore
internal import PluginProtocol

/// The host's end of one connection: bytes in, frames to the hub, and a stop to floods.
///
/// Sendable because it is touched on the hub's event loop only.
final class PluginConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let id: ConnectionID
    private let identity: String?
    private let hub: HubLoop
    private let unsolicitedPerSecond: Int
    private let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder())
    private var unsolicited = 0
    private var windowEnd: ContinuousClock.Instant = .now

    init(id: ConnectionID, identity: String?, hub: HubLoop, unsolicitedPerSecond: Int) {
        self.id = id
        self.identity = identity
        self.hub = hub
        self.unsolicitedPerSecond = unsolicitedPerSecond
    }

    func channelActive(context: ChannelHandlerContext) {
        self.hub.connected(self.id, context.channel, identity: self.identity)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = ContinuousClock.now
        do {
            try self.processor.process(buffer: Self.unwrapInboundIn(data)) { frame in
                self.count(frame)
                self.hub.received(frame, from: self.id, now: now)
            }
        } catch {
            self.hub.ended(self.id, .protocolViolation("\(error)"))
        }
        self.pauseIfFlooded(context.channel, now: now)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.hub.ended(self.id, .connectionLost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.hub.ended(self.id, .connectionLost)
    }

    private func count(_ frame: Frame) {
        switch frame.body {
        case .changed, .ping, .unknown, .pong, .drain: self.unsolicited += 1
        default: break
        }
    }

    /// Leaves the rest in the socket until the second is over; the plugin then cannot send, and others get their turn.
    private func pauseIfFlooded(_ channel: any Channel, now: ContinuousClock.Instant) {
        if now >= self.windowEnd {
            self.windowEnd = now + .seconds(1)
            self.unsolicited = 0
        }
        guard self.unsolicited > self.unsolicitedPerSecond else { return }
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        channel.eventLoop.scheduleTask(in: TimeAmount(now.duration(to: self.windowEnd))) {
            self.unsolicited = 0
            try? channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
