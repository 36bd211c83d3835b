package import Kubernetes

/// The objects of an in-process cluster, under the rules of a Kubernetes API server.
///
/// It reads no clock and waits for nothing: every write gets the time as an argument, takes effect at once and leaves
/// one entry in the change log.
package struct ObjectStore: Sendable {
    /// How much the store may hold.
    package struct Limits: Sendable {
        /// Beyond this a create is refused, but events push out their oldest.
        package var objectsPerResource = 20_000
        package var events = 1_000
        package var changes = 4_096

        package init() {}
    }

    package let resources: [APIResource]
    private let limits: Limits
    private var objects: [APIResource: [ObjectKey: JSONValue]] = [:]
    /// Keys of the objects that name a uid as their owner.
    private var dependents: [String: Set<Dependent>] = [:]
    private var eventOrder: [ObjectKey] = []
    package private(set) var log: ChangeLog
    package private(set) var revision: Int64 = 0
    private var uids: any RandomNumberGenerator & Sendable

    /// One object that has an owner.
    package struct Dependent: Hashable, Sendable {
        package let resource: APIResource
        package let key: ObjectKey
    }

    package init(
        resources: [APIResource],
        limits: Limits = Limits(),
        randomness: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.resources = resources
        self.limits = limits
        self.log = ChangeLog(capacity: limits.changes)
        self.uids = randomness
    }
}

// MARK: Reading

extension ObjectStore {
    package func find(_ resource: APIResource, _ key: ObjectKey) -> JSONValue? {
        self.objects[resource]?[key]
    }

    package func get(_ resource: APIResource, _ key: ObjectKey) throws(KubernetesError) -> JSONValue {
        guard let object = self.find(resource, key) else { throw Self.notFound(resource, key.name) }
        return object
    }

    /// The objects of a scope, ordered by namespace and name.
    package func list(_ scope: WatchScope) -> [JSONValue] {
        (self.objects[scope.resource] ?? [:]).sorted { $0.key < $1.key }.map(\.value).filter(scope.contains)
    }

    package func dependents(of uid: String) -> Set<Dependent> {
        self.dependents[uid] ?? []
    }

    static func notFound(_ resource: APIResource, _ name: String) -> KubernetesError {
        KubernetesError(.notFound, "\(resource.qualifiedName) \"\(name)\" not found", status: 404)
    }
}

// MARK: Writing

extension ObjectStore {
    /// Makes room for one more object of a type, or refuses.
    mutating func reserve(_ resource: APIResource, now: String) throws(KubernetesError) {
        let count = self.objects[resource]?.count ?? 0
        if resource == .events {
            guard count >= self.limits.events else { return }
            let dropped = self.eventOrder.removeFirst()
            self.remove(resource, dropped)
        } else if count >= self.limits.objectsPerResource {
            let message = "\(resource.qualifiedName): this cluster holds \(count) already, which is the most it takes"
            throw KubernetesError(.forbidden, message, status: 403)
        }
    }

    /// Stores an object under the next revision and returns it as stored.
    @discardableResult
    mutating func put(_ object: JSONValue, as resource: APIResource) -> JSONValue {
        self.revision += 1
        var stored = object
        stored.metadata["resourceVersion"] = .string(String(self.revision))
        let key = stored.key
        let before = self.objects[resource, default: [:]].updateValue(stored, forKey: key)
        if before == nil, resource == .events { self.eventOrder.append(key) }
        self.relink(Dependent(resource: resource, key: key), from: before?.ownerUIDs ?? [], to: stored.ownerUIDs)
        self.log.append(.init(revision: self.revision, resource: resource, before: before, after: stored))
        return stored
    }

    /// Takes an object out of the store.
    mutating func remove(_ resource: APIResource, _ key: ObjectKey) {
        guard let before = self.objects[resource]?.removeValue(forKey: key) else { return }
        self.revision += 1
        if resource == .events { self.eventOrder.removeAll { $0 == key } }
        self.relink(Dependent(resource: resource, key: key), from: before.ownerUIDs, to: [])
        self.log.append(.init(revision: self.revision, resource: resource, before: before, after: nil))
    }

    private mutating func relink(_ dependent: Dependent, from old: [String], to new: [String]) {
        guard old != new else { return }
        for uid in old {
            self.dependents[uid]?.remove(dependent)
            if self.dependents[uid]?.isEmpty == true { self.dependents[uid] = nil }
        }
        for uid in new { self.dependents[uid, default: []].insert(dependent) }
    }

    /// A new random uid in the usual form.
    mutating func makeUID() -> String {
        let high = UInt64.random(in: .min ... .max, using: &self.uids) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = UInt64.random(in: .min ... .max, using: &self.uids) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = Array(Self.hexadecimal(high) + Self.hexadecimal(low))
        let parts = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
        return parts.map { String($0) }.joined(separator: "-")
    }

    /// Five random characters for `generateName`, from the set that Kubernetes uses.
    mutating func makeNameSuffix() -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String((0..<5).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &self.uids)] })
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension APIResource {
    /// `jobs.batch`, or `secrets` for the core group.
    package var qualifiedName: String { self.group.isEmpty ? self.plural : "\(self.plural).\(self.group)" }
}
