internal import CCurl
internal import Glibc
internal import NIOConcurrencyHelpers

/// The multi handle, which any thread may wake but only the loop may otherwise touch.
///
/// Unchecked: `wake` is the one call that libcurl allows from anywhere, and the pointer never changes.
@safe final class MultiHandle: @unchecked Sendable {
    let raw: UnsafeMutableRawPointer

    init?(limits: HTTPLimits) {
        guard let raw = unsafe curl_multi_init() else { return nil }
        unsafe self.raw = raw
        unsafe sluice_curl_multi_set_long(raw, CURLMOPT_MAX_HOST_CONNECTIONS, limits.connections)
        unsafe sluice_curl_multi_set_long(raw, CURLMOPT_MAXCONNECTS, limits.idleConnections)
        unsafe sluice_curl_multi_set_long(raw, CURLMOPT_MAX_CONCURRENT_STREAMS, 250)
    }

    deinit {
        unsafe curl_multi_cleanup(self.raw)
    }

    func wake() {
        unsafe curl_multi_wakeup(self.raw)
    }
}

/// What other threads ask of the loop.
enum CurlCommand {
    case start(id: UInt64, HTTPRequest, Transfer.Receiver, handedOverAt: ContinuousClock.Instant)
    case cancel(id: UInt64)
    case stop
}

/// What runs on the engine's thread: takes commands, lets libcurl work, hands over what came of it.
///
/// Unchecked: made on one thread, handed to the engine's thread once, and used only there.
final class CurlLoop: @unchecked Sendable {
    private let multi: MultiHandle
    private let endpoint: HTTPEndpoint
    private let address: HTTPEndpoint.Address
    private let base: String
    private let takeCommands: @Sendable () -> [CurlCommand]
    private let send: @Sendable (CurlCommand) -> Void

    private var transfers: [UInt64: Transfer] = [:]
    private var transferOfHandle: [UInt: UInt64] = [:]
    /// Calls, which are given up at their end, and streams whose head has not come.
    ///
    /// libcurl's own timeout does not count while a transfer waits for a connection.
    private var limited: Set<UInt64> = []
    private var idleHandles: [EasyHandle] = []
    private var idleStreamHandles: [EasyHandle] = []
    private let arrivals = Transfer.Arrivals()

    init(
        multi: MultiHandle,
        endpoint: HTTPEndpoint,
        address: HTTPEndpoint.Address,
        takeCommands: @escaping @Sendable () -> [CurlCommand],
        send: @escaping @Sendable (CurlCommand) -> Void
    ) {
        self.multi = multi
        self.endpoint = endpoint
        self.address = address
        self.base = address.url(host: endpoint.serverName ?? address.host)
        self.takeCommands = takeCommands
        self.send = send
    }

    /// Runs until told to stop; then every transfer has ended.
    func run() {
        Self.blockBrokenPipeSignal()
        while self.obey(self.takeCommands()) {
            // First of all: after a time of standing still nothing late may be sent.
            _ = self.endLateTransfers()
            var running: Int32 = 0
            _ = unsafe curl_multi_perform(self.multi.raw, &running)
            self.harvest()
            // Where bytes came, more are likely: another turn follows at once.
            let isMoreLikely = !self.arrivals.ids.isEmpty
            self.handOver()
            let wait = self.endLateTransfers()
            _ = unsafe curl_multi_poll(self.multi.raw, nil, 0, isMoreLikely ? 0 : wait, nil)
        }
        for id in self.transfers.keys { self.end(id, .cancelled) }
        self.idleHandles = []
        self.idleStreamHandles = []
    }

    // MARK: Commands

    private func obey(_ commands: [CurlCommand]) -> Bool {
        for command in commands {
            switch command {
            case .start(let id, let request, let receiver, let handedOverAt):
                self.start(id, request, receiver, deadline: handedOverAt + request.timeout)
            case .cancel(let id): self.cancel(id)
            case .stop: return false
            }
        }
        return true
    }

