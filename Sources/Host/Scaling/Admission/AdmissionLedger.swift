/// Every limit, what is in use of it, and who is next: a slot is taken here before the call that creates its Job.
///
/// What is in use is told, never counted along: ``setUse(of:namespace:_:now:)`` takes the Jobs that a ScaledJob has by what
/// the API server showed and what was asked of it, so that no path of a call can leave a slot behind. Who wants Jobs asks
/// with ``setDemand(of:namespace:jobs:isReady:now:)``; ``next(now:)`` names the one whose turn it is, and
/// ``take(_:now:)`` notes that its Job was asked for.
package struct AdmissionLedger: Sendable {
    /// How long one that has demand may be passed by higher priorities.
    package var longestWait = Duration.seconds(300)
    /// How long a Job that does not fit may be overtaken by smaller ones.
    package var longestOvertaking = Duration.seconds(60)

    /// Of this many turns in a scope, at most one goes to one that has waited long, so that priority keeps its meaning.
    static let turnsBetweenOverdue = 3

    var claimants: [Claimant] = []
    var claimantIndex: [String: Int] = [:]
    private var freeClaimants: [Int] = []
    var scopes: [Scope] = [Scope(name: .host)]
    var scopeIndex: [AdmissionScope: Int] = [.host: 0]
    private var freeScopes: [Int] = []

    /// Scopes in which something came free and where some wait.
    var openScopes: [Int] = []
    var rateWakes = AdmissionHeap<RateWake>()
    private var lastTicket: UInt64 = 0
    /// What must be known before anything is granted, and is not.
    var unknown: Set<String> = []
    /// Whether the Jobs of all namespaces were listed.
    var isComplete = true
    /// One that was named out of turn, because it has waited long, and where.
    var overdue: (claimant: Int, scope: Int)?
    /// Some that wait beside others and were not refused themselves.
    var unexplained: [Int] = []
    /// ScaledJobs whose reason for waiting changed.
    var changedWaits: Set<Int> = []

    private var epoch: ContinuousClock.Instant?
    /// Seconds since the first input.
    var clock = 0.0

    static let host = 0
    /// Where those wait, in the host's lanes, that were not looked at yet.
    static let front = 0

    package init() {
        self.scopes[Self.host].lanes = [AdmissionLane(need: ResourceAmounts())]
    }

    struct RateWake: Comparable, Sendable {
        let at: Double
        let scope: Int

        static func < (left: RateWake, right: RateWake) -> Bool { (left.at, left.scope) < (right.at, right.scope) }
    }

    // MARK: - Time

    mutating func advance(_ now: ContinuousClock.Instant) {
        guard let epoch = self.epoch else {
            self.epoch = now
            return
        }
        self.clock = Swift.max(self.clock, Self.seconds(now - epoch))
    }

    /// When ``next(now:)`` may name one that it does not name now, without anything else happening.
    package var nextWake: ContinuousClock.Instant? {
        guard let epoch = self.epoch, let wake = self.rateWakes.first else { return nil }
        // Rounded up, so that it is not too early by a hair.
        return epoch + .nanoseconds(Int64((wake.at * 1e9).rounded(.up)) + 1)
    }

    static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }

    mutating func newTicket() -> UInt64 {
        self.lastTicket += 1
        return self.lastTicket
    }

    // MARK: - What is not known

    /// Holds all grants while something that limits follow from is not known; the text completes "until … are known".
    package mutating func setUnknown(_ what: String, _ isUnknown: Bool) {
        if isUnknown { self.unknown.insert(what) } else { self.unknown.remove(what) }
    }

    /// Whether the Jobs of all namespaces were listed; until then nothing is granted under a limit of a budget or the host.
    package mutating func setComplete(_ isComplete: Bool) {
        guard isComplete != self.isComplete else { return }
        self.isComplete = isComplete
        for scope in self.scopes.indices { self.open(scope) }
    }

    // MARK: - Limits

    /// Sets the limits of a scope; nil for none.
    ///
    /// Those of a ScaledJob come with its claim and are not set here.
    package mutating func setLimits(_ limits: AdmissionLimits?, of name: AdmissionScope) {
        if case .scaledJob = name { return }
        self.applyLimits(limits, of: name)
        if let scope = self.scopeIndex[name] { self.discardScopeIfIdle(scope) }
    }

    private mutating func applyLimits(_ limits: AdmissionLimits?, of name: AdmissionScope) {
        let has = limits.map { $0 != AdmissionLimits() } ?? false
        guard has || self.scopeIndex[name] != nil else { return }
        let scope = self.obtainScope(name)
        guard self.scopes[scope].hasLimits != has || self.scopes[scope].limits != limits ?? AdmissionLimits() else {
            return
        }
        self.scopes[scope].hasLimits = has
        self.scopes[scope].limits = limits ?? AdmissionLimits()
        if let rate = limits?.jobsPerSecond {
            if self.scopes[scope].rate == nil {
                self.scopes[scope].rate = AdmissionRate(rate: rate, now: self.clock)
            } else {
                self.scopes[scope].rate?.change(to: rate, now: self.clock)
            }
        } else {
            self.scopes[scope].rate = nil
        }
        self.rescale(scope)
    }

    /// Brings all that follows from the limits of a scope in line with them.
    private mutating func rescale(_ scope: Int) {
        for group in self.scopes[scope].groups.indices where self.scopes[scope].groups[group].members > 0 {
            self.settleGroup(group, in: scope)
            self.scopes[scope].groups[group].account.part = self.part(self.scopes[scope].groups[group].use, in: scope)
        }
        let members = self.scopes[scope].members.sorted()
        for claimant in members {
            for index in self.claimants[claimant].shares.indices
            where self.claimants[claimant].shares[index].scope == scope {
                self.settleShare(index, of: claimant)
                self.measureShare(index, of: claimant)
            }
            switch self.claimants[claimant].place {
            case .none: continue
            case .lane(let other, let lane):
                guard other == scope || scope == Self.host && lane == Self.front else { continue }
            case .asleep: break
            }
            self.dequeue(claimant)
            self.enqueue(claimant)
        }
        self.dropEmptyLanes(scope)
    }

    // MARK: - Claims

    /// Sets what is said about a ScaledJob; nil for one about which nothing is said.
    package mutating func setClaim(_ claim: AdmissionClaim?, of uid: String) {
        if let claim, self.claimantIndex[uid] == nil { _ = self.newClaimant(uid, claim.namespace) }
        guard let claimant = self.claimantIndex[uid], self.claimants[claimant].claim != claim else { return }
        self.change(claimant) { ledger in
            ledger.claimants[claimant].claim = claim
            if let claim { ledger.claimants[claimant].namespace = claim.namespace }
        }
        self.discardIfIdle(claimant)
    }

    /// Takes a claimant out of its scopes, changes it, and puts it into those that are its own afterwards.
    private mutating func change(_ claimant: Int, _ body: (inout AdmissionLedger) -> Void) {
        self.dequeue(claimant)
        self.setWait(nil, of: claimant)
        let former = self.leaveScopes(claimant)
        body(&self)
        let uid = self.claimants[claimant].uid
        self.applyLimits(self.claimants[claimant].claim?.limits, of: .scaledJob(uid))
        self.joinScopes(claimant, former: former)
        for share in former { self.discardScopeIfIdle(share.scope) }
        self.enqueue(claimant)
    }

    func scopeNames(of claimant: Int) -> [AdmissionScope] {
        let subject = self.claimants[claimant]
        var names: [AdmissionScope] = []
        if let own = self.scopeIndex[.scaledJob(subject.uid)], self.scopes[own].hasLimits {
            names.append(self.scopes[own].name)
        }
        var seen: Set<String> = []
        for budget in subject.claim?.budgets ?? [] where seen.insert(budget).inserted { names.append(.budget(budget)) }
        names.append(.namespace(subject.namespace))
        names.append(.host)
        return names
    }

    // MARK: - Who there is

    mutating func obtainClaimant(_ uid: String, _ namespace: String) -> Int {
        guard let claimant = self.claimantIndex[uid] else { return self.newClaimant(uid, namespace) }
        // What its claim says of the namespace comes first: it is of the same object.
        if self.claimants[claimant].claim == nil, self.claimants[claimant].namespace != namespace {
            self.change(claimant) { $0.claimants[claimant].namespace = namespace }
        }
        return claimant
    }

    private mutating func newClaimant(_ uid: String, _ namespace: String) -> Int {
        let claimant: Int
        if let free = self.freeClaimants.popLast() {
            claimant = free
            self.claimants[claimant] = Claimant(uid: uid, namespace: namespace)
        } else {
            claimant = self.claimants.count
            self.claimants.append(Claimant(uid: uid, namespace: namespace))
        }
        self.claimantIndex[uid] = claimant
        self.joinScopes(claimant, former: [])
        return claimant
    }

    mutating func discardIfIdle(_ claimant: Int) {
        let subject = self.claimants[claimant]
        guard subject.claim == nil, subject.demand == 0, subject.use == AdmissionUse() else { return }
        self.dequeue(claimant)
        self.setWait(nil, of: claimant)
        for share in self.leaveScopes(claimant) { self.discardScopeIfIdle(share.scope) }
        self.changedWaits.remove(claimant)
        self.claimants[claimant].ticket = 0
        self.claimantIndex[subject.uid] = nil
        self.freeClaimants.append(claimant)
    }

    mutating func obtainScope(_ name: AdmissionScope) -> Int {
        if let scope = self.scopeIndex[name] { return scope }
        let scope: Int
        if let free = self.freeScopes.popLast() {
            scope = free
            self.scopes[scope] = Scope(name: name)
        } else {
            scope = self.scopes.count
            self.scopes.append(Scope(name: name))
        }
        self.scopes[scope].pace.settle(jobs: 0, now: self.clock)
        self.scopeIndex[name] = scope
        return scope
    }

    private mutating func discardScopeIfIdle(_ scope: Int) {
        guard scope != Self.host, !self.scopes[scope].hasLimits, self.scopes[scope].members.isEmpty,
            self.scopeIndex[self.scopes[scope].name] == scope
        else { return }
        self.scopeIndex[self.scopes[scope].name] = nil
        self.openScopes.removeAll { $0 == scope }
        self.freeScopes.append(scope)
    }
}
