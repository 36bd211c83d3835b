internal import NIOConcurrencyHelpers

/// Somebody wants the plugin to stop: known to whoever waits, at once.
final class StopRequest: Sendable {
    private struct State {
        var isMade = false
        var reaction: (@Sendable () -> Void)?
    }

    private let state = NIOLockedValueBox(State())

    var isMade: Bool { self.state.withLockedValue { $0.isMade } }

    /// Makes the request; a second time changes nothing.
    func make() {
        let reaction = self.state.withLockedValue { state in
            state.isMade = true
            defer { state.reaction = nil }
            return state.reaction
        }
        reaction?()
    }

    /// Does this when the request is made, or now if it was; replaces what was to be done before.
    func react(_ reaction: (@Sendable () -> Void)?) {
        let isMade = self.state.withLockedValue { state in
            state.reaction = state.isMade ? nil : reaction
            return state.isMade
        }
        if isMade {
            reaction?()
        }
    }
}
