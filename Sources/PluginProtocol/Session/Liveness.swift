/// Whether the peer is still there: pinged only when nothing was heard for a while.
package struct Liveness: Sendable {
    package enum Verdict: Sendable, Equatable {
        case alive
        case ping
        case dead
    }

    private let interval: Duration
    private let timeout: Duration
    private var lastHeard: ContinuousClock.Instant
    private var pingedAt: ContinuousClock.Instant?

    package init(interval: Duration, timeout: Duration, now: ContinuousClock.Instant) {
        self.interval = interval
        self.timeout = timeout
        self.lastHeard = now
    }

    /// Whether a ping waits for its answer.
    package var isDoubtful: Bool { self.pingedAt != nil }

    /// When ``check(now:)`` has something to say again.
    package var nextDeadline: ContinuousClock.Instant {
        self.pingedAt.map { $0 + self.timeout } ?? self.lastHeard + self.interval
    }

    /// Anything arrived; every message is a sign of life.
    package mutating func heard(now: ContinuousClock.Instant) {
        self.lastHeard = now
        self.pingedAt = nil
    }

    package mutating func check(now: ContinuousClock.Instant) -> Verdict {
        if let pingedAt {
            return now >= pingedAt + self.timeout ? .dead : .alive
        }
        guard now >= self.lastHeard + self.interval else { return .alive }
        self.pingedAt = now
        return .ping
    }

    /// Asks at once, whatever was heard before; false when a ping is on its way already.
    package mutating func doubt(now: ContinuousClock.Instant) -> Bool {
        guard self.pingedAt == nil else { return false }
        self.pingedAt = now
        return true
    }
}
