internal import Dispatch
internal import NIOConcurrencyHelpers

/// One timer that can be set again and again.
package final class Alarm: Sendable {
    private struct State {
        var due: ContinuousClock.Instant?
        // Touched under the lock only.
        nonisolated(unsafe) let timer: any DispatchSourceTimer
    }

    private let state: NIOLockedValueBox<State>

    /// `ring` is called at the time set last, from a thread of its own.
    package init(_ ring: @escaping @Sendable () -> Void) {
        let timer = DispatchSource.makeTimerSource()
        self.state = NIOLockedValueBox(State(due: nil, timer: timer))
        timer.setEventHandler { [weak self] in
            self?.state.withLockedValue { $0.due = nil }
            ring()
        }
        timer.resume()
    }

    package func set(_ due: ContinuousClock.Instant?) {
        self.state.withLockedValue { state in
            guard state.due != due else { return }
            state.due = due
            guard let due else {
                state.timer.schedule(deadline: .distantFuture)
                return
            }
            let pause = Swift.max(.zero, due - .now)
            let nanoseconds = pause.components.seconds * 1_000_000_000 + pause.components.attoseconds / 1_000_000_000
            state.timer.schedule(
                deadline: .now() + .nanoseconds(Int(clamping: nanoseconds)),
                leeway: .milliseconds(1)
            )
        }
    }

    package func stop() {
        self.state.withLockedValue { $0.timer.cancel() }
    }
}
