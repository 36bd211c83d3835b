import Scaling

/// ScaledJobs with work, Jobs that run for a while, and a ledger between them; time is simulated.
struct AdmissionWorld {
    struct Job {
        let owner: String
        let cost: ResourceAmounts
        let endsAt: ContinuousClock.Instant
    }

    struct Person {
        var claim: AdmissionClaim
        /// Jobs that it wants beyond those that run.
        var backlog = 0
        var isReady = true
        var duration: ClosedRange<Double> = 10...10
        var running = 0
        var finished = 0
        var resources = ResourceAmounts()
        var slotSeconds = 0.0
        var grants = 0
        var batch = 0
    }

    var ledger = AdmissionLedger()
    let start = ContinuousClock.now
    var now: ContinuousClock.Instant
    var people: [String: Person] = [:]
    var limits: [AdmissionScope: AdmissionLimits] = [:]
    var jobs: [Job] = []
    var random: SplitMix
    /// Who was granted a Job and when.
    var grants: [(uid: String, at: Double)] = []

    init(seed: UInt64 = 1) {
        self.now = self.start
        self.random = SplitMix(state: seed)
    }

    var seconds: Double { (self.now - self.start) / .seconds(1) }

    mutating func limit(_ scope: AdmissionScope, _ limits: AdmissionLimits?) {
        self.limits[scope] = limits
        self.ledger.setLimits(limits, of: scope)
    }

    mutating func add(
        _ uid: String,
        _ claim: AdmissionClaim,
        backlog: Int = 1_000_000,
        duration: ClosedRange<Double> = 10...10
    ) {
        self.people[uid] = Person(claim: claim, backlog: backlog, duration: duration)
        self.ledger.setClaim(claim, of: uid)
        self.tell(uid)
    }

    mutating func claim(_ uid: String, _ claim: AdmissionClaim) {
        self.people[uid]?.claim = claim
        self.ledger.setClaim(claim, of: uid)
    }

    /// Tells the ledger how one stands.
    mutating func tell(_ uid: String) {
        guard let person = self.people[uid] else { return }
        let use = AdmissionUse(
            jobs: person.running,
            objects: person.running + person.finished,
            resources: person.resources
        )
        self.ledger.setUse(of: uid, namespace: person.claim.namespace, use, now: self.now)
        self.ledger.setDemand(
            of: uid,
            namespace: person.claim.namespace,
            jobs: person.backlog,
            isReady: person.isReady,
            now: self.now
        )
    }

    /// Grants all that is admitted now; returns to whom.
    @discardableResult
    mutating func grant(atMost most: Int = .max) -> [String] {
        var granted: [String] = []
        while granted.count < most, let uid = self.ledger.next(now: self.now) {
            self.create(uid)
            granted.append(uid)
        }
        return granted
    }

    private mutating func create(_ uid: String) {
        guard var person = self.people[uid] else { return }
        self.ledger.take(uid, now: self.now)
        let length = Double.random(in: person.duration, using: &self.random)
        self.jobs.append(Job(owner: uid, cost: person.claim.cost, endsAt: self.now + .seconds(length)))
        person.running += 1
        person.resources += person.claim.cost
        person.backlog -= 1
        person.grants += 1
        person.batch += 1
        self.people[uid] = person
        self.grants.append((uid, self.seconds))
        self.tell(uid)
    }

    mutating func finish(_ index: Int) {
        let job = self.jobs.remove(at: index)
        self.people[job.owner]?.running -= 1
        self.people[job.owner]?.resources -= job.cost
        self.people[job.owner]?.finished += 1
        self.tell(job.owner)
    }

    mutating func startBatch(_ uid: String) {
        self.people[uid]?.batch = 0
        self.ledger.startBatch(of: uid)
    }

    /// Moves the clock; Jobs that end are not looked at.
    mutating func advance(to instant: ContinuousClock.Instant) {
        let passed = (instant - self.now) / .seconds(1)
        for (uid, person) in self.people { self.people[uid]?.slotSeconds += Double(person.running) * passed }
        self.now = instant
    }

    /// Lets Jobs run, end and follow each other.
    mutating func run(_ seconds: Double, check: (inout AdmissionWorld) -> Void = { _ in }) {
        let end = self.now + .seconds(seconds)
        self.grant()
        while true {
            let next = self.jobs.indices.min { self.jobs[$0].endsAt < self.jobs[$1].endsAt }
            var at = next.map { self.jobs[$0].endsAt } ?? end
            var isJob = next != nil
            if let wake = self.ledger.nextWake, wake < at { (at, isJob) = (wake, false) }
            guard at < end else { break }
            self.advance(to: Swift.max(at, self.now))
            if isJob, let next { self.finish(next) }
            self.grant()
            check(&self)
            if !isJob, self.ledger.nextWake == nil, next == nil { break }
        }
        self.advance(to: end)
    }

    mutating func forgetTime() {
        for uid in self.people.keys { self.people[uid]?.slotSeconds = 0 }
    }

    /// The part of all slot-seconds that each had, by its weight: 1 for all that had just their share.
    func shares(weight: (Person) -> Double = { $0.claim.weight }) -> [String: Double] {
        let total = self.people.values.reduce(0) { $0 + $1.slotSeconds }
        let weights = self.people.values.reduce(0) { $0 + weight($1) }
        return self.people.mapValues { ($0.slotSeconds / total) / (weight($0) / weights) }
    }

    // MARK: - The naive model

    func scopes(of uid: String) -> [AdmissionScope] {
        guard let person = self.people[uid] else { return [] }
        return [.scaledJob(uid), .namespace(person.claim.namespace), .host]
            + Set(person.claim.budgets).map(AdmissionScope.budget)
    }

    func limits(of scope: AdmissionScope) -> AdmissionLimits {
        if case .scaledJob(let uid) = scope { return self.people[uid]?.claim.limits ?? AdmissionLimits() }
        return self.limits[scope] ?? AdmissionLimits()
    }

    func use(of scope: AdmissionScope) -> AdmissionUse {
        var sum = AdmissionUse()
        for (uid, person) in self.people where self.scopes(of: uid).contains(scope) {
            sum += AdmissionUse(
                jobs: person.running,
                objects: person.running + person.finished,
                resources: person.resources
            )
        }
        return sum
    }

    /// The first limit that one more Job would break; rates are left out.
    func broken(by uid: String) -> String? {
        guard let person = self.people[uid] else { return "unknown" }
        for scope in self.scopes(of: uid) {
            let (limits, use) = (self.limits(of: scope), self.use(of: scope))
            if let limit = limits.runningJobs, use.jobs + 1 > limit { return "\(scope) running" }
            if let limit = limits.jobObjects, use.objects + 1 > limit { return "\(scope) objects" }
            if let limit = limits.jobsPerBatch, person.batch + 1 > limit { return "\(scope) batch" }
            for (name, limit) in limits.resources
            where person.claim.cost[name] > 0 && use.resources[name] + person.claim.cost[name] > limit {
                return "\(scope) \(name)"
            }
        }
        return nil
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
