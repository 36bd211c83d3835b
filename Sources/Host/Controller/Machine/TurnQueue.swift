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
