import HeapModule
package import Kubernetes
import PluginProtocol

/// A TriggerAuthentication or ClusterTriggerAuthentication; the key of the latter has no namespace.
package struct AuthenticationID: Sendable, Hashable {
    package let kind: TriggerManifest.AuthenticationKind
    package let key: ObjectKey

    package init(_ kind: TriggerManifest.AuthenticationKind, _ key: ObjectKey) {
        self.kind = kind
        self.key = kind == .cluster ? ObjectKey(namespace: "", name: key.name) : key
    }

    package init(_ reference: TriggerManifest.AuthenticationReference, from namespace: String) {
        self.init(reference.kind, ObjectKey(namespace: namespace, name: reference.name))
    }
}

/// Which ScaledJobs use which authentication, and what the status of each authentication says about it.
struct AuthenticationUses: Sendable {
    /// An authentication that exists.
    private struct Seen {
        var uid: String
        var generation: Int64
        /// Its `status.scaledjobs`.
        var status: String
        var isWriting = false
        /// Those that the write under way takes out.
        var removing: Set<ObjectKey> = []
        var failures = 0
    }

    /// An entry of the queue of writes; those that ``pending`` no longer stands for are skipped.
    private struct Due: Comparable {
        let at: ContinuousClock.Instant
        let number: UInt64
        let id: AuthenticationID

        static func < (left: Due, right: Due) -> Bool { (left.at, left.number) < (right.at, right.number) }
    }

    /// One authentication is not written more often.
    static let spacing = Duration.seconds(1)
    /// The longest list; names beyond it are left out, so that the object stays far below what etcd stores.
    static let largestText = 128 << 10
    private static let largestUnderWay = 4

    private var users: [AuthenticationID: Set<ObjectKey>] = [:]
    private var uses: [ObjectKey: Set<AuthenticationID>] = [:]
    private var seen: [AuthenticationID: Seen] = [:]
    /// What may have to be written, and not before when.
    private var pending: [AuthenticationID: ContinuousClock.Instant] = [:]
    private var queue = Heap<Due>()
    private var lastNumber: UInt64 = 0
    private var underWay = 0
    /// Of each authentication, the ScaledJobs that stopped using it and may still be in its status.
    private var former: [AuthenticationID: Set<ObjectKey>] = [:]

    var authentications: some Collection<AuthenticationID> { self.seen.keys }
    /// When the next write may be due; nil while there is none, or none that may begin.
    var nextDue: ContinuousClock.Instant? { self.underWay < Self.largestUnderWay ? self.queue.min?.at : nil }

    /// The ScaledJobs that use it.
    func users(of id: AuthenticationID) -> Set<ObjectKey> { self.users[id] ?? [] }

    /// Every authentication that a ScaledJob uses, whether it exists or not.
    var used: some Collection<AuthenticationID> { self.users.keys }

    // MARK: - What happens

    /// Takes what a ScaledJob uses from now on.
    mutating func set(_ scaledJob: ObjectKey, uses: Set<AuthenticationID>, at now: ContinuousClock.Instant) {
        let before = self.uses[scaledJob] ?? []
        guard before != uses else { return }
        self.uses[scaledJob] = uses.isEmpty ? nil : uses
        for id in before.subtracting(uses) {
            self.users[id]?.remove(scaledJob)
            if self.seen[id] != nil { self.former[id, default: []].insert(scaledJob) }
            if self.users[id]?.isEmpty == true { self.users[id] = nil }
            self.mark(id, at: now)
        }
        for id in uses.subtracting(before) {
            self.users[id, default: []].insert(scaledJob)
            self.former[id]?.remove(scaledJob)
            self.mark(id, at: now)
        }
    }

    /// Takes an authentication as the watch shows it; returns its former generation, or nil when it is new.
    mutating func saw(
        _ id: AuthenticationID,
        uid: String,
        generation: Int64,
        status: String,
        at now: ContinuousClock.Instant
    ) -> Int64? {
        let former = self.seen[id].flatMap { $0.uid == uid ? $0 : nil }
        var current = former ?? Seen(uid: uid, generation: generation, status: status)
        current.generation = generation
        current.status = status
        self.seen[id] = current
        self.mark(id, at: now)
        return former?.generation
    }

    /// Forgets an authentication that is gone; returns its UID, or nil when it was not known.
    mutating func gone(_ id: AuthenticationID) -> String? {
        self.pending[id] = nil
        self.former[id] = nil
        return self.seen.removeValue(forKey: id)?.uid
    }

