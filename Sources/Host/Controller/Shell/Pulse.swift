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
    }

    /// A loop that stays away longer than this is stuck; every errand of it takes far less.
    package static let patience = Duration.seconds(20)
    private static let interval = Duration.seconds(1)

    private let state: NIOLockedValueBox<State>

    package init(start: ContinuousClock.Instant = .now) {
        self.state = NIOLockedValueBox(State(lastBeat: start))
    }

    /// Asks for beats, one at a time, until the task is cancelled.
    func run(ask: @Sendable () -> Void) async {
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
        let silence = now - self.state.withLockedValue { $0.lastBeat }
        guard silence > Self.patience else { return [] }
        return ["the controller has not answered for \(silence.components.seconds) s"]
    }

    /// Why the host does not work yet; nothing when it does.
    package func obstacles(at now: ContinuousClock.Instant = .now) -> [String] {
        guard let unlisted = self.state.withLockedValue({ $0.unlisted }) else { return ["the controller is starting"] }
        return self.faults(at: now) + unlisted.map { "\($0) have not been listed yet" }
    }
}
