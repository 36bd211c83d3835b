import NIOConcurrencyHelpers
import PluginPeers
import PluginProtocol

/// A plugin that speaks the protocol by hand and always counts the same number, so that a test can make it misbehave.
final class PeerPlugin: Sendable {
    let type: String
    private let waiting: Double
    private let answersMeasures = NIOLockedValueBox(true)
    private let peer = NIOLockedValueBox<RawPlugin?>(nil)

    init(_ type: String, waiting: Double) {
        self.type = type
        self.waiting = waiting
    }

    /// From now on readings that are asked for are answered, or not; pings always are.
    func answers(_ answers: Bool) { self.answersMeasures.withLockedValue { $0 = answers } }

    /// Sends bytes that are no frame.
    func send(bytes: [UInt8]) { self.peer.withLockedValue { $0 }?.send(bytes: bytes) }

    /// Dials, registers and serves until the connection ends.
    ///
    /// Dials again for as long as the host is not there or doesn't let it in.
    func serve(_ socket: String) async throws {
        try await eventually("that \(self.type) is let in") {
            guard let peer = try? await RawPlugin.dial(socket) else { return false }
            guard case .registered = try await peer.register(self.type, types: [self.type]) else {
                await peer.close()
                return false
            }
            self.peer.withLockedValue { $0 = peer }
            return true
        }
        guard let peer = self.peer.withLockedValue({ $0 }) else { return }
        while let frame = await peer.next(within: .seconds(120)) {
            switch frame.body {
            case .open:
                try peer.send(Frame(call: frame.call, .opened(OpenedTrigger(target: 1, counts: .untilFinished))))
            case .measure(let measure):
                guard self.answersMeasures.withLockedValue({ $0 }) else { continue }
                let readings = measure.triggers.map {
                    TriggerReading(trigger: $0, outcome: .success(Reading(waiting: self.waiting)))
                }
                try peer.send(Frame(call: frame.call, .measured(readings, more: false)))
            case .ping: try peer.send(Frame(call: frame.call, .pong))
            default: break
            }
        }
        await peer.close()
    }
}
