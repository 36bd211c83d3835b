internal import NIOConcurrencyHelpers
internal import NIOCore

/// Which triggers changed since the host last looked: at most one report per trigger waits or is on its way.
///
/// A trigger that was reported is not reported again until the host measures it; the reading that it then gets is newer than
/// every change before.
final class ChangeReporter: Sendable {
    private struct State {
        /// Opened triggers; a change of any other waits.
        var opened: Set<UInt64> = []
        var waiting: Set<UInt64> = []
        var reported: Set<UInt64> = []
        var isFlushScheduled = false
        var isClosed = false
    }

    private let state = NIOLockedValueBox(State())
    private let eventLoop: any EventLoop
    private let send: @Sendable ([UInt64]) -> Void

    /// Creates a reporter that sends through this function, on the event loop.
    init(eventLoop: any EventLoop, send: @escaping @Sendable ([UInt64]) -> Void) {
        self.eventLoop = eventLoop
        self.send = send
    }

    /// The trigger changed; may be called from anywhere.
    func changed(_ trigger: UInt64) {
        self.update { state in
            if !state.reported.contains(trigger) {
                state.waiting.insert(trigger)
            }
        }
    }

    /// The host knows that the trigger is open.
    func opened(_ trigger: UInt64) {
        self.update { $0.opened.insert(trigger) }
    }

    /// The host looks at these now.
    func measured(_ triggers: [UInt64]) {
        self.state.withLockedValue { state in
            guard !state.reported.isEmpty else { return }
            state.reported.subtract(triggers)
        }
    }

    /// Changes of this trigger no longer matter.
    func closed(_ trigger: UInt64) {
        self.state.withLockedValue { state in
            state.opened.remove(trigger)
            state.waiting.remove(trigger)
            state.reported.remove(trigger)
        }
    }

    /// Nothing is sent from now on.
    func close() {
        self.state.withLockedValue { $0 = State(isClosed: true) }
    }

    private func update(_ change: (inout State) -> Void) {
        let schedules = self.state.withLockedValue { state in
            guard !state.isClosed else { return false }
            change(&state)
            guard !state.isFlushScheduled, !state.waiting.isDisjoint(with: state.opened) else { return false }
            state.isFlushScheduled = true
            return true
        }
        if schedules {
            self.eventLoop.execute { self.flush() }
        }
    }

    private func flush() {
        let triggers = self.state.withLockedValue { state in
            state.isFlushScheduled = false
            let triggers = state.waiting.intersection(state.opened)
            state.waiting.subtract(triggers)
            state.reported.formUnion(triggers)
            return triggers.sorted()
        }
        // A frame has room for far more than this.
        var rest = triggers[...]
        while !rest.isEmpty {
            self.send(Array(rest.prefix(10_000)))
            rest = rest.dropFirst(10_000)
        }
    }
}
