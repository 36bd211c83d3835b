/// Timers by identity, the earliest first.
package struct TimerQueue<ID: Hashable & Sendable>: Sendable {
    private var deadlines: [ID: ContinuousClock.Instant] = [:]

    package init() {}

    /// When the earliest timer is due.
    package var next: ContinuousClock.Instant? { self.deadlines.values.min() }

    /// Starts a timer, or moves it.
    package mutating func start(_ id: ID, at deadline: ContinuousClock.Instant) {
        self.deadlines[id] = deadline
    }

    package mutating func cancel(_ id: ID) {
        self.deadlines[id] = nil
    }

    package mutating func cancelAll(where matches: (ID) -> Bool) {
        self.deadlines = self.deadlines.filter { !matches($0.key) }
    }

    /// Takes out the timers that are due, the earliest first.
    package mutating func takeDue(at now: ContinuousClock.Instant) -> [ID] {
        let due = self.deadlines.filter { $0.value <= now }.sorted { $0.value < $1.value }.map(\.key)
        for id in due { self.deadlines[id] = nil }
        return due
    }
}
