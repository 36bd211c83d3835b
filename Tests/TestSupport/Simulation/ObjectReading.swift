import Controller
internal import FoundationEssentials
import Kubernetes
import Standalone

// The objects of the store as the host reads them, without the way through JSON text.

extension ObjectMetadata {
    init(_ object: JSONValue) {
        let metadata = object.metadata
        self.init(
            name: object.name,
            namespace: metadata["namespace"]?.stringValue,
            uid: metadata["uid"]?.stringValue,
            resourceVersion: metadata["resourceVersion"]?.stringValue,
            generation: metadata["generation"]?.integerValue,
            creationTimestamp: metadata["creationTimestamp"]?.stringValue,
            deletionTimestamp: metadata["deletionTimestamp"]?.stringValue,
            labels: metadata["labels"]?.objectValue?.compactMapValues(\.stringValue),
            annotations: metadata["annotations"]?.objectValue?.compactMapValues(\.stringValue),
            ownerReferences: metadata["ownerReferences"]?.arrayValue?.map { owner in
                OwnerReference(
                    apiVersion: owner["apiVersion"]?.stringValue ?? "",
                    kind: owner["kind"]?.stringValue ?? "",
                    name: owner["name"]?.stringValue ?? "",
                    uid: owner["uid"]?.stringValue ?? "",
                    controller: owner["controller"]?.boolValue
                )
            },
            finalizers: metadata["finalizers"]?.arrayValue?.compactMap(\.stringValue)
        )
    }
}

extension ScaledJob {
    init(_ object: JSONValue) {
        self.init(metadata: ObjectMetadata(object), spec: object["spec"], status: object["status"])
    }
}

extension TriggerAuthentication {
    init(_ object: JSONValue) {
        self.init(metadata: ObjectMetadata(object), spec: object["spec"], status: object["status"])
    }
}

extension ClusterTriggerAuthentication {
    init(_ object: JSONValue) {
        self.init(metadata: ObjectMetadata(object), spec: object["spec"], status: object["status"])
    }
}

extension Job {
    init(_ object: JSONValue) {
        var status = Status()
        status.conditions = object[path: "status", "conditions"]?.arrayValue?.map { condition in
            Condition(
                type: condition["type"]?.stringValue ?? "",
                status: condition["status"]?.stringValue ?? "",
                lastTransitionTime: condition["lastTransitionTime"]?.stringValue.flatMap(KubernetesTime.init)
            )
        }
        self.init(metadata: ObjectMetadata(object), status: status)
    }
}

extension Pod {
    init(_ object: JSONValue) {
        self.init(metadata: ObjectMetadata(object), phase: object[path: "status", "phase"]?.stringValue ?? "")
    }
}

extension ReferencedData.Entry {
    /// A Secret's content.
    init(_ object: JSONValue) {
        let data = object["data"]?.objectValue ?? [:]
        self = .present(
            data.compactMapValues { $0.stringValue.flatMap { Data(base64Encoded: $0) }.map(Array.init) }
        )
    }
}
