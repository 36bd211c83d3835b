package import Kubernetes

/// Which objects of one resource type a list or a watch is about.
package struct WatchScope: Sendable {
    package let resource: APIResource
    package let namespace: String?
    private let labels: LabelSelector?
    private let fields: FieldSelector?

    package init(resource: APIResource, namespace: String? = nil) {
        self.resource = resource
        self.namespace = namespace
        self.labels = nil
        self.fields = nil
    }

    /// Reads the selectors of a request.
    package init(_ request: APIRequest) throws(KubernetesError) {
        self.resource = request.resource
        self.namespace = request.namespace
        var labels: LabelSelector?
        var fields: FieldSelector?
        for item in request.query where !item.value.isEmpty {
            switch item.name {
            case "labelSelector":
                guard let selector = LabelSelector(item.value) else {
                    throw .badRequest("unable to parse the label selector \(item.value)")
                }
                labels = selector
            case "fieldSelector":
                guard let selector = FieldSelector(item.value) else {
                    throw .badRequest("field selector \(item.value): only metadata.name and metadata.namespace")
                }
                fields = selector
            default: continue
            }
        }
        self.labels = labels
        self.fields = fields
    }

    package func contains(_ object: JSONValue) -> Bool {
        let namespace = object[path: "metadata", "namespace"]?.stringValue ?? ""
        if let wanted = self.namespace, wanted != namespace { return false }
        if let labels = self.labels, !labels.matches(object.labels) { return false }
        guard let fields = self.fields else { return true }
        return fields.matches(name: object.name, namespace: namespace)
    }

    /// What a watch on this scope sees of a change: an object that leaves the scope looks deleted.
    package func event(of change: ChangeLog.Change) -> WatchEvent? {
        guard change.resource == self.resource else { return nil }
        let before = change.before.flatMap { self.contains($0) ? $0 : nil }
        let after = change.after.flatMap { self.contains($0) ? $0 : nil }
        switch (before, after) {
        case (nil, nil): return nil
        case (nil, let after?): return WatchEvent(kind: .added, object: after)
        case (_?, let after?): return WatchEvent(kind: .modified, object: after)
        case (let before?, nil):
            var last = change.after ?? before
            last.metadata["resourceVersion"] = .string(String(change.revision))
            return WatchEvent(kind: .deleted, object: last)
        }
    }
}

/// One line of a watch.
package struct WatchEvent: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
        case error = "ERROR"
    }

    package let kind: Kind
    package let object: JSONValue

    /// The line that says a watch has fallen behind what is kept.
    package static let expired = WatchEvent(
        kind: .error,
        object: [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "reason": "Expired",
            "code": 410,
            "message": "too old resource version",
        ]
    )

    package var json: JSONValue { ["type": .string(self.kind.rawValue), "object": self.object] }
}
