import DequeModule
import Pace

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

    /// Whether objects of this kind are known completely in all of these namespaces; nil for all that there are.
    func covers(_ kind: Kind, all namespaces: [String]?) -> Bool {
        namespaces?.allSatisfy { self.covers(kind, $0) } ?? self.scopes.contains(Scope(kind: kind, namespace: nil))
    }

    /// Whether objects of this kind in this namespace are known completely.
    func covers(_ kind: Kind, _ namespace: String) -> Bool {
        self.scopes.contains(Scope(kind: kind, namespace: nil))
            || self.scopes.contains(Scope(kind: kind, namespace: namespace))
    }
}

/// The system's generator, or a seeded one whose run can be repeated.
package struct SystemOrSeededGenerator: RandomNumberGenerator, Sendable {
    private var seeded: SplitMix64?

    package init(seed: UInt64?) {
        self.seeded = seed.map(SplitMix64.init(seed:))
    }

    package mutating func next() -> UInt64 {
        if let number = self.seeded?.next() { return number }
        var system = SystemRandomNumberGenerator()
        return system.next()
    }
}
