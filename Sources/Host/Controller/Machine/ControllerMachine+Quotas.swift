import Kubernetes
import Scaling

/// ResourceQuotas, LimitRanges and the cost of Jobs.
extension ControllerMachine {
    // MARK: - What the watches show

    mutating func handle(_ change: Reflection<ResourceQuota>, scope: String?) {
        self.limitObjects.unknownIsStale = true
        switch change {
        case .replaced(let quotas, _):
            let listed = Set(quotas.map(\.key))
            for (namespace, account) in self.limitObjects.accounts where scope == nil || namespace == scope {
                for name in account.room.names where !listed.contains(ObjectKey(namespace: namespace, name: name)) {
                    self.set(nil, at: ObjectKey(namespace: namespace, name: name))
                }
            }
            for quota in quotas { self.set(quota, at: quota.key) }
            self.limitObjects.watches.listed(.quotas, scope)
        case .upserted(let quota): self.set(quota, at: quota.key)
        case .deleted(let quota): self.set(nil, at: quota.key)
        case .interrupted(let error):
            guard self.limitObjects.watches.failed(.quotas, scope, error) else { return }
            self.goOnWithout("ResourceQuotas", "Jobs beyond a quota are refused by the API server", scope, error)
        }
    }

    mutating func handle(_ change: Reflection<LimitRange>, scope: String?, at moment: Moment) {
        self.limitObjects.unknownIsStale = true
        switch change {
        case .replaced(let ranges, _):
            let listed = Set(ranges.map(\.key))
            for (namespace, account) in self.limitObjects.accounts where scope == nil || namespace == scope {
                for name in account.defaults.names where !listed.contains(ObjectKey(namespace: namespace, name: name)) {
                    self.set(nil, at: ObjectKey(namespace: namespace, name: name), moment)
                }
            }
            for range in ranges { self.set(range.defaultRequests, at: range.key, moment) }
            self.limitObjects.watches.listed(.limitRanges, scope)
        case .upserted(let range): self.set(range.defaultRequests, at: range.key, moment)
        case .deleted(let range): self.set(nil, at: range.key, moment)
        case .interrupted(let error):
            guard self.limitObjects.watches.failed(.limitRanges, scope, error) else { return }
            self.goOnWithout("LimitRanges", "containers that request nothing count as nothing", scope, error)
        }
    }

    private mutating func goOnWithout(
        _ what: String,
        _ consequence: String,
        _ scope: String?,
        _ error: KubernetesError
    ) {
        var facts = ["error": error.description, "consequence": consequence]
        if let scope { facts["namespace"] = scope }
        let message = "\(what) cannot be listed; going on without them"
        self.actions.append(.log(LogRecord(level: .warning, message: message, facts: facts)))
    }

    private mutating func set(_ quota: ResourceQuota?, at key: ObjectKey) {
        self.limitObjects.accounts[key.namespace, default: NamespaceAccount()].set(quota: key.name, to: quota)
        self.accountChanged(key.namespace)
    }

    private mutating func set(_ defaults: PodResources.Amounts?, at key: ObjectKey, _ moment: Moment) {
        let namespace = key.namespace
        let isOther = self.limitObjects.accounts[namespace, default: NamespaceAccount()]
            .set(limitRange: key.name, to: defaults)
        guard isOther else { return }
        for (uid, record) in self.records where record.key.namespace == namespace {
            guard let needs = self.limitObjects.needs[uid] else { continue }
            self.limitObjects.book.setCost(self.limitObjects.cost(of: needs, in: namespace), of: uid)
        }
        self.reprice(namespace, at: moment)
        self.accountChanged(namespace)
    }

    private mutating func accountChanged(_ namespace: String) {
        let account = self.limitObjects.accounts[namespace]
        // One without quotas matters where there was one.
        guard account?.room.isEmpty == false || self.limitObjects.namespaceLimits[namespace] != nil else { return }
        self.limitObjects.changedAccounts.insert(namespace)
    }

