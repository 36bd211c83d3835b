package import Kubernetes

// What every Kubernetes object has, read from its JSON.
extension JSONValue {
    package var metadata: JSONValue {
        get { self["metadata"] ?? .object([:]) }
        set { self["metadata"] = newValue }
    }

    package var name: String { self.metadata["name"]?.stringValue ?? "" }

    package var namespace: String { self.metadata["namespace"]?.stringValue ?? "" }

    package var uid: String { self.metadata["uid"]?.stringValue ?? "" }

    package var key: ObjectKey { ObjectKey(namespace: self.namespace, name: self.name) }

    package var labels: [String: String] {
        (self.metadata["labels"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    }

    package var annotations: [String: String] {
        (self.metadata["annotations"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    }

    package var finalizers: [String] {
        (self.metadata["finalizers"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    package var isBeingDeleted: Bool { self.metadata["deletionTimestamp"]?.stringValue != nil }

    package var ownerUIDs: [String] {
        (self.metadata["ownerReferences"]?.arrayValue ?? []).compactMap { $0["uid"]?.stringValue }
    }
}

extension KubernetesError {
    package static func badRequest(_ message: String) -> KubernetesError {
        KubernetesError(.invalid, message, status: 400)
    }

    package static func refused(_ message: String) -> KubernetesError {
        KubernetesError(.invalid, message, status: 422)
    }
}
