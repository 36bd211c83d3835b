import DequeModule
import Kubernetes
import Scaling

/// What this host's Jobs of one namespace cost, by its LimitRanges, and what its ResourceQuotas leave to them.
struct NamespaceAccount: Sendable {
    /// A Job as the watch has shown it.
    private struct Entry {
        var uid: String
        var owner: String
        var needs: JobNeeds
        var cost: ResourceAmounts
        /// Which round of ``young`` it stands in; nil once it counts for certain.
        var since: ContinuousClock.Instant?
        var isFinished: Bool
    }

    /// How long after a Job was shown every quota that is shown counts it.
    ///
    /// Jobs and quotas come over two watches, and neither waits for the other.
    static let certainty = Duration.seconds(1)

    private(set) var defaults = ContainerDefaults()
    private(set) var room = QuotaRoom()
    private var jobs: [String: Entry] = [:]
    private var young: Deque<(name: String, since: ContinuousClock.Instant)> = []
    /// What is counted for certain; Job objects under ``QuotaRoom/jobObjects``.
    private(set) var counted = ResourceAmounts()
    /// The cost of each kind of Job; bounded, and made anew where it is not found.
    private var costs: [JobNeeds: ResourceAmounts] = [:]

    private static let mostKinds = 2_000

    var isEmpty: Bool { self.jobs.isEmpty && self.room.isEmpty && self.defaults.names.isEmpty }
    /// The limits that the quotas set now; nil where there is no quota.
    var limits: AdmissionLimits? { self.room.isEmpty ? nil : self.room.limits(counted: self.counted) }
    /// When more is certain; nil where nobody waits for that.
    var nextDue: ContinuousClock.Instant? {
        self.room.isEmpty ? nil : self.young.first.map { $0.since + Self.certainty }
    }

    // MARK: - Costs

    mutating func cost(of needs: JobNeeds) -> ResourceAmounts { self.kind(needs).cost }

    /// The cost, and the equal value that is stored already, so that Jobs of one template share it.
    private mutating func kind(_ needs: JobNeeds) -> (needs: JobNeeds, cost: ResourceAmounts) {
        if let index = self.costs.index(forKey: needs) { return (self.costs[index].key, self.costs[index].value) }
        if self.costs.count >= Self.mostKinds { self.costs = [:] }
        let cost = needs.cost(defaults: self.defaults.requests)
        self.costs[needs] = cost
        return (needs, cost)
    }

    /// The cost of a Job that the watch has shown; nil for one that it has not.
    func cost(ofJob name: String) -> ResourceAmounts? { self.jobs[name]?.cost }

    // MARK: - Jobs

    mutating func upsert(_ job: JobSummary, owner: String, at now: ContinuousClock.Instant) {
        let name = job.key.name
        let (needs, cost) = self.kind(job.needs)
        let former = self.jobs[name].flatMap { $0.uid == job.observed.uid ? $0 : nil }
        if let former, former.isFinished == job.observed.isFinished, former.needs == needs { return }
        if let gone = self.jobs[name] { self.count(gone, -1) }
        let entry = Entry(
            uid: job.observed.uid,
            owner: owner,
            needs: needs,
            cost: cost,
            since: former.map(\.since) ?? now,
            isFinished: job.observed.isFinished
        )
        if former == nil { self.young.append((name, now)) }
        self.jobs[name] = entry
        self.count(entry, 1)
    }

    mutating func remove(_ name: String) {
        guard let entry = self.jobs.removeValue(forKey: name) else { return }
        self.count(entry, -1)
    }

    /// Forgets every Job that is not listed.
    mutating func keep(only names: Set<String>) {
        for name in self.jobs.keys where !names.contains(name) { self.remove(name) }
    }

    /// Counts for certain what was shown long enough ago.
    mutating func mature(at now: ContinuousClock.Instant) {
        while let first = self.young.first, first.since + Self.certainty <= now {
            self.young.removeFirst()
            guard var entry = self.jobs[first.name], entry.since == first.since else { continue }
            entry.since = nil
            self.jobs[first.name] = entry
            self.count(entry, 1)
        }
    }

    private mutating func count(_ entry: Entry, _ sign: Int) {
        guard entry.since == nil else { return }
        if !entry.isFinished {
            if sign > 0 { self.counted += entry.cost } else { self.counted -= entry.cost }
        }
        self.counted[QuotaRoom.jobObjects] += Int128(sign) * 1_000
    }

    // MARK: - Quotas and LimitRanges

    mutating func set(quota name: String, to quota: ResourceQuota?) { self.room.set(name, to: quota) }

    /// Takes a LimitRange; true when containers without requests cost something else now.
    mutating func set(limitRange name: String, to defaults: PodResources.Amounts?) -> Bool {
        let before = self.defaults.requests
        self.defaults.set(name, to: defaults)
        guard self.defaults.requests != before else { return false }
        self.costs = [:]
        for (name, entry) in self.jobs where !entry.isFinished {
            self.count(entry, -1)
            var entry = entry
            entry.cost = self.cost(of: entry.needs)
            self.count(entry, 1)
            self.jobs[name] = entry
        }
        return true
    }

    /// The unfinished Jobs of each owner.
    var unfinished: [(owner: String, job: String, cost: ResourceAmounts)] {
        self.jobs.compactMap { name, entry in entry.isFinished ? nil : (entry.owner, name, entry.cost) }
    }
}
