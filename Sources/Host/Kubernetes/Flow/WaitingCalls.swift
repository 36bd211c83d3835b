internal import DequeModule
internal import HeapModule

/// Calls that wait for their turn, by kind in the order of their coming, each with the instant at which it gives up.
struct WaitingCalls: Sendable {
    struct Call: Sendable {
        let kind: CallKind
        let since: ContinuousClock.Instant
        let deadline: ContinuousClock.Instant
    }

    private struct Deadline: Comparable, Sendable {
        let at: ContinuousClock.Instant
        let id: UInt64

        static func < (left: Deadline, right: Deadline) -> Bool { (left.at, left.id) < (right.at, right.id) }
    }

    private var calls: [UInt64: Call] = [:]
    /// Those of calls that are gone are skipped.
    private var queues: [CallKind: Deque<UInt64>] = [:]
    private var deadlines = Heap<Deadline>()
    private var counts: [CallKind: Int] = [:]

    var isEmpty: Bool { self.calls.isEmpty }

    func count(of kind: CallKind) -> Int { self.counts[kind] ?? 0 }

    mutating func add(_ id: UInt64, _ call: Call) {
        self.calls[id] = call
        self.counts[call.kind, default: 0] += 1
        self.queues[call.kind, default: []].append(id)
        self.deadlines.insert(Deadline(at: call.deadline, id: id))
    }

    /// Takes a call out; nil when it does not wait.
    @discardableResult
    mutating func remove(_ id: UInt64) -> Call? {
        guard let call = self.calls.removeValue(forKey: id) else { return nil }
        self.counts[call.kind, default: 1] -= 1
        self.compact(call.kind)
        return call
    }

    /// The one of this kind that has waited longest.
    mutating func first(of kind: CallKind) -> UInt64? {
        while let id = self.queues[kind]?.first {
            if self.calls[id] != nil { return id }
            self.queues[kind]?.removeFirst()
        }
        return nil
    }

    /// The first kind of which any waits.
    var firstKind: CallKind? { CallKind.allCases.first { self.count(of: $0) > 0 } }

    /// The one that has waited longest among all kinds but this one.
    mutating func longestWaiting(except kind: CallKind) -> UInt64? {
        // Numbers are given in the order of coming.
        var longest: UInt64?
        for other in CallKind.allCases where other != kind {
            if let id = self.first(of: other) { longest = Swift.min(longest ?? id, id) }
        }
        return longest
    }

    /// The first instant at which one of them gives up.
    var firstDeadline: ContinuousClock.Instant? {
        mutating get {
            while let next = self.deadlines.min {
                if self.calls[next.id] != nil { return next.at }
                self.deadlines.removeMin()
            }
            return nil
        }
    }

    /// Takes out one whose time has run out.
    mutating func removeLate(at now: ContinuousClock.Instant) -> UInt64? {
        guard let first = self.firstDeadline, first <= now, let id = self.deadlines.popMin()?.id else { return nil }
        self.remove(id)
        return id
    }

    /// Drops what calls that are gone left behind, once that is more than what waits.
    private mutating func compact(_ kind: CallKind) {
        if let length = self.queues[kind]?.count, length > 2 * self.count(of: kind) + 64 {
            self.queues[kind]?.removeAll { self.calls[$0] == nil }
        }
        if self.deadlines.count > 2 * self.calls.count + 256 {
            self.deadlines = Heap(self.deadlines.unordered.filter { self.calls[$0.id] != nil })
        }
    }
}
