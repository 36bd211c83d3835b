import Kubernetes
internal import NIOConcurrencyHelpers

/// What a leader does while it leads, and the instant at which it has to have stopped.
///
/// A clock of its own watches that instant, so that no call about the Lease, however long it hangs, can put it off.
final class LeaderTenure: Sendable {
    enum End {
        case inTime
        /// The instant had come.
        case expired
    }

    private struct State {
        var deadline: ContinuousClock.Instant?
        var isExpired = false
        var tasks: [Task<Void, Never>] = []
    }

    private let body: @Sendable () async -> Void
    /// Stands as long as the tenure lasts, from its beginning.
    private let fence: WriteFence
    private let state = NIOLockedValueBox(State())

    init(fence: WriteFence, _ body: @escaping @Sendable () async -> Void) {
        self.fence = fence
        self.body = body
    }

    /// Puts the end off to this instant; false when the end has come.
    func lasts(until deadline: ContinuousClock.Instant) -> Bool {
        self.state.withLockedValue { state in
            guard !state.isExpired else { return false }
            state.deadline = deadline
            return state.tasks.isEmpty || self.fence.stand(until: deadline)
        }
    }

    /// Starts the body; false when it has been started before.
    func begin() -> Bool {
        self.state.withLockedValue { state in
            guard state.tasks.isEmpty, !state.isExpired, let deadline = state.deadline,
                self.fence.stand(until: deadline)
            else { return false }
            // Tasks of their own, so that the cancellation of whoever leads does not cut off what is under way; `end`
            // ends both.
            let work = Task { [body] in await body() }
            let watch = Task {
                while let left = self.timeLeft() {
                    guard (try? await Task.sleep(for: left)) != nil else { return }
                }
                work.cancel()
            }
            state.tasks = [work, watch]
            return true
        }
    }

    /// Cancels the body, if it was begun, and waits for its end.
    func end() async -> End {
        self.fence.fall()
        let (tasks, isExpired) = self.state.withLockedValue { state in
            defer { state.isExpired = true }
            return (state.tasks, state.isExpired)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        return isExpired ? .expired : .inTime
    }

    /// Nil from when the end has come.
    private func timeLeft() -> Duration? {
        self.state.withLockedValue { state in
            let left = (state.deadline ?? .now) - .now
            if left <= .zero { state.isExpired = true }
            return state.isExpired ? nil : left
        }
    }
}
