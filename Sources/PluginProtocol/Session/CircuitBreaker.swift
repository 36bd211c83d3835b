/// Stops asking a plugin that answers nothing, and tries one call now and then.
///
/// A timeout counts only when the call began after the last one that counted, so that many calls which time out together
/// are one piece of evidence. Any reading closes the breaker.
package struct CircuitBreaker: Sendable {
    package enum Permit: Sendable, Equatable {
        /// Ask for everything.
        case all
        /// Ask for one trigger, to see whether the plugin is back.
        case probe
        /// Ask for nothing.
        case none
    }

    private let threshold: Int
    private let shortestPause: Duration
    private let longestPause: Duration
    private var failures = 0
    private var lastFailure: ContinuousClock.Instant?
    private var lastSuccess: ContinuousClock.Instant?
    private var pause: Duration
    private var opensAgainAt: ContinuousClock.Instant?

    package init(threshold: Int = 3, shortestPause: Duration = .seconds(1), longestPause: Duration = .seconds(30)) {
        self.threshold = threshold
        self.shortestPause = shortestPause
        self.longestPause = longestPause
        self.pause = shortestPause
    }

    /// Whether the breaker is open: the plugin counts as unresponsive.
    package var isOpen: Bool { self.failures >= self.threshold }

    package mutating func permit(now: ContinuousClock.Instant) -> Permit {
        guard self.isOpen else { return .all }
        if let opensAgainAt, now < opensAgainAt { return .none }
        // Until the probe's own outcome is known there is no second one, unless that outcome never comes.
        self.opensAgainAt = now + self.pause
        self.pause = min(self.pause * 2, self.longestPause)
        return .probe
    }

    /// A reading arrived.
    package mutating func answered(now: ContinuousClock.Instant) {
        self.lastSuccess = now
        guard self.failures > 0 else { return }
        self.failures = 0
        self.pause = self.shortestPause
        self.opensAgainAt = nil
    }

    /// A call that began then got no reading at all in time.
    package mutating func timedOut(startedAt: ContinuousClock.Instant, now: ContinuousClock.Instant) {
        if let lastSuccess, lastSuccess >= startedAt { return }
        if let lastFailure, lastFailure > startedAt { return }
        self.lastFailure = now
        self.failures += 1
        if self.failures == self.threshold {
            self.opensAgainAt = now + self.pause
        }
    }
}
