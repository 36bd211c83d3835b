internal import CCurl
internal import Glibc

/// The sockets and the one timer that libcurl wants watched.
///
/// Touched on the engine's thread only; libcurl's callbacks run there too, inside the calls below.
final class CurlSockets {
    /// The first entry is the alarm that other threads ring.
    private var entries: [pollfd] = []
    private var due: ContinuousClock.Instant?

    /// Has libcurl say what it wants watched, until ``ignore(_:)``.
    func hear(_ multi: MultiHandle) {
        self.entries = [pollfd(fd: multi.alarm, events: Int16(POLLIN), revents: 0)]
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe sluice_curl_multi_tell(multi.raw, socketIsWanted, timerIsSet, context)
    }

    func ignore(_ multi: MultiHandle) {
        unsafe sluice_curl_multi_tell(multi.raw, nil, nil, nil)
    }

    /// Waits for an event, for libcurl's timer or for the given time, and passes on what happened.
    func wait(_ multi: MultiHandle, milliseconds limit: Int32) {
        let count = unsafe poll(&self.entries, nfds_t(self.entries.count), self.waitingTime(limit))
        guard count > 0 else { return self.actIfDue(multi) }
        if self.entries[0].revents != 0 {
            var rings: eventfd_t = 0
            _ = unsafe eventfd_read(multi.alarm, &rings)
        }
        // A copy: what libcurl does changes the entries.
        for entry in self.entries.dropFirst() where entry.revents != 0 {
            var running: Int32 = 0
            _ = unsafe curl_multi_socket_action(multi.raw, entry.fd, Self.happened(entry.revents), &running)
        }
        self.actIfDue(multi)
    }

    /// Lets libcurl do what its timer is for, once its time has come.
    func actIfDue(_ multi: MultiHandle) {
        guard let due, due <= .now else { return }
        self.due = nil
        var running: Int32 = 0
        // CURL_SOCKET_TIMEOUT, which Swift doesn't see.
        _ = unsafe curl_multi_socket_action(multi.raw, -1, 0, &running)
    }

    private func waitingTime(_ limit: Int32) -> Int32 {
        guard let due else { return limit }
        let left = due - .now
        guard left > .zero else { return 0 }
        return min(limit, Int32(clamping: left.wholeMilliseconds) + 1)
    }

    private static func happened(_ events: Int16) -> Int32 {
        var happened: Int32 = 0
        if events & Int16(POLLIN | POLLHUP) != 0 { happened |= CURL_CSELECT_IN }
        if events & Int16(POLLOUT) != 0 { happened |= CURL_CSELECT_OUT }
        if events & Int16(POLLERR | POLLNVAL) != 0 { happened |= CURL_CSELECT_ERR }
        return happened
    }

    // MARK: Called by libcurl

    fileprivate func want(_ what: Int32, of socket: Int32) {
        self.entries.removeAll { $0.fd == socket }
        var events: Int32 = 0
        if what & CURL_POLL_IN != 0 { events |= POLLIN }
        if what & CURL_POLL_OUT != 0 { events |= POLLOUT }
        guard what != CURL_POLL_REMOVE, events != 0 else { return }
        self.entries.append(pollfd(fd: socket, events: Int16(events), revents: 0))
    }

    fileprivate func setTimer(_ milliseconds: Int) {
        self.due = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }
}

private let socketIsWanted: sluice_curl_watches = { _, socket, what, context, _ in
    unsafe Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().want(what, of: socket)
    return 0
}

private let timerIsSet: sluice_curl_sets_timer = { _, milliseconds, context in
    unsafe Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds)
    return 0
}
