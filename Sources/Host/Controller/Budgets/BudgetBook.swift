import Kubernetes
package import Scaling

/// Which JobBudgets select which ScaledJobs, and what follows from that: the claims that ScaledJobs have.
///
/// Pure. A change of a ScaledJob costs that one; a change of a JobBudget costs those that it selects, or might.
package struct BudgetBook: Sendable {
    /// A ScaledJob as far as budgets look at one.
    package struct Member: Sendable, Equatable {
        package var namespace: String
        package var labels: [String: String]
        package var share: JobShare
        package var cost: ResourceAmounts

        package init(
            namespace: String,
            labels: [String: String] = [:],
            share: JobShare = JobShare(),
            cost: ResourceAmounts = ResourceAmounts()
        ) {
            self.namespace = namespace
            self.labels = labels
            self.share = share
            self.cost = cost
        }
    }

    /// A JobBudget and the limits of it that are in force.
    package struct Budget: Sendable, Equatable {
        package var uid: String
        package var generation: Int64?
        /// What is in force: the last specification that was right as a whole, or what can be read of the only one that
        /// was ever seen.
        package var specification = BudgetSpecification()
        /// Whether it is known whom it selects; nothing is limited by a budget of which that was never known.
        package var isReadable = false
        /// What is wrong with the specification as it is now.
        package var problems: [Problem] = []
    }

    /// What has changed since it was last asked for.
    package struct Changes: Sendable, Equatable {
        /// The UIDs of ScaledJobs whose claim is another one, or that are gone.
        package var claims: Set<String> = []
        /// The names of the budgets whose limits are others, or that are gone.
        package var budgets: Set<String> = []

        package var isEmpty: Bool { self.claims.isEmpty && self.budgets.isEmpty }
    }

    package private(set) var budgets: [String: Budget] = [:]
    /// By name, the UIDs of the ScaledJobs that a budget selects.
    package private(set) var selected: [String: Set<String>] = [:]
    /// ScaledJobs of which it isn't known yet whether some budget selects them, and how many budgets that are.
    private var undecided: [String: Set<String>] = [:]
    private var members: [String: Member] = [:]
    private var claims: [String: AdmissionClaim] = [:]
    private var byNamespace: [String: Set<String>] = [:]
    /// Nil until Namespaces are listed.
    private var namespaceLabels: [String: [String: String]]?
    /// Why Namespaces cannot be listed, and won't be.
    package private(set) var namespacesFailure: String?
    /// The names of budgets that select by the labels of namespaces.
    private var byLabels: Set<String> = []
    private var changes = Changes()
    /// Selectors that were tried on a ScaledJob, from which the cost of a change can be told.
    package private(set) var trials = 0

    package init() {}

    // MARK: - What there is

    package func claim(of uid: String) -> AdmissionClaim? { self.claims[uid] }

    /// Whether it is known which budgets select it.
    package func isDecided(_ uid: String) -> Bool { self.undecided[uid] == nil }

    /// Whether some budget selects by the labels of namespaces.
    package var needsNamespaces: Bool { !self.byLabels.isEmpty }

    /// Whether Namespaces are needed, and neither they nor that they cannot be listed is known.
    package var waitsForNamespaces: Bool {
        self.needsNamespaces && self.namespaceLabels == nil && self.namespacesFailure == nil
    }

    /// The limits of a budget that are in force.
    package func limits(of budget: String) -> AdmissionLimits? {
        self.budgets[budget].flatMap { $0.isReadable ? $0.specification.limits : nil }
    }

    /// How many finished Jobs the members of a budget may keep together; nil for no limit.
    package func mostFinishedJobs(of budget: String) -> Int? {
        self.budgets[budget].flatMap { $0.isReadable ? $0.specification.mostFinishedJobs : nil }
    }

    package mutating func takeChanges() -> Changes {
        defer { self.changes = Changes() }
        return self.changes
    }

    // MARK: - ScaledJobs

    /// Takes a ScaledJob as it is now; nil once it is gone.
    package mutating func set(_ uid: String, to member: Member?) {
        let before = self.members[uid]
        guard before != member else { return }
        if let before, before.namespace != member?.namespace {
            self.byNamespace[before.namespace]?.remove(uid)
            if self.byNamespace[before.namespace]?.isEmpty == true { self.byNamespace[before.namespace] = nil }
        }
        self.members[uid] = member
        guard let member else {
            for name in self.claims[uid]?.budgets ?? [] { self.selected[name]?.remove(uid) }
            self.undecided[uid] = nil
            self.claims[uid] = nil
            self.changes.claims.insert(uid)
            return
        }
        self.byNamespace[member.namespace, default: []].insert(uid)
        if before?.namespace != member.namespace || before?.labels != member.labels {
            for name in self.budgets.keys { self.select(uid, by: name) }
        }
        self.renewClaim(of: uid)
    }

    /// Takes what one Job of a ScaledJob costs.
    package mutating func setCost(_ cost: ResourceAmounts, of uid: String) {
        guard var member = self.members[uid] else { return }
        member.cost = cost
        self.set(uid, to: member)
    }

    // MARK: - JobBudgets

    /// Takes a JobBudget as it is now.
    package mutating func set(_ object: JobBudget) {
        let name = object.metadata.name
        let reading = BudgetSpecification.read(object.spec)
        let former = self.budgets[name].flatMap { $0.uid == object.metadata.uid ?? "" ? $0 : nil }
        var budget = former ?? Budget(uid: object.metadata.uid ?? "")
        budget.generation = object.metadata.generation
        budget.problems = reading.problems
        if reading.problems.isEmpty || former?.isReadable != true, let specification = reading.specification {
            budget.specification = specification
            budget.isReadable = true
        }
        self.replace(name, with: budget)
    }

    package mutating func removeBudget(_ name: String) {
        guard self.budgets[name] != nil else { return }
        self.replace(name, with: nil)
    }

    private mutating func replace(_ name: String, with budget: Budget?) {
        let before = self.budgets[name]
        self.budgets[name] = budget
        let (old, new) = (before.flatMap(Self.force), budget.flatMap(Self.force))
        if new?.selector.namespaceLabels == nil { self.byLabels.remove(name) } else { self.byLabels.insert(name) }
        guard before == nil || budget == nil || old != new else { return }
        let isOther = old?.limits != new?.limits || old?.mostFinishedJobs != new?.mostFinishedJobs
        if isOther || before == nil || budget == nil { self.changes.budgets.insert(name) }
        var concerned = self.selected[name] ?? []
        if old?.selector != new?.selector {
            for uid in self.candidates(of: old).union(self.candidates(of: new)) {
                if self.select(uid, by: name) { concerned.insert(uid) }
            }
        } else if old?.sharing == new?.sharing {
            return
        }
        if budget == nil { self.selected[name] = nil }
        for uid in concerned { self.renewClaim(of: uid) }
    }

    /// What holds of a budget.
    private static func force(_ budget: Budget) -> BudgetSpecification? {
        budget.isReadable ? budget.specification : nil
    }

    /// The ScaledJobs that a specification may select, from which namespaces that are named spare most.
    private func candidates(of specification: BudgetSpecification?) -> Set<String> {
        guard let selector = specification?.selector else { return [] }
        guard selector.namespaceLabels == nil, !selector.namespaces.isEmpty else { return Set(self.members.keys) }
        return selector.namespaces.reduce(into: []) { $0.formUnion(self.byNamespace[$1] ?? []) }
    }

    // MARK: - Namespaces

    /// Takes all Namespaces.
    package mutating func setNamespaces(_ labels: [String: [String: String]]) {
        let before = self.namespaceLabels
        self.namespaceLabels = labels
        self.namespacesFailure = nil
        for namespace in Set(labels.keys).union((before ?? [:]).keys).union(self.byNamespace.keys)
        where before == nil || before?[namespace] != labels[namespace] {
            self.selectAnew(in: namespace)
        }
    }

    /// Takes the labels of one Namespace; nil once it is gone.
    package mutating func setNamespace(_ name: String, labels: [String: String]?) {
        guard self.namespaceLabels != nil, self.namespaceLabels?[name] != labels else { return }
        self.namespaceLabels?[name] = labels
        self.selectAnew(in: name)
    }

    /// Notes that Namespaces cannot be listed: budgets select by name alone, as far as nothing was known before.
    package mutating func failNamespaces(_ reason: String) {
        guard self.namespacesFailure != reason else { return }
        self.namespacesFailure = reason
        guard self.namespaceLabels == nil else { return }
        for namespace in self.byNamespace.keys { self.selectAnew(in: namespace) }
    }

    private mutating func selectAnew(in namespace: String) {
        let names = self.byLabels
        guard !names.isEmpty else { return }
        for uid in self.byNamespace[namespace] ?? [] {
            var isOther = false
            for name in names where self.select(uid, by: name) { isOther = true }
            if isOther { self.renewClaim(of: uid) }
        }
    }

    // MARK: - Selecting

    /// Finds out whether a budget selects a ScaledJob; true when that has changed, or what is known of it.
    @discardableResult
    private mutating func select(_ uid: String, by name: String) -> Bool {
        self.trials += 1
        let selects = self.selects(uid, self.budgets[name].flatMap(Self.force)?.selector)
        var isOther = false
        if selects == nil {
            isOther = self.undecided[uid, default: []].insert(name).inserted
        } else if self.undecided[uid]?.remove(name) != nil {
            isOther = true
            if self.undecided[uid]?.isEmpty == true { self.undecided[uid] = nil }
            self.changes.claims.insert(uid)
        }
        if selects == true {
            isOther = self.selected[name, default: []].insert(uid).inserted || isOther
        } else {
            isOther = self.selected[name]?.remove(uid) != nil || isOther
        }
        return isOther
    }

    /// Nil where it cannot be told yet.
    private func selects(_ uid: String, _ selector: BudgetSpecification.Selector?) -> Bool? {
        guard let selector, let member = self.members[uid] else { return false }
        guard selector.scaledJobLabels?.matches(member.labels) ?? true else { return false }
        guard !selector.namespaces.contains(member.namespace) else { return true }
        guard let labels = selector.namespaceLabels else { return selector.namespaces.isEmpty }
        if let namespaces = self.namespaceLabels { return namespaces[member.namespace].map(labels.matches) }
        return self.namespacesFailure == nil ? nil : false
    }

    /// Makes the claim of a ScaledJob anew from the budgets that select it.
    private mutating func renewClaim(of uid: String) {
        guard let member = self.members[uid] else { return }
        let names = self.budgets.keys.filter { self.selected[$0]?.contains(uid) == true }.sorted()
        var claim = AdmissionClaim(
            namespace: member.namespace,
            budgets: names,
            priority: member.share.priority,
            weight: member.share.weight,
            cost: member.cost,
            limits: AdmissionLimits(jobsPerBatch: member.share.jobsPerBatch)
        )
        // The first that says how to share.
        if let name = names.first(where: { self.budgets[$0]?.specification.sharing != nil }),
            let sharing = self.budgets[name]?.specification.sharing,
            let group = sharing.group(namespace: member.namespace, labels: member.labels)
        {
            claim.group = AdmissionClaim.Group(budget: name, name: group)
            claim.groupWeight = sharing.weights[group] ?? 1
        }
        guard self.claims.updateValue(claim, forKey: uid) != claim else { return }
        self.changes.claims.insert(uid)
    }
}
