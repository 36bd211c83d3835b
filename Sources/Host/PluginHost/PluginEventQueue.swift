internal import NIOConcurrencyHelpers
internal import NIOCore

/// Events on their way to the controller, at most one of each kind per trigger: the newest wins.
///
/// One consumer. Bounded by the number of triggers, however slow the consumer is.
package final class PluginEventQueue: AsyncSequence, Sendable {
    package typealias Element = PluginEvent
    package typealias Failure = Never

    fileprivate enum Key: Hashable {
        case offers
        case state(TriggerID)
        case reading(TriggerID)
        case changed(TriggerID)
    }

    fileprivate struct State {
        var order = CircularBuffer<Key>()
        var waiting: [Key: PluginEvent] = [:]
        var consumer: CheckedContinuation<PluginEvent?, Never>?
        var isFinished = false

        mutating func put(_ event: PluginEvent) {
            let key = Key(event)
            if self.waiting.updateValue(event, forKey: key) == nil {
                self.order.append(key)
            }
        }

        mutating func take() -> PluginEvent? {
            while let key = self.order.popFirst() {
                if let event = self.waiting.removeValue(forKey: key) { return event }
            }
            return nil
        }

        mutating func forget(_ trigger: TriggerID) {
            self.waiting[.state(trigger)] = nil
            self.waiting[.reading(trigger)] = nil
            self.waiting[.changed(trigger)] = nil
            if self.order.count > 64 + 2 * self.waiting.count {
                var seen: Set<Key> = []
                self.order = CircularBuffer(self.order.filter { self.waiting[$0] != nil && seen.insert($0).inserted })
            }
        }
    }

    private let state = NIOLockedValueBox(State())

    init() {}

    /// How many events wait.
    var count: Int { self.state.withLockedValue { $0.waiting.count } }

    func put(_ events: [PluginEvent]) {
        let (consumer, event) = self.state.withLockedValue { state in
            for event in events {
                state.put(event)
            }
            return state.handOver()
        }
        if let event {
            consumer?.resume(returning: event)
        }
    }

    func forget(_ trigger: TriggerID) {
        self.state.withLockedValue { $0.forget(trigger) }
    }

    func finish() {
        let consumer = self.state.withLockedValue { state in
            state.isFinished = true
            defer { state.consumer = nil }
            return state.consumer
        }
        consumer?.resume(returning: nil)
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(queue: self)
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let queue: PluginEventQueue

        package mutating func next() async -> PluginEvent? {
            await self.queue.next()
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(Never) -> PluginEvent? {
            await self.queue.next()
        }
    }

    private func next() async -> PluginEvent? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (replaced, result) = self.state.withLockedValue {
                    state -> (CheckedContinuation<PluginEvent?, Never>?, PluginEvent??) in
                    if let event = state.take() { return (nil, .some(event)) }
                    if state.isFinished || Task.isCancelled { return (nil, .some(nil)) }
                    defer { state.consumer = continuation }
                    return (state.consumer, nil)
                }
                // A second consumer is a mistake; the first one then ends instead of waiting for ever.
                replaced?.resume(returning: nil)
                if let result {
                    continuation.resume(returning: result)
                }
            }
        } onCancel: {
            let consumer = self.state.withLockedValue { state in
                defer { state.consumer = nil }
                return state.consumer
            }
            consumer?.resume(returning: nil)
        }
    }
}

extension PluginEventQueue.State {
    fileprivate mutating func handOver() -> (CheckedContinuation<PluginEvent?, Never>?, PluginEvent?) {
        guard let consumer = self.consumer, let event = self.take() else { return (nil, nil) }
        self.consumer = nil
        return (consumer, event)
    }
}

extension PluginEventQueue.Key {
    fileprivate init(_ event: PluginEvent) {
        switch event {
        case .offers: self = .offers
        case .opened(let id, revision: _, _), .failed(let id, revision: _, _): self = .state(id)
        case .reading(let id, revision: _, _, askedAt: _), .unknown(let id, revision: _, _): self = .reading(id)
        case .changed(let id): self = .changed(id)
        }
    }
}
