/// Which scopes have given their first complete list.
struct SyncedScopes: Sendable {
    enum Kind: Hashable { case scaledJobs, jobs, pods, authentications, clusterAuthentications }

    private struct Scope: Hashable {
        let kind: Kind
        let namespace: String?
    }

    private var scopes: Set<Scope> = []

    mutating func insert(_ kind: Kind, _ namespace: String?) {
        self.scopes.insert(Scope(kind: kind, namespace: namespace))
    }

    /// Whether objects of this kind are known completely in all of these namespaces; nil for all that there are.
    func covers(_ kind: Kind, all namespaces: [String]?) -> Bool {
        namespaces?.allSatisfy { self.covers(kind, $0) } ?? self.scopes.contains(Scope(kind: kind, namespace: nil))
    }

    /// Whether this very scope has been listed.
    func contains(_ kind: Kind, _ namespace: String?) -> Bool {
        self.scopes.contains(Scope(kind: kind, namespace: namespace))
    }

    /// Whether objects of this kind in this namespace are known completely.
    func covers(_ kind: Kind, _ namespace: String) -> Bool {
        self.scopes.contains(Scope(kind: kind, namespace: nil))
            || self.scopes.contains(Scope(kind: kind, namespace: namespace))
    }
}
