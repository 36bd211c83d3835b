internal import CCurl
internal import Glibc
internal import NIOConcurrencyHelpers

/// An HTTP client for one endpoint: one thread, one libcurl multi handle, a connection for each transfer.
///
/// Callers only leave a command and wake the thread; every libcurl handle lives on that thread. It ends when the engine
/// is released; whatever is still under way then is cancelled.
package final class CurlEngine: Sendable {
    private let multi: MultiHandle
    private let inbox: Inbox

    /// Nil when the endpoint's address is not an `http(s)` URL, or plain HTTP where that isn't allowed.
    package init?(_ endpoint: HTTPEndpoint) {
        guard Self.isInitialised, let address = HTTPEndpoint.Address(endpoint.address),
            address.isSecure || endpoint.allowsPlainHTTP,
            let multi = MultiHandle(limits: endpoint.limits)
        else { return nil }
        let inbox = Inbox(multi)
        self.multi = multi
        self.inbox = inbox
        let loop = CurlLoop(
            multi: multi,
            endpoint: endpoint,
            address: address,
            takeCommands: { inbox.take() },
            send: { inbox.put($0) }
        )
        guard Self.startThread(loop) else { return nil }
    }

    deinit {
        self.inbox.put(.stop)
    }

    /// Sends a request and gathers the whole answer.
    package func answer(to request: HTTPRequest) async throws(TransferFailure) -> HTTPAnswer {
        let call = Call(self.inbox)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { call.start(request, .answer($0)) }
        } onCancel: {
            call.cancel()
        }
        return try result.get()
    }

    /// Sends a request whose successful answer is a stream of lines.
    package func stream(_ request: HTTPRequest) async throws(TransferFailure) -> HTTPStreaming {
        let call = Call(self.inbox)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { call.start(request, .streaming($0)) }
        } onCancel: {
            call.cancel()
        }
        return try result.get()
    }

    // libcurl must be set up once a process, before any handle.
    private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private static func startThread(_ loop: CurlLoop) -> Bool {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(loop)
        let code = unsafe pthread_create(
            &thread,
            nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        guard code == 0 else {
            unsafe context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}

/// The commands that wait for the engine's thread.
///
/// Not bounded by itself: each entry belongs to a suspended caller, and callers are bounded.
final class Inbox: Sendable {
    private struct Contents {
        var commands: [CurlCommand] = []
        var lastID: UInt64 = 0
    }

    private let contents = NIOLockedValueBox(Contents())
    private let multi: MultiHandle

    init(_ multi: MultiHandle) {
        self.multi = multi
    }

    func nextID() -> UInt64 {
        self.contents.withLockedValue { contents in
            contents.lastID += 1
            return contents.lastID
        }
    }

    func put(_ command: CurlCommand) {
        // The thread takes all at once, so only the first command has to wake it.
        let isFirst = self.contents.withLockedValue { contents in
            contents.commands.append(command)
            return contents.commands.count == 1
        }
        if isFirst { self.multi.wake() }
    }

    func take() -> [CurlCommand] {
        self.contents.withLockedValue { contents in
            defer { contents.commands = [] }
            return contents.commands
        }
    }
}

/// Orders the start of one call and its cancellation, which may come first.
private final class Call: Sendable {
    private enum State {
        case idle
        case started(UInt64)
        case cancelled
    }

    private let state = NIOLockedValueBox(State.idle)
    private let inbox: Inbox

    init(_ inbox: Inbox) {
        self.inbox = inbox
    }

    func start(_ request: HTTPRequest, _ receiver: Transfer.Receiver) {
        let id = self.inbox.nextID()
        let isCancelled = self.state.withLockedValue { state in
            if case .cancelled = state { return true }
            state = .started(id)
            // Inside the lock, so that the cancellation can't overtake it.
            self.inbox.put(.start(id: id, request, receiver, handedOverAt: .now))
            return false
        }
        guard isCancelled else { return }
        let failure = TransferFailure(
            reason: .cancelled,
            message: TransferFailure.cancelled.message,
            mayHaveBeenSent: false
        )
        switch receiver {
        case .answer(let continuation): continuation.resume(returning: .failure(failure))
        case .streaming(let continuation): continuation.resume(returning: .failure(failure))
        }
    }

    func cancel() {
        let started = self.state.withLockedValue { state -> UInt64? in
            defer { state = .cancelled }
            if case .started(let id) = state { return id }
            return nil
        }
        if let started { self.inbox.put(.cancel(id: started)) }
    }
}