    private func start(
        _ id: UInt64,
        _ request: HTTPRequest,
        _ receiver: Transfer.Receiver,
        deadline: ContinuousClock.Instant
    ) {
        let now = ContinuousClock.now
        if let fence = request.fence?(), fence <= now { return Self.refuse(receiver, .fenced(mayHaveBeenSent: false)) }
        guard deadline > now else { return Self.refuse(receiver, .late(mayHaveBeenSent: false)) }
        let isStream = if case .streaming = receiver { true } else { false }
        let idle = isStream ? self.idleStreamHandles.popLast() : self.idleHandles.popLast()
        guard let handle = idle ?? EasyHandle(self.endpoint, address: self.address, isStream: isStream) else {
            let failure = TransferFailure(
                reason: .misconfigured,
                message: "libcurl refused the endpoint's certificates or proxy",
                mayHaveBeenSent: false
            )
            return Self.refuse(receiver, failure)
        }
        let refusal = handle.prepare(
            request,
            url: self.base + request.target,
            identity: request.identity ?? self.endpoint.identity,
            connectTimeout: self.endpoint.limits.connectTimeout
        )
        if let refusal {
            return Self.refuse(
                receiver,
                TransferFailure(reason: .misconfigured, message: refusal, mayHaveBeenSent: false)
            )
        }
        let transfer = Transfer(
            id: id,
            handle: handle,
            receiver: receiver,
            limits: self.endpoint.limits,
            deadline: deadline,
            fence: request.fence,
            arrivals: self.arrivals
        )
        handle.direct(to: transfer)
        self.transfers[id] = transfer
        self.transferOfHandle[handle.identity] = id
        self.limited.insert(id)
        _ = unsafe curl_multi_add_handle(self.multi.raw, handle.raw)
    }

    private static func refuse(_ receiver: Transfer.Receiver, _ failure: TransferFailure) {
        switch receiver {
        case .answer(let continuation): continuation.resume(returning: .failure(failure))
        case .streaming(let continuation): continuation.resume(returning: .failure(failure))
        }
    }

    private func cancel(_ id: UInt64) {
        guard let transfer = self.transfers[id] else { return }
        let failure = TransferFailure(
            reason: .cancelled,
            message: TransferFailure.cancelled.message,
            mayHaveBeenSent: transfer.handle.mayHaveBeenSent
        )
        self.end(id, failure)
    }

    // MARK: Results

    private func harvest() {
        var code = CURLE_OK
        while let raw = unsafe sluice_curl_multi_finished(self.multi.raw, &code) {
            guard let id = self.transferOfHandle[UInt(bitPattern: raw)], let transfer = self.transfers[id] else {
                continue
            }
            if self.arrivals.ids.contains(id) { self.flush(transfer) }
            self.end(id, transfer.handle.failure(code))
        }
    }

    private func handOver() {
        while let id = self.arrivals.ids.first {
            guard let transfer = self.transfers[id] else {
                self.arrivals.ids.remove(id)
                continue
            }
            if !self.flush(transfer) { self.end(id, nil) }
        }
    }

    @discardableResult
    private func flush(_ transfer: Transfer) -> Bool {
        let id = transfer.id
        self.arrivals.ids.remove(id)
        let isRead = transfer.flush { [send] in send(.cancel(id: id)) }
        // A refusal of a stream is read to its end, and that has to come in time as well.
        if transfer.receiver == nil { self.limited.remove(id) }
        return isRead
    }

    private func end(_ id: UInt64, _ failure: TransferFailure?) {
        guard let transfer = self.transfers.removeValue(forKey: id) else { return }
        let handle = transfer.handle
        self.limited.remove(id)
        self.arrivals.ids.remove(id)
        self.transferOfHandle[handle.identity] = nil
        _ = unsafe curl_multi_remove_handle(self.multi.raw, handle.raw)
        transfer.finish(failure)
        if handle.isStream, self.idleStreamHandles.count < 4 {
            handle.clear()
            self.idleStreamHandles.append(handle)
        } else if !handle.isStream, self.idleHandles.count < 64 {
            handle.clear()
            self.idleHandles.append(handle)
        }
    }

    /// The most milliseconds between two turns of libcurl.
    ///
    /// A turn costs next to nothing, and whatever libcurl did not announce is found by it.
    private static let longestWait: Int32 = 500

    /// Ends the transfers that are late; returns for how many milliseconds the loop may sleep.
    private func endLateTransfers() -> Int32 {
        let now = ContinuousClock.now
        var next: ContinuousClock.Instant?
        var late: [(UInt64, TransferFailure)] = []
        for id in self.limited {
            guard let transfer = self.transfers[id] else { continue }
            if let failure = transfer.lateness(at: now) {
                late.append((id, failure))
            } else {
                next = min(next ?? transfer.end, transfer.end)
            }
        }
        for (id, failure) in late { self.end(id, failure) }
        guard let next else { return Self.longestWait }
        return min(Int32(clamping: (next - now).wholeMilliseconds) + 1, Self.longestWait)
    }

    // OpenSSL writes to sockets that the peer has closed, and libcurl only ignores the signal when it may use signals.
    private static func blockBrokenPipeSignal() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
