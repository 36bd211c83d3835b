package import Kubernetes

extension ObjectStore {
    /// What happens to the objects that an object owns.
    package enum Propagation: String, Sendable {
        case background = "Background"
        case foreground = "Foreground"
        case orphan = "Orphan"
    }

    /// The parts of `DeleteOptions` that change what happens.
    package struct DeleteOptions: Sendable {
        package var propagation: Propagation = .background
        package var uid: String?
        package var resourceVersion: String?
        /// With zero, a pod goes at once although its processes may still run.
        package var isImmediate = false

        package init() {}
    }

    private static let foregroundFinalizer = "foregroundDeletion"

    /// Deletes an object, or marks it when finalizers, dependents or processes hold it.
    ///
    /// Returns the object as it is afterwards, or nil when it is gone.
    package mutating func delete(
        _ resource: APIResource,
        _ key: ObjectKey,
        options: DeleteOptions,
        now: String
    ) throws(KubernetesError) -> JSONValue? {
        let object = try self.get(resource, key)
        let preconditions: JSONValue = .object([
            "uid": options.uid.map(JSONValue.string) ?? .null,
            "resourceVersion": options.resourceVersion.map(JSONValue.string) ?? .null,
        ])
        try Self.checkPreconditions(preconditions, on: object, of: resource)
        self.startDeleting(resource, object, options: options, now: now)
        return self.find(resource, key)
    }

    private mutating func startDeleting(
        _ resource: APIResource,
        _ object: JSONValue,
        options: DeleteOptions,
        now: String
    ) {
        var marked = object
        if !object.isBeingDeleted { marked.metadata["deletionTimestamp"] = .string(now) }
        var finalizers = object.finalizers
        switch options.propagation {
        case .foreground:
            if !finalizers.contains(Self.foregroundFinalizer) { finalizers.append(Self.foregroundFinalizer) }
            marked.metadata["finalizers"] = .array(finalizers.map(JSONValue.string))
            if marked != object { self.put(marked, as: resource) }
            for dependent in self.dependents(of: object.uid).sorted(by: { $0.key < $1.key }) {
                guard let child = self.find(dependent.resource, dependent.key) else { continue }
                self.startDeleting(dependent.resource, child, options: options, now: now)
            }
        case .orphan:
            self.orphanDependents(of: object.uid)
            if self.isHeld(resource, object, options), marked != object { self.put(marked, as: resource) }
        case .background:
            if self.isHeld(resource, object, options), marked != object { self.put(marked, as: resource) }
        }
        self.settleDeletion(resource, object.key, options: options, now: now)
    }

    private func isHeld(_ resource: APIResource, _ object: JSONValue, _ options: DeleteOptions) -> Bool {
        if !object.finalizers.isEmpty { return true }
        return resource == .pods && !options.isImmediate && !object.hasEnded
    }

    /// Removes an object that is being deleted once nothing holds it any more, and then what it owned.
    mutating func settleDeletion(
        _ resource: APIResource,
        _ key: ObjectKey,
        options: DeleteOptions? = nil,
        now: String? = nil
    ) {
        guard let object = self.find(resource, key), options != nil || object.isBeingDeleted else { return }
        let others = object.finalizers.filter { $0 != Self.foregroundFinalizer }
        guard others.isEmpty else { return }
        let waitsForDependents = object.finalizers.contains(Self.foregroundFinalizer)
        if waitsForDependents, !self.dependents(of: object.uid).isEmpty { return }
        if resource == .pods, options?.isImmediate != true, !object.hasEnded { return }
        self.remove(resource, key)
        let time = now ?? object.metadata["deletionTimestamp"]?.stringValue ?? ""
        self.collectDependents(of: object.uid, now: time)
        for owner in object.ownerUIDs { self.settleOwner(owner) }
    }

    /// Background garbage collection: what has lost its last owner goes too.
    private mutating func collectDependents(of uid: String, now: String) {
        for dependent in self.dependents(of: uid).sorted(by: { $0.key < $1.key }) {
            guard let child = self.find(dependent.resource, dependent.key) else { continue }
            let owners = child.metadata["ownerReferences"]?.arrayValue ?? []
            let rest = owners.filter { $0["uid"]?.stringValue != uid }
            guard rest.isEmpty else {
                var kept = child
                kept.metadata["ownerReferences"] = .array(rest)
                self.put(kept, as: dependent.resource)
                continue
            }
            self.startDeleting(dependent.resource, child, options: DeleteOptions(), now: now)
        }
    }

    private mutating func orphanDependents(of uid: String) {
        for dependent in self.dependents(of: uid) {
            guard var child = self.find(dependent.resource, dependent.key) else { continue }
            let owners = child.metadata["ownerReferences"]?.arrayValue ?? []
            let rest = owners.filter { $0["uid"]?.stringValue != uid }
            child.metadata["ownerReferences"] = rest.isEmpty ? nil : .array(rest)
            self.put(child, as: dependent.resource)
        }
    }

    /// Lets an owner go that was waiting in the foreground for its dependents.
    private mutating func settleOwner(_ uid: String) {
        guard self.dependents(of: uid).isEmpty else { return }
        for resource in self.resources {
            guard let owner = self.list(WatchScope(resource: resource)).first(where: { $0.uid == uid }) else {
                continue
            }
            self.settleDeletion(resource, owner.key)
            return
        }
    }
}

extension JSONValue {
    /// Whether this is a pod with no process left.
    fileprivate var hasEnded: Bool {
        let phase = self[path: "status", "phase"]?.stringValue
        return phase == "Succeeded" || phase == "Failed"
    }
}
