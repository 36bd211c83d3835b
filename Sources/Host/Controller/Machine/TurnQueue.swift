import DequeModule

/// ScaledJobs that wait for their turn, each at most once, first come first served.
struct TurnQueue: Sendable {
    private var order: Deque<String> = []
    private var members: Set<String> = []

    var count: Int { self.order.count }

    mutating func add(_ uid: String) {
        guard self.members.insert(uid).inserted else { return }
        self.order.append(uid)
    }

    mutating func next() -> String? {
        guard let uid = self.order.popFirst() else { return nil }
        self.members.remove(uid)
        return uid
    }
}

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

    /// Whether objects of this kind in this namespace are known completely.
    func covers(_ kind: Kind, _ namespace: String) -> Bool {
        self.scopes.contains(Scope(kind: kind, namespace: nil))
            || self.scopes.contains(Scope(kind: kind, namespace: namespace))
    }
}

/// The system's generator, or a seeded one (SplitMix64) whose run can be repeated.
package struct SystemOrSeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64?

    package init(seed: UInt64?) {
        self.state = seed
    }

    package mutating func next() -> UInt64 {
        guard let state else {
            var system = SystemRandomNumberGenerator()
            return system.next()
        }
        let advanced = state &+ 0x9e37_79b9_7f4a_7c15
        self.state = advanced
        var mixed = advanced
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
