import NIOConcurrencyHelpers

/// Shows from outside that the controller's loop goes round.
///
/// A beat goes the way of every errand, through the queue and the actor. Whoever looks reads what the last one left and
/// waits for nothing, so that a loop that is stuck can be told.
package final class Pulse: Sendable {
    private struct State {
        var lastBeat: ContinuousClock.Instant
        var isAsked = false
        var unlisted: [String]?
        /// Another host acts; there is no loop to answer.
        var isStandingBy = false
    }

    /// A loop that stays away longer than this is stuck; every errand of it takes far less.
    package static let patience = Duration.seconds(20)
    private static let interval = Duration.seconds(1)

    private let state: NIOLockedValueBox<State>

    package init(start: ContinuousClock.Instant = .now) {
        self.state = NIOLockedValueBox(State(lastBeat: start))
    }

    /// Notes that the controller is not to run before another host gives way: healthy, and ready to take over.
    package func standBy() {
        self.state.withLockedValue { $0.isStandingBy = true }
    }

    /// Asks for beats, one at a time, until the task is cancelled.
    func run(ask: @Sendable () -> Void) async {
        self.state.withLockedValue { $0 = State(lastBeat: .now) }
        repeat {
            let isFree = self.state.withLockedValue { state in
                defer { state.isAsked = true }
                return !state.isAsked
            }
            if isFree { ask() }
        } while (try? await Task.sleep(for: Self.interval)) != nil
    }

    func beat(unlisted: [String], at instant: ContinuousClock.Instant = .now) {
        self.state.withLockedValue { $0 = State(lastBeat: instant, isAsked: false, unlisted: unlisted) }
    }

    /// Why the host must be restarted; nothing when it need not be.
    package func faults(at now: ContinuousClock.Instant = .now) -> [String] {
        let state = self.state.withLockedValue { $0 }
        let silence = now - state.lastBeat
        guard !state.isStandingBy, silence > Self.patience else { return [] }
        return ["the controller has not answered for \(silence.components.seconds) s"]
    }

    /// Why the host does not work yet; nothing when it does.
    package func obstacles(at now: ContinuousClock.Instant = .now) -> [String] {
        let state = self.state.withLockedValue { $0 }
        guard !state.isStandingBy else { return [] }
        guard let unlisted = state.unlisted else { return ["the controller is starting"] }
        return self.faults(at: now) + unlisted.map { "\($0) have not been listed yet" }
    }
}
