extension AdmissionLedger {
    /// What a ScaledJob waits for now; nil when it waits for nothing that is counted here.
    package func wait(of uid: String) -> AdmissionWait? {
        guard let claimant = self.claimantIndex[uid] else { return nil }
        return self.presentWait(of: claimant)
    }

    private func presentWait(of claimant: Int) -> AdmissionWait? {
        let subject = self.claimants[claimant]
        guard subject.isActive else { return nil }
        if !self.unknown.isEmpty {
            let what = self.unknown.sorted().joined(separator: " and ")
            return AdmissionWait(scope: .host, dimension: .runningJobs, cause: .unknown(what))
        }
        guard case .lane(let scope, let lane) = subject.place, scope != Self.host || lane != Self.front,
            let need = subject.share(in: scope)?.need
        else { return subject.wait }
        return self.refusal(in: scope, need: need, claimant: claimant) ?? subject.wait
    }

    mutating func setWait(_ wait: AdmissionWait?, of claimant: Int) {
        let before = self.claimants[claimant].wait
        self.claimants[claimant].wait = wait
        if let before, let wait, before.isAlike(wait) { return }
        guard before != wait else { return }
        if let before, let scope = self.scopeIndex[before.scope] {
            self.scopes[scope].waiting[before.dimension, default: 0] -= 1
            if self.scopes[scope].waiting[before.dimension] == 0 { self.scopes[scope].waiting[before.dimension] = nil }
        }
        if let wait, let scope = self.scopeIndex[wait.scope] {
            self.scopes[scope].waiting[wait.dimension, default: 0] += 1
        }
        self.changedWaits.insert(claimant)
    }

    /// The UIDs of those that wait for something else than when this was last asked, or for nothing any more.
    package mutating func takeChangedWaits() -> [String] {
        guard !self.changedWaits.isEmpty else { return [] }
        let uids = self.changedWaits.sorted().map { self.claimants[$0].uid }
        self.changedWaits.removeAll(keepingCapacity: true)
        return uids
    }

    /// How a scope stands.
    package func standing(of name: AdmissionScope) -> AdmissionStanding {
        guard let scope = self.scopeIndex[name] else { return AdmissionStanding() }
        let known = self.scopes[scope]
        var waiting: [(rank: Rank, entry: AdmissionStanding.Waiting)] = []
        for claimant in known.members {
            let subject = self.claimants[claimant]
            guard subject.wait?.scope == name, let wait = self.presentWait(of: claimant) else { continue }
            let entry = AdmissionStanding.Waiting(
                uid: subject.uid,
                namespace: subject.namespace,
                jobs: subject.demand,
                wait: wait
            )
            waiting.append((self.rank(claimant, in: scope), entry))
        }
        waiting.sort { $0.rank < $1.rank }
        return AdmissionStanding(
            limits: known.limits,
            inUse: known.use,
            waiting: waiting.prefix(AdmissionStanding.longestList).map(\.entry),
            waitingCount: waiting.count
        )
    }

    /// What one Job of a ScaledJob requests, by its claim.
    package func cost(of uid: String) -> ResourceAmounts {
        self.claimantIndex[uid].flatMap { self.claimants[$0].claim?.cost } ?? ResourceAmounts()
    }

    /// The scopes that have limits, except ScaledJobs, with what is in use of them.
    package func limitedScopes() -> [AdmissionFigures] {
        self.scopeIndex.compactMap { name, scope in
            if case .scaledJob = name { return nil }
            let known = self.scopes[scope]
            guard known.hasLimits else { return nil }
            return AdmissionFigures(scope: name, limits: known.limits, inUse: known.use, waiting: known.waiting)
        }
    }
}

/// One scope in figures, without who waits.
package struct AdmissionFigures: Sendable, Equatable {
    package let scope: AdmissionScope
    package let limits: AdmissionLimits
    package let inUse: AdmissionUse
    /// ScaledJobs that wait, by what for.
    package let waiting: [AdmissionDimension: Int]

    package init(
        scope: AdmissionScope,
        limits: AdmissionLimits,
        inUse: AdmissionUse,
        waiting: [AdmissionDimension: Int] = [:]
    ) {
        self.scope = scope
        self.limits = limits
        self.inUse = inUse
        self.waiting = waiting
    }
}
