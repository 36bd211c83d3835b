import Kubernetes
import Scaling

/// JobBudgets and the Namespaces that they select by: whose limits hold for which ScaledJobs.
extension ControllerMachine {
    // MARK: - What the watches show

    mutating func handle(_ change: Reflection<JobBudget>, at moment: Moment) {
        self.limitObjects.unknownIsStale = true
        switch change {
        case .replaced(let budgets, _):
            let listed = Set(budgets.map(\.metadata.name))
            for name in self.limitObjects.book.budgets.keys where !listed.contains(name) { self.budgetIsGone(name) }
            for budget in budgets { self.saw(budget, at: moment) }
            self.limitObjects.watches.listed(.budgets, nil)
        case .upserted(let budget): self.saw(budget, at: moment)
        case .deleted(let budget): self.budgetIsGone(budget.metadata.name)
        case .interrupted(let error):
            let before = self.limitObjects.watches.state(.budgets, nil)
            if self.limitObjects.watches.budgetsFailed(error, at: moment.instant) {
                for name in self.limitObjects.book.budgets.keys { self.budgetIsGone(name) }
            }
            if self.limitObjects.watches.state(.budgets, nil) != before { self.touchAll() }
        }
    }

    mutating func handle(_ change: Reflection<Namespace>) {
        self.limitObjects.unknownIsStale = true
        switch change {
        case .replaced(let namespaces, _):
            self.limitObjects.book.setNamespaces(
                Dictionary(namespaces.map { ($0.metadata.name, $0.metadata.labels ?? [:]) }) { _, last in last }
            )
        case .upserted(let namespace):
            self.limitObjects.book.setNamespace(namespace.metadata.name, labels: namespace.metadata.labels ?? [:])
        case .deleted(let namespace): self.limitObjects.book.setNamespace(namespace.metadata.name, labels: nil)
        case .interrupted(let error):
            guard [.forbidden, .unauthorized, .notFound].contains(error.code) else { return }
            guard self.limitObjects.book.namespacesFailure == nil else { return }
            self.limitObjects.book.failNamespaces(error.message)
            self.limitObjects.staleStatuses.formUnion(self.limitObjects.book.budgets.keys)
            self.warn("Namespaces cannot be listed; budgets select namespaces by their names only", error)
        }
    }

    private mutating func saw(_ budget: JobBudget, at moment: Moment) {
        let name = budget.metadata.name
        if budget.metadata.deletionTimestamp != nil { return self.budgetIsGone(name) }
        let before = self.limitObjects.book.budgets[name]?.problems ?? []
        self.limitObjects.book.set(budget)
        if self.limitObjects.statuses[name] == nil {
            self.limitObjects.statuses[name] = BudgetStatusRecord(budget.status, now: moment.instant)
        }
        self.limitObjects.staleStatuses.insert(name)
        let problems = self.limitObjects.book.budgets[name]?.problems ?? []
        guard problems != before, !problems.isEmpty else { return }
        let facts = ["jobbudget": name, "problem": Self.list(problems)]
        self.actions.append(.log(LogRecord(level: .warning, message: "a JobBudget cannot be read", facts: facts)))
    }

    private mutating func budgetIsGone(_ name: String) {
        self.limitObjects.book.removeBudget(name)
        self.limitObjects.statuses[name] = nil
        self.limitObjects.staleStatuses.remove(name)
    }

    private mutating func warn(_ message: String, _ error: KubernetesError) {
        self.actions.append(
            .log(LogRecord(level: .warning, message: message, facts: ["error": error.description]))
        )
    }

    private mutating func touchAll() { self.touched.formUnion(self.records.keys) }

    // MARK: - ScaledJobs

