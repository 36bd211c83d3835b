package import Kubernetes

/// A TriggerAuthentication as the API server holds it.
package struct TriggerAuthentication: KubernetesObject, Sendable, Equatable {
    package static let resource = APIResource.triggerAuthentications

    package let metadata: ObjectMetadata
    package let spec: JSONValue?
    package let status: JSONValue?

    package init(metadata: ObjectMetadata, spec: JSONValue?, status: JSONValue? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// A ClusterTriggerAuthentication as the API server holds it.
package struct ClusterTriggerAuthentication: KubernetesObject, Sendable, Equatable {
    package static let resource = APIResource.clusterTriggerAuthentications

    package let metadata: ObjectMetadata
    package let spec: JSONValue?
    package let status: JSONValue?

    package init(metadata: ObjectMetadata, spec: JSONValue?, status: JSONValue? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}
