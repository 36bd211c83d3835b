internal import NIOConcurrencyHelpers

/// Wakes one waiting task; rings while nobody waits are remembered as one.
package final class Doorbell: Sendable {
    private struct State {
        var hasRung = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    package func ring() {
        let waiting = self.state.withLockedValue { state in
            state.hasRung = state.waiting == nil
            return state.waiting.take()
        }
        waiting?.resume()
    }

    /// Returns after the next ring, at the deadline, or when the task is cancelled.
    package func wait(until deadline: ContinuousClock.Instant?) async {
        guard let deadline else { return await self.wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(until: deadline, clock: .continuous) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLockedValue { state in
                    if state.hasRung || Task.isCancelled {
                        state.hasRung = false
                        return true
                    }
                    state.waiting = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            self.state.withLockedValue { $0.waiting.take() }?.resume()
        }
    }
}