    /// Reads the annotations that say what part a ScaledJob gets of limits that it shares, and what its Jobs cost.
    mutating func noteShare(_ record: inout ScaledJobRecord) {
        var problems: [Problem] = []
        let share = JobShare(record.object.metadata.annotations, problems: &problems)
        if !problems.isEmpty {
            record.problems += problems
            record.specification = nil
            record.template = nil
        }
        let uid = record.uid
        // One that cannot be read now has Jobs that were made of what could.
        let needs =
            record.specification.map { JobNeeds(jobTargetRef: $0.jobTargetRef) } ?? self.limitObjects.needs[uid]
            ?? JobNeeds()
        self.limitObjects.needs[uid] = needs
        self.limitObjects.book.set(
            uid,
            to: BudgetBook.Member(
                namespace: record.key.namespace,
                labels: record.object.metadata.labels ?? [:],
                share: share,
                cost: self.limitObjects.cost(of: needs, in: record.key.namespace)
            )
        )
    }

    mutating func forgetShare(_ uid: String) {
        self.limitObjects.needs[uid] = nil
        self.limitObjects.book.set(uid, to: nil)
    }

    /// Notes that the status of the budgets of a ScaledJob may say something else now.
    mutating func noteBudgetUse(_ uid: String) {
        guard let budgets = self.limitObjects.book.claim(of: uid)?.budgets, !budgets.isEmpty else { return }
        self.limitObjects.staleStatuses.formUnion(budgets)
    }

    // MARK: - What follows

    /// Whether it is known which budgets hold for a ScaledJob.
    func limitsAreKnown(for record: ScaledJobRecord) -> Bool { self.limitObjects.book.isDecided(record.uid) }

    /// Why no Job is created anywhere; nil where that is not for want of a right.
    var limitsProblem: Problem? {
        guard case .unknown(.forbidden?, let message) = self.limitObjects.watches.state(.budgets, nil) else {
            return nil
        }
        let mend = "give the host the right to list and watch jobbudgets of sluice.dev"
        return Problem(
            "JobBudgets",
            "cannot be listed, and nothing is created without knowing them: \(message); \(mend)"
        )
    }

    /// Tells the ledger what has changed; nothing of it costs anything while nothing does.
    mutating func settleLimits(_ moment: Moment) {
        self.settleUnknown()
        let changes = self.limitObjects.book.takeChanges()
        for name in changes.budgets {
            self.setLimits(self.limitObjects.book.limits(of: name), of: .budget(name))
            self.setFinishedTotal(self.limitObjects.book.mostFinishedJobs(of: name), of: .budget(name))
        }
        for uid in changes.claims {
            let claim = self.limitObjects.book.claim(of: uid)
            self.setClaim(claim, of: uid)
            self.setFinishedScopes(claim?.budgets.map(AdmissionScope.budget) ?? [], of: uid)
            if self.records[uid] != nil { self.touched.insert(uid) }
        }
        if !changes.isEmpty { self.limitObjects.staleStatuses.formUnion(self.limitObjects.statuses.keys) }
        if !self.limitObjects.asksForNamespaces, self.limitObjects.book.needsNamespaces {
            self.limitObjects.asksForNamespaces = true
            self.actions.append(.watchNamespaces)
        }
        self.settleQuotas(moment)
    }

    /// Holds everything while limits are not known.
    private mutating func settleUnknown() {
        guard self.configuration.watchesLimits, self.limitObjects.unknownIsStale else { return }
        self.limitObjects.unknownIsStale = false
        let watches = self.limitObjects.watches
        let scopes: [String?] = self.configuration.namespaces.map { $0.map(Optional.some) } ?? [nil]
        var unknown: Set<String> = []
        if !watches.isKnown(.budgets, nil) { unknown.insert("JobBudgets") }
        if !scopes.allSatisfy({ watches.isKnown(.quotas, $0) }) { unknown.insert("ResourceQuotas") }
        if !scopes.allSatisfy({ watches.isKnown(.limitRanges, $0) }) { unknown.insert("LimitRanges") }
        if self.limitObjects.book.waitsForNamespaces { unknown.insert("Namespaces") }
        guard unknown != self.limitObjects.unknown else { return }
        for what in unknown.symmetricDifference(self.limitObjects.unknown ?? []) {
            self.setUnknown(what, unknown.contains(what))
        }
        self.limitObjects.unknown = unknown
        self.touchAll()
    }
}
