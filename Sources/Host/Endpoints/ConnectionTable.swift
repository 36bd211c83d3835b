internal import NIOConcurrencyHelpers
internal import NIOCore

/// The connections of one server: how many there are, which of them wait, and how they end.
final class ConnectionTable: Sendable {
    private struct Entry {
        let channel: any Channel
        /// Since when no answer is being made; nil while one is.
        var waitingSince: NIODeadline?
    }

    private struct State {
        var listener: (any Channel)?
        var entries: [ObjectIdentifier: Entry] = [:]
        var isDraining = false
    }

    private let state = NIOLockedValueBox(State())
    private let limits: EndpointLimits
    private let ended: @Sendable () -> Void

    /// Calls `ended` when the server drains and its last connection is gone.
    init(limits: EndpointLimits, ended: @escaping @Sendable () -> Void) {
        self.limits = limits
        self.ended = ended
    }

    var isDraining: Bool { self.state.withLockedValue { $0.isDraining } }

    /// Takes the bound channel; false when the server is to stop already.
    func listens(_ channel: any Channel) -> Bool {
        self.state.withLockedValue { state in
            guard !state.isDraining else { return false }
            state.listener = channel
            return true
        }
    }

    /// Takes a new connection, if need be in the place of the one that has waited longest; false to turn it away.
    func add(_ channel: any Channel) -> Bool {
        let (isWelcome, evicted) = self.state.withLockedValue { state -> (Bool, (any Channel)?) in
            guard !state.isDraining else { return (false, nil) }
            var evicted: (any Channel)?
            if state.entries.count >= self.limits.connections {
                let oldest = state.entries
                    .compactMap { key, entry in entry.waitingSince.map { (key, $0) } }
                    .min { $0.1 < $1.1 }
                guard let oldest else { return (false, nil) }
                evicted = state.entries.removeValue(forKey: oldest.0)?.channel
            }
            state.entries[ObjectIdentifier(channel)] = Entry(channel: channel, waitingSince: .now())
            return (true, evicted)
        }
        evicted?.close(promise: nil)
        return isWelcome
    }

    func isBusy(_ channel: any Channel) {
        self.state.withLockedValue { $0.entries[ObjectIdentifier(channel)]?.waitingSince = nil }
    }

    /// Notes that a connection waits for its next request; false when it need not.
    func isWaiting(_ channel: any Channel) -> Bool {
        self.state.withLockedValue { state in
            state.entries[ObjectIdentifier(channel)]?.waitingSince = .now()
            return !state.isDraining
        }
    }

    func remove(_ channel: any Channel) {
        let isEnd = self.state.withLockedValue { state in
            state.entries[ObjectIdentifier(channel)] = nil
            return state.isDraining && state.entries.isEmpty
        }
        if isEnd { self.ended() }
    }

    /// Stops listening, closes what waits, and leaves the rest some time.
    func drain() {
        let (listener, waiting, isEnd) = self.state.withLockedValue { state in
            state.isDraining = true
            let waiting = state.entries.values.filter { $0.waitingSince != nil }.map(\.channel)
            return (state.listener, waiting, state.entries.isEmpty)
        }
        listener?.close(promise: nil)
        for channel in waiting { channel.close(promise: nil) }
        if isEnd { self.ended() }
        listener?.eventLoop.scheduleTask(in: TimeAmount(self.limits.drain)) {
            for entry in self.state.withLockedValue({ $0.entries.values.map(\.channel) }) { entry.close(promise: nil) }
        }
    }
}
