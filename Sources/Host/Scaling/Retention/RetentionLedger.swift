/// The finished Jobs of all ScaledJobs, and which of them are to be deleted: those beyond the number, the age, or the
/// total that is kept.
///
/// Pure and incremental: a Job that finishes or goes costs a search in the order of its ScaledJob, never a look at all of
/// them. Time is the wall clock's, because conditions are dated by it; a clock that is put back, and a condition in the
/// future, only keep a Job longer.
///
/// A Job that ``takeExcess(of:at:)`` gave out counts as gone. Whoever fails to delete it asks ``isExcess(_:of:at:)`` before
/// the next attempt, because the rules may have changed, and adds it again where they now keep it.
package struct RetentionLedger: Sendable {
    private struct Wake: Comparable, Sendable {
        let at: Int64
        let owner: String

        static func < (left: Wake, right: Wake) -> Bool { (left.at, left.owner) < (right.at, right.owner) }
    }

    private struct Owner: Sendable {
        var jobs: KeptJobs
        /// Whose totals it counts for, besides the host's.
        var scopes: [AdmissionScope] = []
        /// As its scopes' totals have it.
        var counted = 0
        var candidate: FinishedJob?
        /// The time for which it is in the queue of expiries.
        var wakesAt: Int64?
    }

    private var owners: [String: Owner] = [:]
    private var totals: [AdmissionScope: RetentionTotal] = [:]
    private var wakes = LeastFirst<Wake>()
    /// ScaledJobs of which Jobs may be deleted since ``takeStirred()``.
    private var stirred: Set<String> = []
    private let grace: Int64

    /// `grace` is how many seconds the cluster has to delete a Job whose `ttlSecondsAfterFinished` is over by itself.
    package init(grace: Int64 = 5) { self.grace = grace }

    // MARK: - Rules

    /// Gives a ScaledJob its rules; it is known from then on.
    package mutating func set(_ policy: RetentionPolicy, of owner: String) {
        if self.owners[owner] == nil {
            self.owners[owner] = Owner(jobs: KeptJobs(policy: policy, grace: self.grace))
            self.totals[.host]?.members.insert(owner)
        } else {
            self.owners[owner]?.jobs.change(policy)
        }
        self.review(owner)
    }

    /// Says whose totals a ScaledJob that is known counts for, besides the host's.
    package mutating func set(scopes: [AdmissionScope], of owner: String) {
        guard let former = self.owners[owner]?.scopes, former != scopes else { return }
        for scope in former where scope != .host { self.leave(scope, owner) }
        self.owners[owner]?.scopes = scopes
        for scope in scopes where scope != .host { self.join(scope, owner) }
        self.review(owner)
    }

    /// Sets how many finished Jobs all ScaledJobs of a scope may keep together; nil for no limit.
    package mutating func set(total limit: Int?, of scope: AdmissionScope) {
        guard let limit else { return self.totals[scope] = nil }
        if self.totals[scope] == nil {
            self.totals[scope] = RetentionTotal(limit: limit)
            for (uid, owner) in self.owners where scope == .host || owner.scopes.contains(scope) {
                self.join(scope, uid)
            }
        } else {
            self.totals[scope]?.limit = limit
        }
        self.stirOldest(of: scope)
    }

    package mutating func forget(_ owner: String) {
        guard let former = self.owners[owner] else { return }
        for scope in Self.scopes(of: former) { self.leave(scope, owner) }
        self.owners[owner] = nil
        self.stirred.remove(owner)
    }

    private static func scopes(of owner: Owner) -> [AdmissionScope] { owner.scopes.filter { $0 != .host } + [.host] }

    private mutating func join(_ scope: AdmissionScope, _ uid: String) {
        guard self.totals[scope]?.members.insert(uid).inserted == true, let owner = self.owners[uid] else { return }
        self.totals[scope]?.kept += owner.counted
        if let job = owner.candidate {
            self.totals[scope]?.oldest.insert(RetentionTotal.Candidate(job: job, owner: uid))
        }
    }

    private mutating func leave(_ scope: AdmissionScope, _ uid: String) {
        guard self.totals[scope]?.members.remove(uid) != nil else { return }
        self.totals[scope]?.kept -= self.owners[uid]?.counted ?? 0
        // Its Jobs may have been the next to go.
        self.stirOldest(of: scope)
    }

    // MARK: - Jobs

    /// Adds a finished Job, or does nothing when it is known; Jobs of a ScaledJob that is not known are nobody's.
    package mutating func add(_ job: FinishedJob, of owner: String) {
        guard self.owners[owner] != nil else { return }
        self.owners[owner]?.jobs.add(job)
        self.review(owner)
    }

    /// Takes a Job out that is gone, or going; nothing changes when it is not in here.
    package mutating func remove(_ job: FinishedJob, of owner: String) {
        guard self.owners[owner] != nil else { return }
        self.owners[owner]?.jobs.remove(job)
        self.review(owner)
    }

    /// Takes a complete list.
    package mutating func reset(_ owner: String, to jobs: [FinishedJob]) {
        guard self.owners[owner] != nil else { return }
        self.owners[owner]?.jobs.reset(to: jobs)
        self.review(owner)
    }

    // MARK: - What goes

    /// When the next Job may become too old, in Unix seconds.
    package var nextExpiry: Int64? { self.wakes.first?.at }

    /// Finds the Jobs that have become too old by now.
    package mutating func expire(at unixSeconds: Int64) {
        while let wake = self.wakes.first, wake.at <= unixSeconds {
            self.wakes.removeFirst()
            guard self.owners[wake.owner]?.wakesAt == wake.at else { continue }
            self.owners[wake.owner]?.wakesAt = nil
            self.owners[wake.owner]?.jobs.expire(at: unixSeconds)
            self.review(wake.owner)
        }
    }

    /// The ScaledJobs of which Jobs may have to be deleted since the last time.
    package mutating func takeStirred() -> Set<String> {
        defer { self.stirred.removeAll(keepingCapacity: true) }
        return self.stirred
    }

    /// Whether a Job of this ScaledJob is to be deleted.
    package mutating func hasExcess(_ owner: String) -> Bool {
        guard let found = self.owners[owner] else { return false }
        if found.jobs.hasExcess { return true }
        for scope in Self.scopes(of: found) where self.oldest(beyond: scope)?.owner == owner { return true }
        return false
    }

    /// Takes out the next Job of a ScaledJob that is to be deleted; nil when there is none.
    package mutating func takeExcess(of owner: String, at unixSeconds: Int64) -> FinishedJob? {
        guard let scopes = self.owners[owner].map(Self.scopes) else { return nil }
        // In place: Jobs that are taken out and changed would be copied.
        if self.owners[owner]?.jobs.hasExcess == true {
            let job = self.owners[owner]?.jobs.takeExcess(at: unixSeconds)
            // Also when there is none: Jobs may have been found to be as young as they were.
            self.review(owner)
            if let job { return job }
        }
        for scope in scopes {
            guard let oldest = self.oldest(beyond: scope), oldest.owner == owner else { continue }
            self.remove(oldest.job, of: owner)
            return oldest.job
        }
        return nil
    }

    /// Whether the rules would delete a Job that is not in here.
    package mutating func isExcess(_ job: FinishedJob, of owner: String, at unixSeconds: Int64) -> Bool {
        guard let found = self.owners[owner] else { return false }
        if found.jobs.isExcess(job, at: unixSeconds) { return true }
        for scope in Self.scopes(of: found) {
            guard let total = self.totals[scope], total.kept >= total.limit else { continue }
            guard let oldest = self.oldest(of: scope) else { return true }
            if RetentionTotal.Candidate(job: job, owner: owner) < oldest { return true }
        }
        return false
    }

    // MARK: - Totals

    /// Brings the totals and the wake-up of a ScaledJob up to date with its Jobs.
    private mutating func review(_ uid: String) {
        guard let owner = self.owners[uid] else { return }
        let kept = owner.jobs.kept
        let candidate = owner.jobs.oldestKept
        for scope in Self.scopes(of: owner) where self.totals[scope] != nil {
            self.totals[scope]?.kept += kept - owner.counted
            if candidate != owner.candidate, let candidate {
                self.totals[scope]?.oldest.insert(RetentionTotal.Candidate(job: candidate, owner: uid))
            }
        }
        self.owners[uid]?.counted = kept
        self.owners[uid]?.candidate = candidate
        if owner.jobs.hasExcess { self.stirred.insert(uid) }
        for scope in Self.scopes(of: owner) { self.stirOldest(of: scope) }
        self.wake(uid, at: owner.jobs.nextExpiry)
    }

    private mutating func stirOldest(of scope: AdmissionScope) {
        if let oldest = self.oldest(beyond: scope) { self.stirred.insert(oldest.owner) }
    }

    /// The oldest of a scope that keeps too many.
    private mutating func oldest(beyond scope: AdmissionScope) -> RetentionTotal.Candidate? {
        guard let total = self.totals[scope], total.kept > total.limit else { return nil }
        return self.oldest(of: scope)
    }

    /// The oldest Job that a scope keeps.
    private mutating func oldest(of scope: AdmissionScope) -> RetentionTotal.Candidate? {
        self.forgetOldCandidates(of: scope)
        while let oldest = self.totals[scope]?.oldest.first {
            let isMember = self.totals[scope]?.members.contains(oldest.owner) ?? false
            if isMember, self.owners[oldest.owner]?.candidate == oldest.job { return oldest }
            self.totals[scope]?.oldest.removeFirst()
        }
        return nil
    }

    private mutating func forgetOldCandidates(of scope: AdmissionScope) {
        guard let total = self.totals[scope], total.oldest.count > 32 + 2 * total.members.count else { return }
        self.totals[scope]?.oldest = LeastFirst(
            total.members.compactMap { uid in
                (self.owners[uid]?.candidate).map { RetentionTotal.Candidate(job: $0, owner: uid) }
            }
        )
    }

    private mutating func wake(_ uid: String, at expiry: Int64?) {
        guard self.owners[uid]?.wakesAt != expiry else { return }
        self.owners[uid]?.wakesAt = expiry
        if let expiry { self.wakes.insert(Wake(at: expiry, owner: uid)) }
        guard self.wakes.count > 32 + 2 * self.owners.count else { return }
        self.wakes = LeastFirst(
            self.owners.compactMap { uid, owner in owner.wakesAt.map { Wake(at: $0, owner: uid) } }
        )
    }
}

/// How many finished Jobs the ScaledJobs of one scope may keep together.
struct RetentionTotal: Sendable {
    /// The oldest Job that one ScaledJob keeps.
    struct Candidate: Comparable, Sendable {
        let job: FinishedJob
        let owner: String

        static func < (left: Candidate, right: Candidate) -> Bool {
            (left.job, left.owner) < (right.job, right.owner)
        }
    }

    var limit: Int
    /// What the rules of each ScaledJob by itself keep.
    var kept = 0
    var members: Set<String> = []
    /// Those that no longer hold are in here as well.
    var oldest = LeastFirst<Candidate>()

    init(limit: Int) { self.limit = limit }
}
