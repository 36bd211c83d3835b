internal import CCurl

/// One request on its way: owns an easy handle and gathers what comes back.
///
/// Created, used and released on the engine's thread only; libcurl's callbacks run there too, inside `perform`.
final class Transfer {
    enum Receiver {
        case answer(CheckedContinuation<Result<HTTPAnswer, TransferFailure>, Never>)
        case streaming(CheckedContinuation<Result<HTTPStreaming, TransferFailure>, Never>)
    }

    let id: UInt64
    let handle: EasyHandle
    /// Whoever waits for the answer or for its head; nil once resumed.
    var receiver: Receiver?

    private let limits: HTTPLimits
    private let deadline: ContinuousClock.Instant
    private let fence: (@Sendable () -> ContinuousClock.Instant)?
    /// How often it was about to be sent: again where a connection turned out to be dead.
    private var attempts = 0
    /// Why it was not sent, or not again.
    private var refusalToSend: TransferFailure?
    private var answer = HTTPAnswer()
    private var headIsComplete = false
    private var splitter: LineSplitter
    private var lines: [[UInt8]] = []
    /// Weak, so that a reader that lets go closes the stream.
    private weak var stream: LineStream?
    /// Why the callback refused more bytes.
    private var refusal: String?
    private let arrivals: Arrivals

    init(
        id: UInt64,
        handle: EasyHandle,
        receiver: Receiver,
        limits: HTTPLimits,
        deadline: ContinuousClock.Instant,
        fence: (@Sendable () -> ContinuousClock.Instant)?,
        arrivals: Arrivals
    ) {
        self.id = id
        self.handle = handle
        self.receiver = receiver
        self.limits = limits
        self.deadline = deadline
        self.fence = fence
        self.arrivals = arrivals
        self.splitter = LineSplitter(limit: limits.lineBytes)
    }

    private var isStreaming: Bool {
        if case .streaming = self.receiver { return true }
        return self.stream != nil
    }

    /// The streams for which something arrived during one `perform`.
    final class Arrivals {
        var ids: Set<UInt64> = []
    }

    // MARK: Called by libcurl

    /// Whether the request may leave now: the last look before it does.
    func mayBeSent() -> Bool {
        self.refusalToSend = self.lateness(at: .now)
        if self.refusalToSend == nil { self.attempts += 1 }
        return self.refusalToSend == nil
    }

    /// Takes one header line.
    func receivedHeader(_ bytes: Span<UInt8>) {
        if bytes.count >= 9, bytes[0] == UInt8(ascii: "H"), bytes[4] == UInt8(ascii: "/") {
            // Another status line: what came before was an interim answer or a proxy's.
            self.headIsComplete = false
            self.answer = HTTPAnswer()
            self.answer.status = Self.status(bytes)
        } else if bytes.count <= 2 {
            self.headIsComplete = self.answer.status >= 200
            if self.isStreaming { self.arrivals.ids.insert(self.id) }
        } else if let value = Self.value(of: "retry-after", in: bytes), value <= 3600 {
            self.answer.retryAfter = .seconds(value)
        } else if !self.isStreaming, let length = Self.value(of: "content-length", in: bytes),
            length <= self.limits.answerBytes
        {
            self.answer.body.reserveCapacity(length)
        }
    }

    /// Takes bytes of the body; false stops the transfer.
    func receivedBody(_ bytes: Span<UInt8>) -> Bool {
        guard self.isStreaming, self.answer.status / 100 == 2 else {
            guard self.answer.body.count + bytes.count <= self.limits.answerBytes else {
                self.refusal = "the answer is larger than \(self.limits.answerBytes) bytes"
                return false
            }
            unsafe bytes.withUnsafeBufferPointer { unsafe self.answer.body.append(contentsOf: $0) }
            return true
        }
        self.arrivals.ids.insert(self.id)
        do {
            try self.splitter.append(bytes, to: &self.lines)
            return true
        } catch {
            self.refusal = "a line of the answer is longer than \(self.limits.lineBytes) bytes"
            return false
        }
    }

