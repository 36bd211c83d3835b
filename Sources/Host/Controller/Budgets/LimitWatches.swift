import Kubernetes

/// What is known about the objects that set limits, by kind and scope.
///
/// Unknown is not none: nothing is created before they are listed. A kind that there isn't, and one that this host may not
/// see and can do without, is as good as listed.
struct LimitWatches: Sendable {
    enum Kind: Hashable { case budgets, quotas, limitRanges }

    enum State: Equatable {
        /// Not listed yet, and why.
        case unknown(KubernetesError.Code?, String)
        case listed
        case absent
        /// The host goes on without.
        case forbidden
    }

    private struct Scope: Hashable {
        let kind: Kind
        let namespace: String?
    }

    private var states: [Scope: State] = [:]
    /// When the API server first said that there is no such kind, and has said nothing else since.
    private var missingSince: ContinuousClock.Instant?

    /// How long a kind that was there must be missing: an API server that starts does not serve all of them at once.
    static let patience = Duration.seconds(10)

    func state(_ kind: Kind, _ namespace: String?) -> State {
        self.states[Scope(kind: kind, namespace: namespace)] ?? .unknown(nil, "")
    }

    func isKnown(_ kind: Kind, _ namespace: String?) -> Bool {
        if case .unknown = self.state(kind, namespace) { false } else { true }
    }

    mutating func listed(_ kind: Kind, _ namespace: String?) {
        if kind == .budgets { self.missingSince = nil }
        self.states[Scope(kind: kind, namespace: namespace)] = .listed
    }

    /// Takes a failure of ResourceQuotas or LimitRanges; true when that is news, and the host goes on without.
    mutating func failed(_ kind: Kind, _ namespace: String?, _ error: KubernetesError) -> Bool {
        let scope = Scope(kind: kind, namespace: namespace)
        switch error.code {
        case .forbidden, .unauthorized:
            // What was listed before goes on to count.
            guard !self.isKnown(kind, namespace) else { return false }
            self.states[scope] = .forbidden
            return true
        case .notFound:
            guard !self.isKnown(kind, namespace) else { return false }
            self.states[scope] = .absent
            return false
        default:
            guard !self.isKnown(kind, namespace) else { return false }
            self.states[scope] = .unknown(error.code, error.message)
            return false
        }
    }

    /// Takes a failure of JobBudgets; true when there are none any more, because the kind is gone.
    mutating func budgetsFailed(_ error: KubernetesError, at now: ContinuousClock.Instant) -> Bool {
        let scope = Scope(kind: .budgets, namespace: nil)
        let state = self.state(.budgets, nil)
        guard error.code == .notFound else {
            self.missingSince = nil
            if state != .listed, state != .absent { self.states[scope] = .unknown(error.code, error.message) }
            return false
        }
        let since = self.missingSince ?? now
        let isFirst = self.missingSince == nil
        self.missingSince = since
        switch state {
        case .absent, .forbidden: return false
        case .listed:
            guard now - since >= Self.patience else { return false }
            self.states[scope] = .absent
            return true
        case .unknown:
            guard !isFirst else { return false }
            self.states[scope] = .absent
            return true
        }
    }
}
