import Kubernetes
import Scaling

/// Everything that the controller knows of the objects that set limits, and of the costs that follow from them.
struct LimitObjects: Sendable {
    var book = BudgetBook()
    var watches = LimitWatches()
    /// By the UID of a ScaledJob, what its Jobs need by the manifest.
    var needs: [String: JobNeeds] = [:]
    var accounts: [String: NamespaceAccount] = [:]
    /// Namespaces whose quotas, or whose Jobs under quotas, have changed.
    var changedAccounts: Set<String> = []
    /// The limits of namespaces that are in force.
    var namespaceLimits: [String: AdmissionLimits] = [:]
    /// Namespaces with quotas in which some Job is not counted for certain yet.
    var maturing: Set<String> = []
    var statuses: [String: BudgetStatusRecord] = [:]
    /// Budgets whose status may say something else now.
    var staleStatuses: Set<String> = []
    var asksForNamespaces = false
    /// Kinds that are not known yet; nil before the first look.
    var unknown: Set<String>?
    /// Whether that may be something else now.
    var unknownIsStale = true

    /// When something is due by itself.
    var nextDue: ContinuousClock.Instant? {
        let maturing = self.maturing.compactMap { self.accounts[$0]?.nextDue }.min()
        let writing = self.staleStatuses.compactMap { self.statuses[$0]?.nextLook }.min()
        return [maturing, writing].compactMap(\.self).min()
    }

    /// What a Job of a ScaledJob costs by its manifest.
    mutating func cost(of needs: JobNeeds, in namespace: String) -> ResourceAmounts {
        self.accounts[namespace, default: NamespaceAccount()].cost(of: needs)
    }
}
