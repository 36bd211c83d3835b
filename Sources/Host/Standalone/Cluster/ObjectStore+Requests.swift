package import Kubernetes

extension ObjectStore {
    /// Answers one request other than a watch.
    package mutating func answer(
        _ request: APIRequest,
        body: JSONValue?,
        now: String
    ) throws(KubernetesError) -> JSONValue {
        try self.checkTarget(request)
        guard request.query.contains(where: { $0.name == "dryRun" && $0.value == "All" }) || body?.isDryRun == true
        else {
            return try self.perform(request, body: body, now: now)
        }
        var trial = self
        return try trial.perform(request, body: body, now: now)
    }

    /// Refuses a resource type that this cluster does not have, as a server without its CRD does.
    package func checkTarget(_ request: APIRequest) throws(KubernetesError) {
        guard self.resources.contains(request.resource) else {
            throw KubernetesError(.notFound, "the server could not find the requested resource", status: 404)
        }
        guard request.resource.isNamespaced || request.namespace == nil else {
            throw KubernetesError(.notFound, "the server could not find the requested resource", status: 404)
        }
    }

    private mutating func perform(
        _ request: APIRequest,
        body: JSONValue?,
        now: String
    ) throws(KubernetesError) -> JSONValue {
        let resource = request.resource
        switch request.verb {
        case .list, .watch:
            let items = self.list(try WatchScope(request))
            return [
                "kind": .string("\(resource.kind)List"), "apiVersion": .string(resource.apiVersion),
                "metadata": ["resourceVersion": .string(String(self.revision))], "items": .array(items),
            ]
        case .get:
            return try self.get(resource, try Self.key(of: request))
        case .create:
            let object = try Self.required(body)
            return try self.create(object, as: resource, namespace: request.namespace, now: now)
        case .replace:
            let key = try Self.key(of: request)
            let object = try Self.required(body)
            return try self.replace(resource, key, with: object, subresource: request.subresource)
        case .mergePatch:
            let key = try Self.key(of: request)
            let patch = try Self.required(body)
            return try self.mergePatch(resource, key, with: patch, subresource: request.subresource)
        case .delete:
            let options = try DeleteOptions(body: body, query: request.query)
            let key = try Self.key(of: request)
            if let object = try self.delete(resource, key, options: options, now: now) { return object }
            return ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success"]
        }
    }

    private static func required(_ body: JSONValue?) throws(KubernetesError) -> JSONValue {
        guard let body else { throw .badRequest("the request needs a body") }
        return body
    }

    private static func key(of request: APIRequest) throws(KubernetesError) -> ObjectKey {
        guard let name = request.name, !name.isEmpty else { throw .badRequest("the request needs a name") }
        guard request.resource.isNamespaced else { return ObjectKey(namespace: "", name: name) }
        guard let namespace = request.namespace else { throw .badRequest("the request needs a namespace") }
        return ObjectKey(namespace: namespace, name: name)
    }
}

extension ObjectStore.DeleteOptions {
    /// Reads `DeleteOptions` from the body, or the same from the query.
    fileprivate init(body: JSONValue?, query: [QueryItem]) throws(KubernetesError) {
        let inQuery = Dictionary(query.map { ($0.name, $0.value) }) { first, _ in first }
        if let policy = body?["propagationPolicy"]?.stringValue ?? inQuery["propagationPolicy"] {
            guard let propagation = ObjectStore.Propagation(rawValue: policy) else {
                throw .refused("propagationPolicy: Unsupported value: \"\(policy)\"")
            }
            self.propagation = propagation
        }
        self.uid = body?[path: "preconditions", "uid"]?.stringValue
        self.resourceVersion = body?[path: "preconditions", "resourceVersion"]?.stringValue
        let grace = body?["gracePeriodSeconds"]?.integerValue ?? inQuery["gracePeriodSeconds"].flatMap { Int64($0) }
        self.isImmediate = grace == 0
    }
}

extension JSONValue {
    /// Whether these are delete options that ask for a dry run.
    fileprivate var isDryRun: Bool {
        self["kind"] == "DeleteOptions" && self["dryRun"]?.arrayValue?.contains("All") == true
    }
}