    // MARK: Called by the engine

    /// When it is given up; for a stream, unless its head has come.
    var end: ContinuousClock.Instant { self.fence.map { Swift.min($0(), self.deadline) } ?? self.deadline }

    /// Why it is given up at this moment; nil when it is in time.
    func lateness(at now: ContinuousClock.Instant) -> TransferFailure? {
        if let fence = self.fence?(), fence <= now { return .fenced(mayHaveBeenSent: self.attempts > 0) }
        return self.deadline <= now ? .late(mayHaveBeenSent: self.attempts > 0) : nil
    }

    /// Hands over the head and the lines that have arrived.
    ///
    /// False when nobody reads any more.
    func flush(close: @escaping @Sendable () -> Void) -> Bool {
        guard self.isStreaming, self.headIsComplete, self.answer.status / 100 == 2 else { return true }
        if case .streaming(let continuation) = self.receiver {
            self.receiver = nil
            let stream = LineStream(limit: self.limits.bufferedBytes, close: close)
            self.stream = stream
            defer { continuation.resume(returning: .success(.lines(stream))) }
            return self.deliver(to: stream)
        }
        guard let stream else { return false }
        return self.deliver(to: stream)
    }

    private func deliver(to stream: LineStream) -> Bool {
        guard !self.lines.isEmpty else { return true }
        defer { self.lines = [] }
        return stream.deliver(self.lines)
    }

    /// Tells whoever waits how it ended.
    ///
    /// Later calls change nothing.
    func finish(_ failure: TransferFailure?) {
        let failure = failure.map { failure in
            if let refusalToSend { return refusalToSend }
            guard let refusal else { return failure }
            return TransferFailure(reason: .malformed, message: refusal, mayHaveBeenSent: true)
        }
        switch self.receiver {
        case .answer(let continuation):
            self.receiver = nil
            continuation.resume(returning: failure.map { .failure($0) } ?? .success(self.answer))
        case .streaming(let continuation):
            self.receiver = nil
            continuation.resume(returning: failure.map { .failure($0) } ?? .success(.answer(self.answer)))
        case nil:
            if failure == nil, let last = self.splitter.finish() { _ = self.stream?.deliver([last]) }
            self.stream?.end(failure.map { .failure($0) } ?? .success(()))
        }
    }

    // MARK: Header lines

    private static func status(_ line: Span<UInt8>) -> Int {
        var index = 5
        while index < line.count, line[index] != UInt8(ascii: " ") { index += 1 }
        return Self.number(line, from: index) ?? 0
    }

    private static func value(of name: StaticString, in line: Span<UInt8>) -> Int? {
        let length = name.utf8CodeUnitCount
        guard line.count > length, line[length] == UInt8(ascii: ":") else { return nil }
        let matches = name.withUTF8Buffer { expected in
            for index in 0..<length {
                guard unsafe line[index] | 0x20 == expected[index] | 0x20 else { return false }
            }
            return true
        }
        return matches ? Self.number(line, from: length + 1) : nil
    }

    /// Digits after blanks; nil when there are none or too many.
    private static func number(_ line: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < line.count, line[index] == UInt8(ascii: " ") { index += 1 }
        var number: Int?
        while index < line.count, case let digit = line[index], digit >= 0x30, digit <= 0x39 {
            guard (number ?? 0) < 1 << 40 else { return nil }
            number = (number ?? 0) * 10 + Int(digit - 0x30)
            index += 1
        }
        return number
    }
}

extension TransferFailure {
    static func late(mayHaveBeenSent: Bool) -> TransferFailure {
        let message = "the server sent no answer in time"
        return TransferFailure(reason: .timedOut, message: message, mayHaveBeenSent: mayHaveBeenSent)
    }

    static func fenced(mayHaveBeenSent: Bool) -> TransferFailure {
        let message = "the host may not write any more"
        return TransferFailure(reason: .fenced, message: message, mayHaveBeenSent: mayHaveBeenSent)
    }
}
