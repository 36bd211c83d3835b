/// Whether the server answers more slowly than it can.
///
/// Calls are looked at in rounds. The least median of the last minutes stands for a server that has time; a round far above
/// it means that calls wait inside the server, and more of them at once would only wait longer.
struct LatencyTrend: Sendable {
    enum Verdict: Equatable { case undecided, flat, rising }

    /// What nobody calls slow, however quick the server is when it has nothing to do.
    static let unremarkable = Duration.milliseconds(200)
    static let largestRatio = 3
    /// For how long a least median counts, and the same again until it is forgotten.
    static let memory = Duration.seconds(120)
    private static let roundSize = 8

    private var samples: [Duration] = []
    private var roundBegan: ContinuousClock.Instant?
    private var least: (value: Duration, since: ContinuousClock.Instant)?
    private var leastBefore: Duration?

    /// Takes the time that a call took which began at `begin`.
    mutating func take(
        _ latency: Duration,
        begunAt begin: ContinuousClock.Instant,
        atOnce calls: Int,
        now: ContinuousClock.Instant
    ) -> Verdict {
        // What began under an earlier limit says nothing of this one.
        if let roundBegan, begin < roundBegan { return .undecided }
        self.samples.append(latency)
        guard self.samples.count >= Swift.max(Self.roundSize, Swift.min(calls, 64)) else { return .undecided }
        self.samples.sort()
        let median = self.samples[self.samples.count / 2]
        self.begin(at: now)
        let usual = self.usual(median, now)
        return median > Swift.max(Self.unremarkable, usual * Self.largestRatio) ? .rising : .flat
    }

    /// Begins a round of which only calls are part that begin from now on.
    mutating func begin(at now: ContinuousClock.Instant) {
        self.samples.removeAll(keepingCapacity: true)
        self.roundBegan = now
    }

    private mutating func usual(_ median: Duration, _ now: ContinuousClock.Instant) -> Duration {
        if let least, now - least.since < Self.memory {
            self.least?.value = Swift.min(least.value, median)
        } else {
            self.leastBefore = self.least?.value
            self.least = (median, now)
        }
        let value = self.least?.value ?? median
        return self.leastBefore.map { Swift.min($0, value) } ?? value
    }
}