    /// Tells the ledger what the quotas leave now.
    mutating func settleQuotas(_ moment: Moment) {
        for namespace in self.limitObjects.maturing {
            guard let due = self.limitObjects.accounts[namespace]?.nextDue, due <= moment.instant else { continue }
            self.limitObjects.changedAccounts.insert(namespace)
        }
        guard !self.limitObjects.changedAccounts.isEmpty else { return }
        for namespace in self.limitObjects.changedAccounts {
            self.limitObjects.accounts[namespace]?.mature(at: moment.instant)
            let limits = self.limitObjects.accounts[namespace]?.limits
            if self.limitObjects.accounts[namespace]?.nextDue == nil {
                self.limitObjects.maturing.remove(namespace)
            } else {
                self.limitObjects.maturing.insert(namespace)
            }
            if self.limitObjects.accounts[namespace]?.isEmpty == true { self.limitObjects.accounts[namespace] = nil }
            guard limits != self.limitObjects.namespaceLimits[namespace] else { continue }
            self.limitObjects.namespaceLimits[namespace] = limits
            self.setLimits(limits, of: .namespace(namespace))
        }
        self.limitObjects.changedAccounts = []
    }

    // MARK: - Costs of Jobs

    /// The input with the cost of every Job in it, which is noted on the way.
    mutating func priced(_ input: ControllerInput, at moment: Moment) -> ControllerInput {
        switch input {
        case .jobs(.replaced(let jobs, let startedAt), let scope):
            return .jobs(.replaced(self.priced(jobs, scope: scope, at: moment), startedAt: startedAt), scope: scope)
        case .jobs(.upserted(let job), let scope):
            return .jobs(.upserted(self.priced(job, at: moment)), scope: scope)
        case .jobs(.deleted(let job), _):
            self.limitObjects.accounts[job.key.namespace]?.remove(job.key.name)
            self.accountChanged(job.key.namespace)
            return input
        case .jobLookedUp(let job, .success(let found?)):
            return .jobLookedUp(job, .success(self.priced(found, at: moment)))
        default: return input
        }
    }

    private mutating func priced(_ jobs: [JobSummary], scope: String?, at moment: Moment) -> [JobSummary] {
        var names: [String: Set<String>] = [:]
        for job in jobs where job.owner != nil { names[job.key.namespace, default: []].insert(job.key.name) }
        for namespace in self.limitObjects.accounts.keys where scope == nil || namespace == scope {
            self.limitObjects.accounts[namespace]?.keep(only: names[namespace] ?? [])
            self.accountChanged(namespace)
        }
        return jobs.map { self.priced($0, at: moment) }
    }

    private mutating func priced(_ job: JobSummary, at moment: Moment) -> JobSummary {
        let namespace = job.key.namespace
        guard let owner = job.owner else {
            // It may have been ours.
            self.limitObjects.accounts[namespace]?.remove(job.key.name)
            self.accountChanged(namespace)
            return job
        }
        self.limitObjects.accounts[namespace, default: NamespaceAccount()]
            .upsert(job, owner: owner, at: moment.instant)
        self.accountChanged(namespace)
        guard !job.observed.isFinished else { return job }
        let cost = self.limitObjects.accounts[namespace]?.cost(ofJob: job.key.name) ?? job.observed.cost
        return JobSummary(key: job.key, owner: owner, observed: job.observed.costing(cost), needs: job.needs)
    }

    /// Gives the unfinished Jobs of a namespace the cost that they have by its LimitRanges now.
    private mutating func reprice(_ namespace: String, at moment: Moment) {
        for (owner, name, cost) in self.limitObjects.accounts[namespace]?.unfinished ?? [] {
            guard let observed = self.trackers[owner]?.observed[name]?.costing(cost) else { continue }
            let key = ObjectKey(namespace: namespace, name: name)
            self.handle(.upserted(JobSummary(key: key, owner: owner, observed: observed)), scope: nil, at: moment)
        }
    }
}

extension JobTracker.Observed {
    fileprivate func costing(_ cost: ResourceAmounts) -> JobTracker.Observed {
        JobTracker.Observed(
            name: self.name,
            uid: self.uid,
            phase: self.phase,
            isDeleting: self.isDeleting,
            template: self.template,
            cost: cost
        )
    }
}
