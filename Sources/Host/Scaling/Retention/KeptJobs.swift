/// The finished Jobs of one ScaledJob, and which of them its own rules delete.
struct KeptJobs: Sendable {
    /// When one Job becomes too old.
    private struct Expiry: Comparable, Sendable {
        let at: Int64
        let job: FinishedJob

        static func < (left: Expiry, right: Expiry) -> Bool { (left.at, left.job) < (right.at, right.job) }
    }

    private(set) var policy: RetentionPolicy
    private let grace: Int64
    private var succeeded = AgeOrder()
    private var failed = AgeOrder()
    /// Those that are too old; in neither of the two others.
    private var expired = AgeOrder()
    private var expiries = LeastFirst<Expiry>()

    init(policy: RetentionPolicy, grace: Int64) {
        self.policy = policy
        self.grace = grace
    }

    /// Jobs that none of its own rules deletes.
    var kept: Int {
        Swift.min(self.succeeded.count, self.policy.successful) + Swift.min(self.failed.count, self.policy.failed)
    }

    /// Whether its own rules delete any.
    var hasExcess: Bool {
        self.expired.count > 0 || self.succeeded.count > self.policy.successful
            || self.failed.count > self.policy.failed
    }

    /// The oldest that is kept.
    var oldestKept: FinishedJob? {
        let oldest = FinishedJob.Outcome.allCases.compactMap { outcome in
            let order = self[outcome]
            return order[Swift.max(0, order.count - self.limit(outcome))]
        }
        return oldest.min()
    }

    /// When the next one becomes too old; never later than that, perhaps earlier.
    var nextExpiry: Int64? { self.expiries.first?.at }

    private subscript(outcome: FinishedJob.Outcome) -> AgeOrder {
        _read {
            switch outcome {
            case .succeeded: yield self.succeeded
            case .failed: yield self.failed
            }
        }
        _modify {
            switch outcome {
            case .succeeded: yield &self.succeeded
            case .failed: yield &self.failed
            }
        }
    }

    private func limit(_ outcome: FinishedJob.Outcome) -> Int {
        switch outcome {
        case .succeeded: self.policy.successful
        case .failed: self.policy.failed
        }
    }

    // MARK: - What is known

    mutating func add(_ job: FinishedJob) {
        guard !self.expired.contains(job), self[job.outcome].insert(job) else { return }
        self.expect(job)
    }

    mutating func remove(_ job: FinishedJob) {
        if !self[job.outcome].remove(job) { _ = self.expired.remove(job) }
        self.forgetOldExpiries()
    }

    mutating func reset(to jobs: [FinishedJob]) {
        self.succeeded = AgeOrder(jobs.filter { $0.outcome == .succeeded })
        self.failed = AgeOrder(jobs.filter { $0.outcome == .failed })
        self.expired = AgeOrder()
        self.renewExpiries()
    }

    mutating func change(_ policy: RetentionPolicy) {
        guard policy != self.policy else { return }
        self.policy = policy
        for job in self.expired.all { _ = self[job.outcome].insert(job) }
        self.expired = AgeOrder()
        self.renewExpiries()
    }

    private mutating func expect(_ job: FinishedJob) {
        guard let at = self.policy.expiry(of: job, grace: self.grace) else { return }
        self.expiries.insert(Expiry(at: at, job: job))
        self.forgetOldExpiries()
    }

    /// Bounds the memory of Jobs that are gone.
    private mutating func forgetOldExpiries() {
        guard self.expiries.count > 32, self.expiries.count > 2 * (self.succeeded.count + self.failed.count) else {
            return
        }
        self.renewExpiries()
    }

    private mutating func renewExpiries() {
        var expiries: [Expiry] = []
        for outcome in FinishedJob.Outcome.allCases {
            for job in self[outcome].all {
                guard let at = self.policy.expiry(of: job, grace: self.grace) else { continue }
                expiries.append(Expiry(at: at, job: job))
            }
        }
        self.expiries = LeastFirst(expiries)
    }

    // MARK: - What goes

    /// Finds the Jobs that have become too old by now.
    mutating func expire(at unixSeconds: Int64) {
        while let next = self.expiries.first, next.at <= unixSeconds {
            self.expiries.removeFirst()
            let isAsExpected = self.policy.expiry(of: next.job, grace: self.grace) == next.at
            guard isAsExpected, self[next.job.outcome].remove(next.job) else { continue }
            _ = self.expired.insert(next.job)
        }
    }

    /// Takes out the next Job that its own rules delete.
    mutating func takeExcess(at unixSeconds: Int64) -> FinishedJob? {
        while let job = self.expired[0] {
            _ = self.expired.remove(job)
            if self.isTooOld(job, at: unixSeconds) { return job }
            // The clock was put back: it is as young as it was.
            self.add(job)
        }
        let excess = FinishedJob.Outcome.allCases.compactMap { outcome in
            self[outcome].count > self.limit(outcome) ? self[outcome][0] : nil
        }
        guard let oldest = excess.min() else { return nil }
        self.remove(oldest)
        return oldest
    }

    private func isTooOld(_ job: FinishedJob, at unixSeconds: Int64) -> Bool {
        self.policy.expiry(of: job, grace: self.grace).map { $0 <= unixSeconds } ?? false
    }

    /// Whether its own rules would delete a Job that is not in here.
    func isExcess(_ job: FinishedJob, at unixSeconds: Int64) -> Bool {
        let order = self[job.outcome]
        let younger = order.count - order.rank(of: job)
        return younger >= self.limit(job.outcome) || self.isTooOld(job, at: unixSeconds)
    }
}
