/// How many calls may be under way at once, as far as the server's answers show what it can bear.
///
/// It doubles with each round of answers until the first sign of trouble ("slow start"), and then grows by one a round. Where
/// the server says that it is too much it halves, once for all calls that were under way then; where answers take ever
/// longer it shrinks by an eighth. It grows only while it is used, so that a quiet hour proves nothing.
struct AdaptiveLimit: Sendable {
    static let initial = 8
    static let largest = 128

    private(set) var value = Self.initial
    /// Up to here it doubles.
    private var threshold = Self.largest
    /// Answers since it last grew by one.
    private var credit = 0
    /// When it last shrank.
    private var shrankAt: ContinuousClock.Instant?
    private var trend = LatencyTrend()

    /// Takes an answer that shows no trouble; `latency` is nil where the call is no measure, `isUsed` says that as many
    /// calls were under way as may be.
    mutating func answered(
        _ latency: Duration?,
        begunAt begin: ContinuousClock.Instant,
        isUsed: Bool,
        now: ContinuousClock.Instant
    ) {
        if let latency, self.trend.take(latency, begunAt: begin, atOnce: self.value, now: now) == .rising {
            return self.shrink(to: self.value - Swift.max(1, self.value / 8), at: now)
        }
        guard isUsed, self.value < Self.largest, !self.isStale(begin) else { return }
        if self.value < self.threshold {
            self.value += 1
        } else {
            self.credit += 1
            guard self.credit >= self.value else { return }
            self.credit = 0
            self.value += 1
        }
    }

    /// Takes an answer, or the lack of one, that says that there are too many calls.
    mutating func overloaded(begunAt begin: ContinuousClock.Instant, now: ContinuousClock.Instant) {
        guard !self.isStale(begin) else { return }
        self.shrink(to: self.value / 2, at: now)
    }

    /// Whether a call began before it last shrank, and so says nothing of how it is now.
    private func isStale(_ begin: ContinuousClock.Instant) -> Bool {
        self.shrankAt.map { begin < $0 } ?? false
    }

    private mutating func shrink(to value: Int, at now: ContinuousClock.Instant) {
        self.value = Swift.max(1, value)
        self.threshold = self.value
        self.credit = 0
        self.shrankAt = now
        self.trend.begin(at: now)
    }
}
