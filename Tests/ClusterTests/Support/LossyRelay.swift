import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A relay in front of an HTTP server that swallows every so many answers, after the server has given them.
///
/// Each connection carries one exchange, so that it can be told where an answer ends. Streams of watches are let through, as
/// late as the test wants.
final class LossyRelay: Sendable {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private struct Counts {
        var exchanges = 0
        var lost = 0
        var lostWrites = 0
    }

    /// Requests of this host are small.
    private static let largestRequest = 4 << 20

    private let server: NIOAsyncChannel<Connection, Never>
    private let upstream: Int
    private let period: Int?
    private let watchDelay: Duration
    private let cutOff = NIOLockedValueBox<String?>(nil)
    private let counts = NIOLockedValueBox(Counts())

    /// Listens at a free port; the server behind it is at the port `upstream`.
    init(to upstream: Int, losingEvery period: Int? = nil, watchDelay: Duration = .zero) async throws {
        self.upstream = upstream
        self.watchDelay = watchDelay
        self.period = period
        self.server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
    }

    var port: Int { self.server.channel.localAddress?.port ?? 0 }
    /// Answers swallowed so far.
    var lost: Int { self.counts.withLockedValue { $0.lost } }
    /// Those of requests that changed something.
    var lostWrites: Int { self.counts.withLockedValue { $0.lostWrites } }

    /// From now on requests for paths that contain this get no answer and do not arrive.
    func cutOff(_ path: String) { self.cutOff.withLockedValue { $0 = path } }

    /// Relays until the task is cancelled.
    func run() async throws {
        try await self.server.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients {
                    // A connection that breaks is between the two ends.
                    group.addTask { try? await self.exchange(client) }
                }
            }
        }
    }

    private func exchange(_ client: Connection) async throws {
        try await client.executeThenClose { inbound, outbound in
            var request = RequestBytes()
            for try await part in inbound {
                request.append(part)
                if request.isComplete || request.count > Self.largestRequest { break }
            }
            guard request.isComplete else { return }
            if let path = self.cutOff.withLockedValue({ $0 }), request.line.contains(path) { return }
            let isLost = self.isLost(request)
            let server = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: self.upstream) { channel in
                    channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
                }
            try await server.executeThenClose { answers, requests in
                try await requests.write(request.asLastOfConnection)
                if request.isWatch, self.watchDelay > .zero {
                    try await self.passLate(answers, outbound)
                } else {
                    for try await part in answers where !isLost { try await outbound.write(part) }
                }
            }
        }
    }

    /// Passes everything on some time after it came.
    private func passLate(
        _ answers: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        let (late, queue) = AsyncStream.makeStream(of: (part: ByteBuffer, at: ContinuousClock.Instant).self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { queue.finish() }
                for try await part in answers { queue.yield((part, ContinuousClock.now + self.watchDelay)) }
            }
            for await (part, at) in late {
                try await Task.sleep(until: at)
                try await outbound.write(part)
            }
            try await group.waitForAll()
        }
    }

    private func isLost(_ request: RequestBytes) -> Bool {
        guard let period, !request.isWatch else { return false }
        return self.counts.withLockedValue { counts in
            counts.exchanges += 1
            guard counts.exchanges.isMultiple(of: period) else { return false }
            counts.lost += 1
            if request.changesSomething { counts.lostWrites += 1 }
            return true
        }
    }
}

/// One request as it came over the line.
private struct RequestBytes {
    private var bytes: [UInt8] = []
    private var head: String?
    private var bodyStart = 0
    private var bodyLength = 0

    var count: Int { self.bytes.count }
    var isComplete: Bool { self.head != nil && self.bytes.count >= self.bodyStart + self.bodyLength }
    /// The first one.
    var line: Substring { (self.head ?? "").prefix { $0 != "\r\n" } }
    var isWatch: Bool { self.line.contains("watch=true") }
    var changesSomething: Bool { self.head.map { !$0.hasPrefix("GET ") && !$0.contains("dryRun=All") } ?? false }

    mutating func append(_ part: ByteBuffer) {
        self.bytes += part.readableBytesView
        guard self.head == nil, let end = self.bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        let head = String(decoding: self.bytes[..<end.lowerBound], as: UTF8.self)
        self.head = head
        self.bodyStart = end.upperBound
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
            self.bodyLength = Int(line.drop { $0 != ":" }.filter(\.isNumber)) ?? 0
        }
    }

    /// The server closes the connection after its answer, which shows the answer's end.
    var asLastOfConnection: ByteBuffer {
        let lines = (self.head ?? "").split(separator: "\r\n").filter { !$0.lowercased().hasPrefix("connection:") }
        var buffer = ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\nConnection: close\r\n\r\n")
        buffer.writeBytes(self.bytes[self.bodyStart...])
        return buffer
    }
}
