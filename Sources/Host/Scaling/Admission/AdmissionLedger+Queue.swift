extension AdmissionLedger {
    // MARK: - Demand

    /// Takes how many Jobs a ScaledJob wants now, and whether a call could be sent for one of them.
    package mutating func setDemand(
        of uid: String,
        namespace: String,
        jobs: Int,
        isReady: Bool,
        now: ContinuousClock.Instant
    ) {
        self.advance(now)
        if jobs <= 0, self.claimantIndex[uid] == nil { return }
        let claimant = self.obtainClaimant(uid, namespace)
        let before = self.claimants[claimant]
        if before.demand == Swift.max(0, jobs), before.isReady == isReady || jobs <= 0 { return }
        let wasActive = self.claimants[claimant].isActive
        let isActive = jobs > 0
        if isActive != wasActive {
            for index in self.claimants[claimant].shares.indices {
                self.settleShare(index, of: claimant)
                let share = self.claimants[claimant].shares[index]
                guard let group = share.group else { continue }
                self.settleGroup(group, in: share.scope)
                self.scopes[share.scope].groups[group].active += isActive ? 1 : -1
            }
        }
        self.claimants[claimant].demand = Swift.max(0, jobs)
        self.claimants[claimant].isReady = isReady
        if isActive, !wasActive {
            self.claimants[claimant].waitingSince = self.clock
            for index in self.claimants[claimant].shares.indices { self.lift(index, of: claimant, slack: 0) }
        }
        if isActive, isReady {
            if self.claimants[claimant].place == .none { self.enqueue(claimant) }
        } else {
            self.dequeue(claimant)
            if !isActive { self.setWait(nil, of: claimant) }
        }
        self.discardIfIdle(claimant)
    }

    /// A ScaledJob is gone, or wants nothing any more.
    package mutating func endDemand(of uid: String, now: ContinuousClock.Instant) {
        guard let claimant = self.claimantIndex[uid] else { return }
        let namespace = self.claimants[claimant].namespace
        self.setDemand(of: uid, namespace: namespace, jobs: 0, isReady: false, now: now)
    }

    /// A poll begins: as many Jobs as one batch may have can be created until the next.
    package mutating func startBatch(of uid: String) {
        guard let claimant = self.claimantIndex[uid], self.claimants[claimant].batch > 0 else { return }
        self.claimants[claimant].batch = 0
        guard self.claimants[claimant].place == .asleep else { return }
        self.dequeue(claimant)
        self.enqueue(claimant)
    }

    // MARK: - Places

    /// Puts one that wants Jobs where it will be looked at.
    mutating func enqueue(_ claimant: Int) {
        let subject = self.claimants[claimant]
        guard subject.isActive, subject.isReady, subject.place == .none else { return }
        self.insert(claimant, Self.host, Self.front)
    }

    /// Takes one from where it waits.
    mutating func dequeue(_ claimant: Int) {
        let place = self.claimants[claimant].place
        self.claimants[claimant].place = .none
        self.claimants[claimant].ticket = 0
        self.claimants[claimant].arrival = 0
        guard case .lane(let scope, let lane) = place else { return }
        self.scopes[scope].lanes[lane].count -= 1
        if let group = self.claimants[claimant].share(in: scope)?.group {
            self.scopes[scope].lanes[lane].groups[group]?.count -= 1
            if self.scopes[scope].lanes[lane].groups[group]?.count == 0 {
                self.scopes[scope].lanes[lane].groups[group] = nil
            }
        }
        if self.scopes[scope].overtaken?.claimant == claimant {
            self.scopes[scope].overtaken = nil
            self.open(scope)
        }
    }

    /// Lets one wait for a scope.
    mutating func park(_ claimant: Int, in scope: Int) {
        self.dequeue(claimant)
        guard let index = self.claimants[claimant].shares.firstIndex(where: { $0.scope == scope }) else { return }
        self.settleShare(index, of: claimant)
        if let group = self.claimants[claimant].shares[index].group { self.settleGroup(group, in: scope) }
        self.lift(index, of: claimant, slack: 4)
        let need = self.claimants[claimant].shares[index].need
        let lane: Int
        if let known = self.scopes[scope].laneIndex[need] {
            lane = known
        } else {
            lane = self.scopes[scope].lanes.count
            self.scopes[scope].lanes.append(AdmissionLane(need: need))
            self.scopes[scope].laneIndex[need] = lane
        }
        self.insert(claimant, scope, lane)
    }

    private mutating func insert(_ claimant: Int, _ scope: Int, _ lane: Int) {
        let arrival = self.newTicket()
        self.claimants[claimant].arrival = arrival
        self.claimants[claimant].place = .lane(scope: scope, lane: lane)
        self.scopes[scope].lanes[lane].count += 1
        self.noteAge(of: claimant)
        if let group = self.claimants[claimant].share(in: scope)?.group {
            let fresh = AdmissionLane.Group(ticket: 0)
            self.scopes[scope].lanes[lane].groups[group, default: fresh].count += 1
        }
        self.push(claimant, scope, lane)
    }

    /// Writes since when one waits.
    mutating func noteAge(of claimant: Int) {
        guard case .lane(let scope, let lane) = self.claimants[claimant].place else { return }
        let subject = self.claimants[claimant]
        let age = AdmissionLane.Age(since: subject.waitingSince, claimant: claimant, arrival: subject.arrival)
        self.scopes[scope].lanes[lane].ages[subject.priority, default: AdmissionHeap()].insert(age)
        let count = self.scopes[scope].lanes[lane].count
        self.scopes[scope].lanes[lane].ages[subject.priority]?.tidy(live: count) { [claimants = self.claimants] entry in
            claimants[entry.claimant].arrival == entry.arrival
                && claimants[entry.claimant].waitingSince == entry.since
        }
    }

    /// Writes the present key of one that waits.
    private mutating func push(_ claimant: Int, _ scope: Int, _ lane: Int) {
        let ticket = self.newTicket()
        self.claimants[claimant].ticket = ticket
        let entry = AdmissionLane.Entry(
            priority: self.claimants[claimant].priority,
            key: self.key(claimant, in: scope),
            ticket: ticket,
            entity: claimant
        )
        guard let group = self.claimants[claimant].share(in: scope)?.group else {
            self.scopes[scope].lanes[lane].entries.insert(entry)
            return self.tidy(scope, lane)
        }
        self.scopes[scope].lanes[lane].groups[group]?.members.insert(entry)
        let count = self.scopes[scope].lanes[lane].groups[group]?.count ?? 0
        self.scopes[scope].lanes[lane].groups[group]?.members.tidy(live: count) { [claimants = self.claimants] entry in
            claimants[entry.entity].ticket == entry.ticket
        }
        self.pushGroup(group, scope, lane)
    }

    mutating func pushGroup(_ group: Int, _ scope: Int, _ lane: Int) {
        let ticket = self.newTicket()
        self.scopes[scope].lanes[lane].groups[group]?.ticket = ticket
        let entry = AdmissionLane.Entry(
            priority: self.scopes[scope].groups[group].key.priority,
            key: self.groupKey(group, in: scope),
            ticket: ticket,
            entity: -1 - group
        )
        self.scopes[scope].lanes[lane].entries.insert(entry)
        self.tidy(scope, lane)
    }

    private mutating func tidy(_ scope: Int, _ lane: Int) {
        let count = self.scopes[scope].lanes[lane].count
        guard self.scopes[scope].lanes[lane].entries.elements.count > 2 * count + 64 else { return }
        let groups = self.scopes[scope].lanes[lane].groups
        self.scopes[scope].lanes[lane].entries.tidy(live: count) { [claimants = self.claimants] entry in
            entry.entity < 0
                ? groups[-1 - entry.entity]?.ticket == entry.ticket : claimants[entry.entity].ticket == entry.ticket
        }
    }

    /// Writes the key of one anew after it may have fallen.
    mutating func renewEntry(of claimant: Int) {
        guard case .lane(let scope, let lane) = self.claimants[claimant].place else { return }
        self.push(claimant, scope, lane)
    }

    /// The same for all that wait in a scope.
    mutating func renewEntries(in scope: Int) {
        for claimant in self.scopes[scope].members.sorted() {
            if case .lane(scope, let lane) = self.claimants[claimant].place { self.push(claimant, scope, lane) }
        }
    }

    mutating func dropEmptyLanes(_ scope: Int) {
        guard scope != Self.host, self.scopes[scope].lanes.allSatisfy({ $0.count == 0 }) else { return }
        self.scopes[scope].lanes = []
        self.scopes[scope].laneIndex = [:]
    }

    /// Lets those that wait for a scope be looked at.
    mutating func open(_ scope: Int) {
        guard !self.scopes[scope].isOpen, self.parked(in: scope) > 0 else { return }
        self.scopes[scope].isOpen = true
        self.openScopes.append(scope)
    }

    /// How many wait for a scope.
    func parked(in scope: Int) -> Int {
        var count = 0
        for lane in self.lanes(scope) { count += self.scopes[scope].lanes[lane].count }
        return count
    }

    /// The lanes of those that wait for a scope.
    func lanes(_ scope: Int) -> Range<Int> {
        (scope == Self.host ? Self.front + 1 : 0)..<self.scopes[scope].lanes.count
    }

    // MARK: - Order

    /// What it had for its weight: over time while it wanted more, and what it has now over the horizon.
    ///
    /// The second alone is max-min fair, but for the rounding to whole Jobs, which the first evens out.
    func key(_ claimant: Int, in scope: Int) -> Double {
        guard let share = self.claimants[claimant].share(in: scope) else { return 0 }
        let account = share.account
        let service = self.claimants[claimant].isActive ? account.service(at: self.clock) : account.service
        return (service + account.part * self.scopes[scope].pace.horizon) / self.claimants[claimant].weight
    }

    func groupKey(_ group: Int, in scope: Int) -> Double {
        let node = self.scopes[scope].groups[group]
        let service = node.active > 0 ? node.account.service(at: self.clock) : node.account.service
        return (service + node.account.part * self.scopes[scope].pace.horizon) / node.weight
    }

    /// The first in turn of one lane.
    mutating func first(_ scope: Int, _ lane: Int) -> Int? {
        while let entry = self.scopes[scope].lanes[lane].entries.first {
            if entry.entity >= 0 {
                guard self.claimants[entry.entity].ticket == entry.ticket else {
                    self.scopes[scope].lanes[lane].entries.removeFirst()
                    continue
                }
                let key = self.key(entry.entity, in: scope)
                guard key > entry.key else { return entry.entity }
                self.scopes[scope].lanes[lane].entries.replaceFirst(with: entry.with(key: key))
                continue
            }
            let group = -1 - entry.entity
            guard self.scopes[scope].lanes[lane].groups[group]?.ticket == entry.ticket,
                let member = self.firstMember(group, scope, lane)
            else {
                self.scopes[scope].lanes[lane].entries.removeFirst()
                continue
            }
            let key = self.groupKey(group, in: scope)
            guard key > entry.key else { return member }
            self.scopes[scope].lanes[lane].entries.replaceFirst(with: entry.with(key: key))
        }
        return nil
    }

    private mutating func firstMember(_ group: Int, _ scope: Int, _ lane: Int) -> Int? {
        while let entry = self.scopes[scope].lanes[lane].groups[group]?.members.first {
            guard self.claimants[entry.entity].ticket == entry.ticket else {
                self.scopes[scope].lanes[lane].groups[group]?.members.removeFirst()
                continue
            }
            let key = self.key(entry.entity, in: scope)
            guard key > entry.key else { return entry.entity }
            self.scopes[scope].lanes[lane].groups[group]?.members.replaceFirst(with: entry.with(key: key))
        }
        return nil
    }

    /// Where one stands among those of a scope: less comes first.
    func rank(_ claimant: Int, in scope: Int) -> Rank {
        let subject = self.claimants[claimant]
        let own = self.key(claimant, in: scope)
        let key = subject.share(in: scope)?.group.map { self.groupKey($0, in: scope) } ?? own
        return Rank(priority: subject.priority, key: key, own: own, arrival: subject.arrival)
    }

    struct Rank: Comparable {
        let priority: Int
        let key: Double
        let own: Double
        let arrival: UInt64

        static func < (left: Rank, right: Rank) -> Bool {
            if left.priority != right.priority { return left.priority > right.priority }
            return (left.key, left.own, left.arrival) < (right.key, right.own, right.arrival)
        }
    }
}

extension AdmissionLane.Entry {
    fileprivate func with(key: Double) -> AdmissionLane.Entry {
        AdmissionLane.Entry(priority: self.priority, key: key, ticket: self.ticket, entity: self.entity)
    }
}
