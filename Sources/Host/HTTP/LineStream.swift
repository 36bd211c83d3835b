internal import NIOConcurrencyHelpers

/// The lines of one streamed answer.
///
/// Letting go of it closes the stream.
package final class LineStream: Sendable {
    private let buffer: NIOLockedValueBox<LineBuffer>
    private let close: @Sendable () -> Void

    /// The closure tells the engine that nobody reads on; it is called at least once, from any thread.
    init(limit: Int, close: @escaping @Sendable () -> Void) {
        self.buffer = NIOLockedValueBox(LineBuffer(limit: limit))
        self.close = close
    }

    deinit {
        self.close()
    }

    /// The next line, or nil when the server closed the stream.
    ///
    /// One reader at a time.
    package func next() async throws(TransferFailure) -> [UInt8]? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: LineBuffer.Waiter) in
                switch self.buffer.withLockedValue({ $0.read(continuation) }) {
                case .resume(let result): continuation.resume(returning: result)
                case .wait: break
                }
            }
        } onCancel: {
            self.buffer.withLockedValue { $0.cancelled() }?.resume(returning: .failure(.cancelled))
            self.close()
        }
        return try result.get()
    }

    var bufferedBytes: Int { self.buffer.withLockedValue { $0.bytes } }

    /// Called on the engine's thread.
    ///
    /// False when the connection is to be closed.
    func deliver(_ lines: [[UInt8]]) -> Bool {
        let (action, resume) = self.buffer.withLockedValue { $0.delivered(lines) }
        if let (waiter, line) = resume { waiter.resume(returning: .success(line)) }
        return action == .proceed
    }

    /// Called on the engine's thread.
    func end(_ end: Result<Void, TransferFailure>) {
        guard let waiter = self.buffer.withLockedValue({ $0.ended(end) }) else { return }
        waiter.resume(returning: end.map { nil })
    }
}
