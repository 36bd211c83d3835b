internal import DequeModule

/// The lines between the engine's thread and the one reader of a stream, without the lock between them.
///
/// A reader that falls behind by more than the limit loses the connection, not the lines: what is buffered is still
/// read, then the stream ends as if the server had closed it. The API server ends slow watches in just the same way, so
/// whoever reads a watch has to go on after its end anyway.
struct LineBuffer: Sendable {
    typealias Waiter = CheckedContinuation<Result<[UInt8]?, TransferFailure>, Never>

    enum ReadAction {
        case resume(Result<[UInt8]?, TransferFailure>)
        case wait
    }

    /// What the engine must do with the connection after it delivered.
    enum DeliverAction: Equatable {
        case proceed
        case close
    }

    private let limit: Int
    private var lines: Deque<[UInt8]> = []
    private(set) var bytes = 0
    private var waiter: Waiter?
    /// Nil while the stream is open.
    private var end: Result<Void, TransferFailure>?

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes lines, and hands the first one to the waiter if there is one.
    mutating func delivered(_ new: [[UInt8]]) -> (DeliverAction, resume: (Waiter, [UInt8])?) {
        guard self.end == nil else { return (.close, nil) }
        for line in new { self.bytes += line.count }
        self.lines.append(contentsOf: new)
        var resume: (Waiter, [UInt8])?
        if let waiter = self.waiter, let line = self.pop() {
            self.waiter = nil
            resume = (waiter, line)
        }
        guard self.bytes > self.limit else { return (.proceed, resume) }
        self.end = .success(())
        return (.close, resume)
    }

    /// Ends the stream; the first end counts.
    ///
    /// Returns the waiter, which then gets that end.
    mutating func ended(_ end: Result<Void, TransferFailure>) -> Waiter? {
        guard self.end == nil else { return nil }
        self.end = end
        defer { self.waiter = nil }
        return self.waiter
    }

    /// Gives up what is buffered as well.
    mutating func cancelled() -> Waiter? {
        self.lines = []
        self.bytes = 0
        defer { self.waiter = nil }
        self.end = .failure(.cancelled)
        return self.waiter
    }

    mutating func read(_ waiter: Waiter) -> ReadAction {
        if let line = self.pop() { return .resume(.success(line)) }
        switch self.end {
        case .success: return .resume(.success(nil))
        case .failure(let failure): return .resume(.failure(failure))
        case nil: break
        }
        guard self.waiter == nil else {
            let failure = TransferFailure(
                reason: .misconfigured,
                message: "a stream of lines has one reader only",
                mayHaveBeenSent: true
            )
            return .resume(.failure(failure))
        }
        self.waiter = waiter
        return .wait
    }

    private mutating func pop() -> [UInt8]? {
        guard let line = self.lines.popFirst() else { return nil }
        self.bytes -= line.count
        return line
    }
}

extension TransferFailure {
    static let cancelled = TransferFailure(reason: .cancelled, message: "the call was cancelled", mayHaveBeenSent: true)
}