    /// Looks at every authentication again: more ScaledJobs are known now.
    mutating func markAll(at now: ContinuousClock.Instant) {
        for id in self.seen.keys { self.mark(id, at: now) }
    }

    private mutating func mark(_ id: AuthenticationID, at now: ContinuousClock.Instant) {
        guard self.seen[id] != nil, self.pending[id] == nil else { return }
        self.put(id, at: now)
    }

    private mutating func put(_ id: AuthenticationID, at due: ContinuousClock.Instant) {
        self.pending[id] = due
        self.lastNumber += 1
        self.queue.insert(Due(at: due, number: self.lastNumber, id: id))
    }

    /// Drops the entries at the front that stand for nothing any more.
    private mutating func skipStale() {
        while let first = self.queue.min, self.pending[first.id] != first.at { self.queue.removeMin() }
    }

    // MARK: - Writing

    /// Takes out the writes that are due: the text of `status.scaledjobs`, nil for none.
    ///
    /// `isComplete` says whether every ScaledJob that may use the authentication is known, `isOfOthers` in which namespaces
    /// other hosts work, whose names stay; `keepsUnknown` that of other namespaces names that never were this host's
    /// stay as well.
    mutating func takeDue(
        at now: ContinuousClock.Instant,
        isComplete: (AuthenticationID) -> Bool,
        isOfOthers: (_ namespace: String) -> Bool,
        keepsUnknown: Bool = false
    ) -> [(id: AuthenticationID, text: String?)] {
        var writes: [(id: AuthenticationID, text: String?)] = []
        while self.underWay < Self.largestUnderWay, let first = self.queue.min, first.at <= now {
            self.queue.removeMin()
            let id = first.id
            guard self.pending[id] == first.at else { continue }
            self.pending[id] = nil
            // The list that makes it complete, or the end of the write, marks it again.
            guard let seen = self.seen[id], isComplete(id), !seen.isWriting else { continue }
            let text = self.text(of: id, isOfOthers: isOfOthers, keepsUnknown: keepsUnknown)
            guard text != seen.status else {
                self.former[id] = nil
                continue
            }
            self.seen[id]?.isWriting = true
            self.seen[id]?.removing = self.former[id] ?? []
            self.underWay += 1
            writes.append((id, text.isEmpty ? nil : text))
        }
        self.skipStale()
        return writes
    }

    mutating func written(
        _ id: AuthenticationID,
        _ text: String?,
        _ failure: KubernetesError?,
        at now: ContinuousClock.Instant
    ) {
        self.underWay -= 1
        guard var seen = self.seen[id], seen.isWriting else { return }
        seen.isWriting = false
        var pause = Self.spacing
        if failure == nil {
            seen.status = text ?? ""
            seen.failures = 0
            // From now on another host may put them in again.
            self.former[id]?.subtract(seen.removing)
        } else {
            seen.failures = Swift.min(seen.failures + 1, 6)
            pause = Self.spacing * (1 << seen.failures)
        }
        self.seen[id] = seen
        self.put(id, at: now + pause)
    }

    /// KEDA's list for a namespaced authentication; names with their namespaces for one of the whole cluster, where two
    /// ScaledJobs may have the same name.
    private func text(
        of id: AuthenticationID,
        isOfOthers: (String) -> Bool,
        keepsUnknown: Bool
    ) -> String {
        let users = self.users[id] ?? []
        var names = users.map { id.kind == .namespaced ? $0.name : $0.description }
        for name in self.seen[id]?.status.split(separator: ",") ?? [] {
            guard let key = Self.key(name, of: id), !users.contains(key) else { continue }
            let isUnknown = keepsUnknown && self.former[id]?.contains(key) != true
            if isUnknown || id.kind == .cluster && isOfOthers(key.namespace) { names.append(String(name)) }
        }
        var text = ""
        for name in names.sorted() {
            guard text.utf8.count + name.utf8.count < Self.largestText else { break }
            text += text.isEmpty ? name : ",\(name)"
        }
        return text
    }

    /// The ScaledJob that an entry of the list means; nil for what no host writes.
    private static func key(_ entry: Substring, of id: AuthenticationID) -> ObjectKey? {
        if id.kind == .namespaced { return ObjectKey(namespace: id.key.namespace, name: String(entry)) }
        guard let slash = entry.firstIndex(of: "/") else { return nil }
        return ObjectKey(namespace: String(entry[..<slash]), name: String(entry[entry.index(after: slash)...]))
    }
}
