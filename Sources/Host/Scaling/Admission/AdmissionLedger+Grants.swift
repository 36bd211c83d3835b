extension AdmissionLedger {
    /// The ScaledJob whose turn it is to ask for a Job; nil when none may.
    ///
    /// It stays the one until its Job is taken or its demand changes.
    package mutating func next(now: ContinuousClock.Instant) -> String? {
        self.advance(now)
        self.wakeRates()
        guard self.unknown.isEmpty else { return nil }
        while let (claimant, isNew) = self.best() {
            if let wait = self.batchWait(of: claimant) {
                self.dequeue(claimant)
                self.claimants[claimant].place = .asleep
                self.setWait(wait, of: claimant)
                continue
            }
            if let (scope, wait) = self.refusal(of: claimant) {
                self.park(claimant, in: scope)
                self.setWait(wait, of: claimant)
                if wait.dimension == .jobsPerSecond { self.noteRate(scope) }
                continue
            }
            // Those that wait for the same come before it, or it comes before them: their scope decides.
            if isNew, let scope = self.contested(by: claimant) {
                self.park(claimant, in: scope)
                self.unexplained.append(claimant)
                continue
            }
            return self.claimants[claimant].uid
        }
        self.explain()
        return nil
    }

    /// Says what those wait for that others went before.
    private mutating func explain() {
        for claimant in self.unexplained {
            guard case .lane(let scope, _) = self.claimants[claimant].place, self.claimants[claimant].wait == nil,
                let need = self.claimants[claimant].share(in: scope)?.need,
                let wait = self.refusal(in: scope, need: need, claimant: claimant)
            else { continue }
            self.setWait(wait, of: claimant)
        }
        self.unexplained.removeAll(keepingCapacity: true)
    }

    /// Notes that the Job of the one in turn is asked for; its use follows with ``setUse(of:namespace:_:now:)``.
    package mutating func take(_ uid: String, now: ContinuousClock.Instant) {
        self.advance(now)
        guard let claimant = self.claimantIndex[uid] else { return }
        self.claimants[claimant].batch += 1
        self.claimants[claimant].waitingSince = self.clock
        self.noteAge(of: claimant)
        for index in self.claimants[claimant].shares.indices {
            self.settleShare(index, of: claimant)
            let share = self.claimants[claimant].shares[index]
            let scope = share.scope
            self.scopes[scope].rate?.take(now: self.clock)
            self.raiseFloor(claimant, share)
            self.noteOvertaking(by: claimant, in: scope)
            if let overdue = self.overdue, overdue.claimant == claimant, overdue.scope == scope {
                self.scopes[scope].turnsByPriority = 0
            } else {
                self.scopes[scope].turnsByPriority += 1
            }
        }
        self.overdue = nil
    }

    private mutating func raiseFloor(_ claimant: Int, _ share: Share) {
        let subject = self.claimants[claimant]
        let own = share.account.service / subject.weight
        var level = own
        if let group = share.group {
            self.settleGroup(group, in: share.scope)
            let node = self.scopes[share.scope].groups[group]
            self.scopes[share.scope].groups[group].floor = Swift.max(node.floor, own)
            level = node.account.service / node.weight
        }
        let floor = self.scopes[share.scope].floor[subject.priority] ?? 0
        self.scopes[share.scope].floor[subject.priority] = Swift.max(floor, level)
    }

    // MARK: - Who is next

    /// The first in turn of all that may have room; the second tells whether it was not looked at before.
    private mutating func best() -> (Int, Bool)? {
        self.overdue = nil
        var best: (claimant: Int, rank: Rank, isNew: Bool, isOverdue: Bool)?
        func isBetter(_ rank: Rank, isOverdue: Bool) -> Bool {
            guard let best else { return true }
            return isOverdue != best.isOverdue ? isOverdue : rank < best.rank
        }
        var index = 0
        while index < self.openScopes.count {
            let scope = self.openScopes[index]
            guard let (claimant, isOverdue) = self.bestFit(in: scope, self.lanes(scope)) else {
                self.scopes[scope].isOpen = false
                self.openScopes.remove(at: index)
                continue
            }
            let rank = self.rank(claimant, in: Self.host)
            if isBetter(rank, isOverdue: isOverdue) {
                best = (claimant, rank, false, isOverdue)
                self.overdue = isOverdue ? (claimant, scope) : nil
            }
            index += 1
        }
        if let (claimant, isOverdue) = self.bestFit(in: Self.host, Self.front..<Self.front + 1) {
            let rank = self.rank(claimant, in: Self.host)
            if isBetter(rank, isOverdue: isOverdue) {
                best = (claimant, rank, true, isOverdue)
                self.overdue = isOverdue ? (claimant, Self.host) : nil
            }
        }
        return best.map { ($0.claimant, $0.isNew) }
    }

    /// The first in turn of those in these lanes whose Job fits; the second tells whether it comes before its turn.
    private mutating func bestFit(in scope: Int, _ lanes: Range<Int>) -> (Int, Bool)? {
        let isFront = scope == Self.host && lanes.lowerBound == Self.front
        var best: (claimant: Int, rank: Rank)?
        var fitting: [Int] = []
        for lane in lanes where self.scopes[scope].lanes[lane].count > 0 {
            if !isFront {
                let need = self.scopes[scope].lanes[lane].need
                if let wait = self.refusal(in: scope, need: need, claimant: nil) {
                    if wait.dimension == .jobsPerSecond { self.noteRate(scope) }
                    // The one that the scope is held for may take what its own lane may not.
                    guard let held = self.heldFor(scope), case .lane(scope, lane) = self.claimants[held].place,
                        self.refusal(in: scope, need: need, claimant: held) == nil
                    else { continue }
                    return (held, false)
                }
            }
            guard let claimant = self.first(scope, lane) else { continue }
            fitting.append(lane)
            let rank = self.rank(claimant, in: scope)
            if best.map({ rank < $0.rank }) ?? true { best = (claimant, rank) }
        }
        guard let best else { return nil }
        if let overdue = self.overdue(in: scope, fitting, below: best.rank.priority) { return (overdue, true) }
        return (best.claimant, false)
    }

    /// One of a lower priority that has waited longer than it should.
    private mutating func overdue(in scope: Int, _ lanes: [Int], below priority: Int) -> Int? {
        guard self.scopes[scope].turnsByPriority >= Self.turnsBetweenOverdue else { return nil }
        let bound = self.clock - Self.seconds(self.longestWait)
        var oldest: AdmissionLane.Age?
        for lane in lanes {
            for lower in self.scopes[scope].lanes[lane].ages.keys where lower < priority {
                while let age = self.scopes[scope].lanes[lane].ages[lower]?.first {
                    guard self.claimants[age.claimant].arrival == age.arrival,
                        self.claimants[age.claimant].waitingSince == age.since
                    else {
                        self.scopes[scope].lanes[lane].ages[lower]?.removeFirst()
                        continue
                    }
                    if age.since <= bound, oldest.map({ age < $0 }) ?? true { oldest = age }
                    break
                }
                if self.scopes[scope].lanes[lane].ages[lower]?.first == nil {
                    self.scopes[scope].lanes[lane].ages[lower] = nil
                }
            }
        }
        return oldest?.claimant
    }

    /// A scope where others wait and where there may be room: what is in turn there is for it to say.
    private func contested(by claimant: Int) -> Int? {
        for share in self.claimants[claimant].shares where self.scopes[share.scope].isOpen { return share.scope }
        return nil
    }

    // MARK: - What keeps one

    private func batchWait(of claimant: Int) -> AdmissionWait? {
        let subject = self.claimants[claimant]
        var tightest: (scope: Int, limit: Int)?
        for share in subject.shares {
            guard let limit = self.scopes[share.scope].limits.jobsPerBatch else { continue }
            if tightest.map({ limit < $0.limit }) ?? true { tightest = (share.scope, limit) }
        }
        guard let tightest, subject.batch >= tightest.limit else { return nil }
        return AdmissionWait(
            scope: self.scopes[tightest.scope].name,
            dimension: .jobsPerBatch,
            inUse: Int128(subject.batch),
            limit: Int128(tightest.limit)
        )
    }

    /// The first of its scopes that does not admit another Job of it.
    func refusal(of claimant: Int) -> (scope: Int, wait: AdmissionWait)? {
        for share in self.claimants[claimant].shares {
            if let wait = self.refusal(in: share.scope, need: share.need, claimant: claimant) {
                return (share.scope, wait)
            }
        }
        return nil
    }

    /// Why a scope does not admit a Job; `claimant` is nil for anybody's.
    func refusal(in scope: Int, need: ResourceAmounts, claimant: Int?) -> AdmissionWait? {
        guard self.scopes[scope].hasLimits else { return nil }
        let limits = self.scopes[scope].limits
        let name = self.scopes[scope].name
        let use = self.scopes[scope].use
        if !self.isComplete, self.scopes[scope].countsJobs, name.reachesBeyondOneNamespace {
            let cause = AdmissionWait.Cause.unknown("the Jobs of all namespaces")
            return AdmissionWait(scope: name, dimension: .runningJobs, cause: cause)
        }
        func counted(_ dimension: AdmissionDimension, _ count: Int, _ limit: Int?) -> AdmissionWait? {
            guard let limit, count >= limit else { return nil }
            return AdmissionWait(scope: name, dimension: dimension, inUse: Int128(count), limit: Int128(limit))
        }
        if let wait = self.lacking(in: scope, need: need) { return wait }
        if let wait = counted(.runningJobs, use.jobs, limits.runningJobs) { return wait }
        if let wait = counted(.jobObjects, use.objects, limits.jobObjects) { return wait }
        if let held = self.heldFor(scope), held != claimant, let wait = self.kept(for: held, in: scope, from: need) {
            return wait
        }
        if let rate = self.scopes[scope].rate, rate.opensAt > self.clock {
            let limit = Int128((rate.rate * 1000).rounded())
            return AdmissionWait(scope: name, dimension: .jobsPerSecond, inUse: limit, limit: limit, needed: 1000)
        }
        return nil
    }

    /// The resource that there is too little of.
    private func lacking(in scope: Int, need: ResourceAmounts) -> AdmissionWait? {
        guard !need.isEmpty else { return nil }
        var found: AdmissionWait?
        for name in need.names {
            let amount = need[name]
            guard amount > 0, let limit = self.scopes[scope].limits.resources[name] else { continue }
            let used = self.scopes[scope].use.resources[name]
            let isTooLarge = amount > limit
            guard isTooLarge || used > limit - amount else { continue }
            let wait = AdmissionWait(
                scope: self.scopes[scope].name,
                dimension: .resource(name),
                inUse: used,
                limit: limit,
                needed: amount,
                cause: isTooLarge ? .unsatisfiable : .used
            )
            // One that can never be had is the better answer; among equals the order of names decides.
            guard let before = found else {
                found = wait
                continue
            }
            if isTooLarge != (before.cause == .unsatisfiable) {
                if isTooLarge { found = wait }
            } else if case .resource(let other) = before.dimension, name < other {
                found = wait
            }
        }
        return found
    }

    // MARK: - Overtaking

    /// The one whose larger Job has been overtaken long enough.
    private func heldFor(_ scope: Int) -> Int? {
        guard let overtaken = self.scopes[scope].overtaken,
            self.clock - overtaken.since >= Self.seconds(self.longestOvertaking)
        else { return nil }
        return overtaken.claimant
    }

    /// A resource that the held one is short of and that the other would take.
    private func kept(for held: Int, in scope: Int, from need: ResourceAmounts) -> AdmissionWait? {
        guard let share = self.claimants[held].share(in: scope) else { return nil }
        for (name, limit) in self.scopes[scope].limits.resources.sorted(by: { $0.key < $1.key }) {
            let used = self.scopes[scope].use.resources[name]
            let amount = share.need[name]
            // Short of it even without this one, or because of it.
            guard amount > 0, need[name] > 0, used > limit - amount - need[name] else { continue }
            return AdmissionWait(
                scope: self.scopes[scope].name,
                dimension: .resource(name),
                inUse: used,
                limit: limit,
                needed: need[name],
                cause: .held
            )
        }
        return nil
    }

    /// Notes the first in turn whose Job does not fit, when another one takes what it is short of.
    private mutating func noteOvertaking(by claimant: Int, in scope: Int) {
        guard !self.scopes[scope].limits.resources.isEmpty else { return }
        if self.scopes[scope].overtaken?.claimant == claimant {
            self.scopes[scope].overtaken = nil
            return self.open(scope)
        }
        guard self.scopes[scope].overtaken == nil, let need = self.claimants[claimant].share(in: scope)?.need,
            !need.isEmpty
        else { return }
        var head: (claimant: Int, rank: Rank)?
        for lane in self.lanes(scope) where self.scopes[scope].lanes[lane].count > 0 {
            let other = self.scopes[scope].lanes[lane].need
            guard let wait = self.lacking(in: scope, need: other), wait.cause == .used,
                case .resource(let name) = wait.dimension, need[name] > 0,
                let first = self.first(scope, lane), first != claimant
            else { continue }
            let rank = self.rank(first, in: scope)
            if head.map({ rank < $0.rank }) ?? true { head = (first, rank) }
        }
        guard let head, head.rank < self.rank(claimant, in: scope) else { return }
        self.scopes[scope].overtaken = Overtaken(claimant: head.claimant, since: self.clock)
    }

    // MARK: - Rates

    /// Lets those be looked at again that waited for the time.
    package mutating func wake(now: ContinuousClock.Instant) {
        self.advance(now)
        self.wakeRates()
    }

    private mutating func wakeRates() {
        while let wake = self.rateWakes.first, wake.at <= self.clock {
            self.rateWakes.removeFirst()
            self.scopes[wake.scope].isRateNoted = false
            self.open(wake.scope)
        }
    }

    /// Notes when a scope admits another Job that one waits for because of its rate.
    mutating func noteRate(_ scope: Int) {
        guard let rate = self.scopes[scope].rate, !self.scopes[scope].isRateNoted else { return }
        self.scopes[scope].isRateNoted = true
        self.rateWakes.insert(RateWake(at: rate.opensAt, scope: scope))
    }
}

extension AdmissionScope {
    fileprivate var reachesBeyondOneNamespace: Bool {
        switch self {
        case .budget, .host: true
        case .scaledJob, .namespace: false
        }
    }
}
