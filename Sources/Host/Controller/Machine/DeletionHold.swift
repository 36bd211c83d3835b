import Pace

/// When the deletions of one ScaledJob that failed are tried again.
///
/// Each Job waits for itself, longer each time, and others go on. Only when many fail one after the other, and none
/// succeeds in between, all of them wait.
struct DeletionHold: Sendable {
    /// Failures without a success after which all wait.
    static let longestStreak = 16
    static let longestPause = Duration.seconds(60)

    /// No deletion begins before this.
    private(set) var until: ContinuousClock.Instant?
    private var streak = 0
    private var backoff = Backoff(base: .milliseconds(400), cap: .seconds(15))
    /// How often the deletion of each Job has failed.
    private var failures: [String: Int] = [:]
    /// Whether it was told that nothing can be deleted.
    private var isTold = false

    func isHeld(at now: ContinuousClock.Instant) -> Bool { self.until.map { $0 > now } ?? false }

    mutating func succeeded(_ job: String) {
        self.failures[job] = nil
        self.streak = 0
        self.until = nil
        self.isTold = false
        self.backoff.reset()
    }

    /// Returns when this Job is tried again, and whether it is news that all of them wait.
    mutating func failed(
        _ job: String,
        asked: Duration?,
        at now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) -> (retryAt: ContinuousClock.Instant, isNews: Bool) {
        let times = self.failures[job, default: 0] + 1
        self.failures[job] = times
        let ceiling = Swift.min(.milliseconds(200) * (1 << Swift.min(times - 1, 16)), Self.longestPause)
        let pause = ceiling * Double.random(in: 0.5...1, using: &random)
        self.streak += 1
        var isNews = false
        if self.streak >= Self.longestStreak {
            self.streak = 0
            self.until = now + self.backoff.next(using: &random)
            isNews = !self.isTold
            self.isTold = true
        }
        return (now + Swift.max(pause, asked ?? .zero), isNews)
    }

    /// A Job is gone.
    mutating func forget(_ job: String) { self.failures[job] = nil }
}
