internal import NIOCore
internal import NIOHTTP1

/// A request that waits for its answer.
struct Exchange: Sendable {
    let request: EndpointRequest
    let reply: @Sendable (EndpointAnswer) -> Void
}

/// One connection: gathers a request within its bounds, hands it on, writes the answer.
///
/// Everything happens on the connection's event loop. One request at a time: the pipeline holds the next one back.
final class EndpointConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        case receiving(HTTPRequestHead, [UInt8])
        case answering(HTTPRequestHead)
        /// The answer is on its way; what already came of the next request is held.
        case writing([HTTPServerRequestPart])
        /// Refused; what else comes is not read.
        case refused
    }

    private let limits: EndpointLimits
    private let connections: ConnectionTable
    private let requests: AsyncStream<Exchange>.Continuation
    private var state = State.waiting
    private var deadline: Scheduled<Void>?

    init(limits: EndpointLimits, connections: ConnectionTable, requests: AsyncStream<Exchange>.Continuation) {
        self.limits = limits
        self.connections = connections
        self.requests = requests
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.closes(in: self.limits.request, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.deadline?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.deadline?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A parser's error has been answered; any other ends the connection as well.
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.take(Self.unwrapInboundIn(data), context)
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch (part, self.state) {
        case (.head(let head), .waiting): self.begin(head, context)
        case (.body(let bytes), .receiving(let head, var body)):
            // Emptied first, so that the body is not copied for each part.
            self.state = .waiting
            guard body.count + bytes.readableBytes <= self.limits.body else { return self.refuse(413, head, context) }
            body.append(contentsOf: bytes.readableBytesView)
            self.state = .receiving(head, body)
        case (.end, .receiving(let head, let body)): self.ask(head, body, context)
        // A read or two at most: the pipeline reads on only when the answer is out.
        case (_, .writing(let held)): self.state = .writing(held + [part])
        default: break
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        self.closes(in: self.limits.request, context)
        if let length = head.headers.first(name: "Content-Length").flatMap(Int.init), length > self.limits.body {
            return self.refuse(413, head, context)
        }
        if head.headers[canonicalForm: "Expect"].contains(where: { $0.lowercased() == "100-continue" }) {
            let proceed = HTTPResponseHead(version: head.version, status: .continue)
            context.writeAndFlush(Self.wrapOutboundOut(.head(proceed)), promise: nil)
        }
        self.state = .receiving(head, [])
    }

    private func ask(_ head: HTTPRequestHead, _ body: [UInt8], _ context: ChannelHandlerContext) {
        self.state = .answering(head)
        self.connections.isBusy(context.channel)
        self.closes(in: self.limits.answer, context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let path = head.uri.prefix { $0 != "?" && $0 != "#" }
        let request = EndpointRequest(method: head.method.rawValue, path: String(path), body: body)
        self.requests.yield(
            Exchange(request: request) { answer in
                eventLoop.execute {
                    let (connection, context) = bound.value
                    connection.write(answer, context)
                }
            }
        )
    }

    private func write(_ answer: EndpointAnswer, _ context: ChannelHandlerContext) {
        // Too late: the connection was closed meanwhile.
        guard case .answering(let head) = self.state, context.channel.isActive else { return }
        let isKept = head.isKeepAlive && !self.connections.isDraining
        self.state = .writing([])
        self.closes(in: self.limits.answer, context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.send(answer, to: head, isLast: !isKept, context).whenComplete { result in
            let (connection, context) = bound.value
            guard isKept, case .success = result, connection.connections.isWaiting(context.channel) else {
                return context.close(promise: nil)
            }
            connection.rest(context)
        }
    }

    /// Waits for the next request, or goes on with it.
    private func rest(_ context: ChannelHandlerContext) {
        guard case .writing(let held) = self.state else { return }
        self.state = .waiting
        self.closes(in: self.limits.idle, context)
        for part in held { self.take(part, context) }
    }

    /// Answers before the request has ended, and leaves the client a moment to read that.
    private func refuse(_ status: Int, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        self.state = .refused
        self.closes(in: Swift.min(self.limits.request, .seconds(2)), context)
        let limit = self.limits.body
        let answer = EndpointAnswer.text("a request's body may have at most \(limit) bytes", status: status)
        _ = self.send(answer, to: head, isLast: true, context)
    }

    private func send(
        _ answer: EndpointAnswer,
        to request: HTTPRequestHead,
        isLast: Bool,
        _ context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        var headers = HTTPHeaders([
            ("Content-Type", answer.contentType), ("Content-Length", "\(answer.body.count)"),
        ])
        if isLast {
            headers.add(name: "Connection", value: "close")
        } else if request.version == .http1_0 {
            headers.add(name: "Connection", value: "keep-alive")
        }
        let head = HTTPResponseHead(
            version: request.version,
            status: HTTPResponseStatus(statusCode: answer.status),
            headers: headers
        )
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD, !answer.body.isEmpty {
            let bytes = context.channel.allocator.buffer(bytes: answer.body)
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        }
        return context.writeAndFlush(Self.wrapOutboundOut(.end(nil)))
    }

    private func closes(in time: Duration, _ context: ChannelHandlerContext) {
        self.deadline?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        self.deadline = context.eventLoop.scheduleTask(in: TimeAmount(time)) { bound.value.close(promise: nil) }
    }
}
