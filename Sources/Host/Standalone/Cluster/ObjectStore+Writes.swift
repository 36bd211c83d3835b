package import Kubernetes

extension ObjectStore {
    /// Adds a new object.
    package mutating func create(
        _ body: JSONValue,
        as resource: APIResource,
        namespace: String?,
        now: String
    ) throws(KubernetesError) -> JSONValue {
        var object = try Self.checkedBody(body, of: resource)
        var metadata = object.metadata
        if let bodyNamespace = metadata["namespace"]?.stringValue, let namespace, bodyNamespace != namespace {
            throw .badRequest(
                "the namespace of the object (\(bodyNamespace)) is not the one of the request (\(namespace))"
            )
        }
        metadata["namespace"] = resource.isNamespaced ? .string(namespace ?? "default") : nil
        if (metadata["name"]?.stringValue ?? "").isEmpty, let prefix = metadata["generateName"]?.stringValue {
            metadata["name"] = .string(String(prefix.prefix(58)) + self.makeNameSuffix())
        }
        try ObjectRules.checkName(metadata["name"]?.stringValue ?? "", of: resource)
        metadata["uid"] = .string(self.makeUID())
        metadata["creationTimestamp"] = .string(now)
        metadata["deletionTimestamp"] = nil
        metadata["generation"] = ObjectRules.countsGenerations(resource) ? 1 : nil
        object["metadata"] = metadata
        if ObjectRules.hasStatus(resource), resource != .pods { object["status"] = nil }
        object = try ObjectRules.admitted(object, replacing: nil, of: resource)
        guard self.find(resource, object.key) == nil else {
            let message = "\(resource.qualifiedName) \"\(object.name)\" already exists"
            throw KubernetesError(.alreadyExists, message, status: 409)
        }
        try self.reserve(resource, now: now)
        return self.put(object, as: resource)
    }

    /// Replaces an object, or only its status.
    package mutating func replace(
        _ resource: APIResource,
        _ key: ObjectKey,
        with body: JSONValue,
        subresource: String?
    ) throws(KubernetesError) -> JSONValue {
        let current = try self.get(resource, key)
        let object = try Self.checkedBody(body, of: resource)
        guard object.name == key.name || object.name.isEmpty else {
            throw .badRequest("the name of the object (\(object.name)) is not the one of the request (\(key.name))")
        }
        return try self.update(current, to: object, of: resource, subresource: subresource)
    }

    /// Applies a JSON merge patch to an object, or to its status.
    package mutating func mergePatch(
        _ resource: APIResource,
        _ key: ObjectKey,
        with patch: JSONValue,
        subresource: String?
    ) throws(KubernetesError) -> JSONValue {
        guard patch.objectValue != nil else { throw .badRequest("a merge patch must be an object") }
        let current = try self.get(resource, key)
        let object = try Self.checkedBody(MergePatch.apply(patch, to: current), of: resource)
        return try self.update(current, to: object, of: resource, subresource: subresource)
    }

    private mutating func update(
        _ current: JSONValue,
        to wanted: JSONValue,
        of resource: APIResource,
        subresource: String?
    ) throws(KubernetesError) -> JSONValue {
        try Self.checkPreconditions(wanted.metadata, on: current, of: resource)
        var object = current
        switch subresource {
        case nil:
            object = wanted
            object["metadata"] = Self.mergedMetadata(wanted.metadata, over: current.metadata)
            if ObjectRules.hasStatus(resource), resource != .pods { object["status"] = current["status"] }
            object = try ObjectRules.admitted(object, replacing: current, of: resource)
            if ObjectRules.countsGenerations(resource), Self.content(of: object) != Self.content(of: current) {
                object.metadata["generation"] = .integer((current.metadata["generation"]?.integerValue ?? 0) + 1)
            }
        case "status" where ObjectRules.hasStatus(resource):
            object["status"] = wanted["status"]
        default:
            throw KubernetesError(.notFound, "the server could not find the requested resource", status: 404)
        }
        guard object != current else { return current }
        let stored = self.put(object, as: resource)
        self.settleDeletion(resource, stored.key)
        return stored
    }

    /// Everything that a generation counts: all but metadata and status.
    private static func content(of object: JSONValue) -> JSONValue {
        var content = object
        content["metadata"] = nil
        content["status"] = nil
        return content
    }

    /// What a writer may change of the metadata: the rest stays as it is.
    private static func mergedMetadata(_ wanted: JSONValue, over current: JSONValue) -> JSONValue {
        var metadata = wanted
        for key in [
            "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "generation", "generateName", "resourceVersion",
        ] {
            metadata[key] = current[key]
        }
        return metadata
    }

    static func checkPreconditions(
        _ wanted: JSONValue,
        on current: JSONValue,
        of resource: APIResource
    ) throws(KubernetesError) {
        for field in ["uid", "resourceVersion"] {
            guard let value = wanted[field]?.stringValue, !value.isEmpty,
                value != current.metadata[field]?.stringValue
            else { continue }
            let message = "\(resource.qualifiedName) \"\(current.name)\": its \(field) is another one by now"
            throw KubernetesError(.conflict, message, retry: .now, status: 409)
        }
    }

    private static func checkedBody(_ body: JSONValue, of resource: APIResource) throws(KubernetesError) -> JSONValue {
        guard body.objectValue != nil else { throw .badRequest("the body must be an object") }
        var object = body
        for (field, wanted) in [("kind", resource.kind), ("apiVersion", resource.apiVersion)] {
            guard let value = body[field]?.stringValue else {
                object[field] = .string(wanted)
                continue
            }
            guard value == wanted else { throw .badRequest("\(field) is \(value), expected \(wanted)") }
        }
        return object
    }
}
