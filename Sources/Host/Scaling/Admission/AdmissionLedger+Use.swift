extension AdmissionLedger {
    // MARK: - What is in use

    /// Takes what a ScaledJob has: all its Jobs that exist or may exist.
    ///
    /// One that is not known, because it was deleted or not listed yet, counts in its namespace and the host. Without a
    /// namespace it counts in the one that was given last.
    package mutating func setUse(
        of uid: String,
        namespace: String?,
        _ use: AdmissionUse,
        now: ContinuousClock.Instant
    ) {
        self.advance(now)
        let known = self.claimantIndex[uid]
        if use == AdmissionUse(), known == nil { return }
        guard let namespace = namespace ?? known.map({ self.claimants[$0].namespace }) else { return }
        let claimant = self.obtainClaimant(uid, namespace)
        let before = self.claimants[claimant].use
        guard use != before else { return }
        self.claimants[claimant].use = use
        for index in self.claimants[claimant].shares.indices {
            self.settleShare(index, of: claimant)
            let share = self.claimants[claimant].shares[index]
            self.addUse(use, insteadOf: before, to: share)
            self.measureShare(index, of: claimant)
            if let group = share.group { self.groupChanged(group, in: share.scope) }
        }
        if use.jobs < before.jobs || !use.resources.isEmpty || !before.resources.isEmpty {
            self.renewEntry(of: claimant)
        }
        self.discardIfIdle(claimant)
    }

    private mutating func addUse(_ use: AdmissionUse, insteadOf before: AdmissionUse, to share: Share) {
        let scope = share.scope
        self.scopes[scope].pace.settle(jobs: self.scopes[scope].use.jobs, now: self.clock)
        self.scopes[scope].use -= before
        self.scopes[scope].use += use
        if let group = share.group {
            self.settleGroup(group, in: scope)
            self.scopes[scope].groups[group].use -= before
            self.scopes[scope].groups[group].use += use
        }
        if use.jobs < before.jobs, self.scopes[scope].pace.released(before.jobs - use.jobs) {
            self.renewEntries(in: scope)
        }
        let isLess =
            use.jobs < before.jobs || use.objects < before.objects
            || before.resources.names.contains { use.resources[$0] < before.resources[$0] }
        if isLess { self.open(scope) }
    }

    /// The greatest part of a limit that `use` takes; where Jobs are not limited, their number.
    func part(_ use: AdmissionUse, in scope: Int) -> Double {
        let limits = self.scopes[scope].limits
        var part: Double?
        if let limit = limits.runningJobs { part = Double(use.jobs) / Double(Swift.max(1, limit)) }
        if !use.resources.isEmpty {
            for (name, limit) in limits.resources {
                let amount = Double(use.resources[name]) / Double(Swift.max(1, limit))
                part = Swift.max(part ?? 0, amount)
            }
        } else if !limits.resources.isEmpty {
            part = part ?? 0
        }
        return part ?? Double(use.jobs)
    }

    // MARK: - Shares

    mutating func settleShare(_ index: Int, of claimant: Int) {
        let isActive = self.claimants[claimant].isActive
        self.claimants[claimant].shares[index].account.settle(now: self.clock, isActive: isActive)
    }

    mutating func settleGroup(_ group: Int, in scope: Int) {
        let isActive = self.scopes[scope].groups[group].active > 0
        self.scopes[scope].groups[group].account.settle(now: self.clock, isActive: isActive)
    }

    /// Brings a share in line with the use, the cost and the limits.
    mutating func measureShare(_ index: Int, of claimant: Int) {
        let subject = self.claimants[claimant]
        let scope = subject.shares[index].scope
        self.claimants[claimant].shares[index].account.part = self.part(subject.use, in: scope)
        let cost = subject.claim?.cost ?? ResourceAmounts()
        var need = ResourceAmounts()
        if !cost.isEmpty {
            for name in self.scopes[scope].limits.resources.keys { need[name] = cost[name] }
        }
        self.claimants[claimant].shares[index].need = need
        self.claimants[claimant].shares[index].step = self.part(AdmissionUse(jobs: 1, resources: cost), in: scope)
    }

    private mutating func groupChanged(_ group: Int, in scope: Int) {
        let part = self.part(self.scopes[scope].groups[group].use, in: scope)
        let isLess = part < self.scopes[scope].groups[group].account.part
        self.scopes[scope].groups[group].account.part = part
        guard isLess else { return }
        for lane in self.scopes[scope].lanes.indices where self.scopes[scope].lanes[lane].groups[group] != nil {
            self.pushGroup(group, scope, lane)
        }
    }

    /// Puts a claimant into its scopes; `former` are its shares of before, whose accounts go on where the scope is the same.
    mutating func joinScopes(_ claimant: Int, former: [Share]) {
        self.claimants[claimant].shares = []
        let subject = self.claimants[claimant]
        for name in self.scopeNames(of: claimant) {
            let scope = self.obtainScope(name)
            var share = Share(scope: scope)
            if let account = former.first(where: { $0.scope == scope })?.account { share.account = account }
            self.scopes[scope].members.insert(claimant)
            if let group = subject.claim?.group {
                let index = self.obtainGroup(GroupKey(priority: subject.priority, group: group), in: scope)
                share.group = index
                self.settleGroup(index, in: scope)
                self.scopes[scope].groups[index].members += 1
                self.scopes[scope].groups[index].weight = subject.groupWeight
                if subject.isActive { self.scopes[scope].groups[index].active += 1 }
            }
            self.claimants[claimant].shares.append(share)
            let index = self.claimants[claimant].shares.count - 1
            self.addUse(subject.use, insteadOf: AdmissionUse(), to: share)
            self.settleShare(index, of: claimant)
            self.measureShare(index, of: claimant)
            if let group = share.group { self.groupChanged(group, in: scope) }
            if former.isEmpty || !former.contains(where: { $0.scope == scope }) {
                self.lift(index, of: claimant, slack: 0)
            }
        }
    }

    /// Takes a claimant out of its scopes; returns what it had of them.
    mutating func leaveScopes(_ claimant: Int) -> [Share] {
        for index in self.claimants[claimant].shares.indices { self.settleShare(index, of: claimant) }
        let subject = self.claimants[claimant]
        for share in subject.shares {
            let scope = share.scope
            if let group = share.group {
                self.settleGroup(group, in: scope)
                self.scopes[scope].groups[group].members -= 1
                if subject.isActive { self.scopes[scope].groups[group].active -= 1 }
            }
            self.addUse(AdmissionUse(), insteadOf: subject.use, to: share)
            if let group = share.group { self.groupChanged(group, in: scope) }
            self.scopes[scope].members.remove(claimant)
            if let group = share.group, self.scopes[scope].groups[group].members == 0 {
                self.scopes[scope].groupIndex[self.scopes[scope].groups[group].key] = nil
                self.scopes[scope].freeGroups.append(group)
            }
        }
        self.claimants[claimant].shares = []
        return subject.shares
    }

    private mutating func obtainGroup(_ key: GroupKey, in scope: Int) -> Int {
        if let group = self.scopes[scope].groupIndex[key] { return group }
        let new = Group(key: key, weight: 1)
        let group: Int
        if let free = self.scopes[scope].freeGroups.popLast() {
            group = free
            self.scopes[scope].groups[group] = new
        } else {
            group = self.scopes[scope].groups.count
            self.scopes[scope].groups.append(new)
        }
        self.scopes[scope].groupIndex[key] = group
        return group
    }

    /// Raises what one had before to where those are that are in turn now: nobody saves up while it wants nothing, or while
    /// something else keeps it.
    mutating func lift(_ index: Int, of claimant: Int, slack: Double) {
        let subject = self.claimants[claimant]
        let share = subject.shares[index]
        let scope = share.scope
        let slack = slack * self.scopes[scope].pace.horizon * share.step
        let floor = self.scopes[scope].floor[subject.priority] ?? 0
        guard let group = share.group else {
            let least = floor * subject.weight - slack
            let service = self.claimants[claimant].shares[index].account.service
            self.claimants[claimant].shares[index].account.service = Swift.max(service, least)
            return
        }
        let node = self.scopes[scope].groups[group]
        let least = node.floor * subject.weight - slack
        let service = self.claimants[claimant].shares[index].account.service
        self.claimants[claimant].shares[index].account.service = Swift.max(service, least)
        if node.active <= 1 {
            let least = floor * node.weight - slack
            self.scopes[scope].groups[group].account.service = Swift.max(node.account.service, least)
        }
    }
}
