internal import NIOConcurrencyHelpers
package import PluginHost
internal import PluginProtocol

/// Everything that came out of a plugin hub, for tests to wait for.
package final class EventProbe: Sendable {
    private struct Waiter {
        let id: Int
        let isMatch: @Sendable (PluginEvent) -> Bool
        let continuation: CheckedContinuation<PluginEvent?, Never>
    }

    private struct State {
        var history: [PluginEvent] = []
        var waiters: [Waiter] = []
        var lastID = 0
    }

    private let state = NIOLockedValueBox(State())

    package init() {}

    /// Takes events until there are no more.
    package func collect(_ events: any AsyncSequence<PluginEvent, Never> & Sendable) async {
        for await event in events {
            self.take(event)
        }
    }

    /// Every event so far.
    package var history: [PluginEvent] { self.state.withLockedValue { $0.history } }

    /// A place in the history, to wait for what comes after it.
    package var mark: Int { self.state.withLockedValue { $0.history.count } }

    /// The first event after the mark that matches; nil when there is none in time.
    package func first(
        after mark: Int = 0,
        within timeout: Duration = .seconds(20),
        where isMatch: @escaping @Sendable (PluginEvent) -> Bool
    ) async -> PluginEvent? {
        let id = self.state.withLockedValue { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskGroup(of: PluginEvent?.self) { group in
            group.addTask { await self.wait(id, mark, isMatch) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            defer {
                group.cancelAll()
                self.giveUp(id)
            }
            return await group.next() ?? nil
        }
    }

    private func wait(
        _ id: Int,
        _ mark: Int,
        _ isMatch: @escaping @Sendable (PluginEvent) -> Bool
    ) async -> PluginEvent? {
        await withCheckedContinuation { continuation in
            let known = self.state.withLockedValue { state in
                let known = state.history.dropFirst(mark).first(where: isMatch)
                if known == nil {
                    state.waiters.append(Waiter(id: id, isMatch: isMatch, continuation: continuation))
                }
                return known
            }
            if let known {
                continuation.resume(returning: known)
            }
        }
    }

    private func take(_ event: PluginEvent) {
        let served = self.state.withLockedValue { state in
            state.history.append(event)
            let served = state.waiters.filter { $0.isMatch(event) }
            state.waiters.removeAll { waiter in served.contains { $0.id == waiter.id } }
            return served
        }
        for waiter in served {
            waiter.continuation.resume(returning: event)
        }
    }

    private func giveUp(_ id: Int) {
        let waiters = self.state.withLockedValue { state in
            let waiters = state.waiters.filter { $0.id == id }
            state.waiters.removeAll { $0.id == id }
            return waiters
        }
        for waiter in waiters {
            waiter.continuation.resume(returning: nil)
        }
    }
}

extension PluginEvent {
    /// What is waiting at this trigger, when the event is a reading of it.
    package func waiting(of trigger: TriggerID) -> Double? {
        if case .reading(trigger, revision: _, let reading, askedAt: _) = self { reading.waiting } else { nil }
    }

    /// Why the reading of this trigger is unknown, when the event says so.
    package func unknown(of trigger: TriggerID) -> String? {
        if case .unknown(trigger, revision: _, let failure) = self { failure.message } else { nil }
    }

    /// Why this trigger is not open, when the event says so.
    package func failed(_ trigger: TriggerID) -> String? {
        if case .failed(trigger, revision: _, let failure) = self { failure.message } else { nil }
    }

    /// Whether the event says that the trigger is open.
    package func isOpened(_ trigger: TriggerID) -> Bool {
        if case .opened(trigger, revision: _, _) = self { true } else { false }
    }
}
