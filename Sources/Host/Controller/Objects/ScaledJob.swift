package import Kubernetes
package import Scaling

/// A ScaledJob as the API server holds it.
///
/// Only the metadata must be readable. The specification is parsed by ``ScaledJobSpecification``, which reports what is
/// wrong with it instead of failing.
package struct ScaledJob: KubernetesObject, Sendable, Equatable {
    package static let resource = APIResource.scaledJobs

    package let metadata: ObjectMetadata
    package let spec: JSONValue?
    package let status: JSONValue?

    package init(metadata: ObjectMetadata, spec: JSONValue?, status: JSONValue? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    package var uid: String { self.metadata.uid ?? "" }
}

/// What a ScaledJob's `spec` says, understood.
package struct ScaledJobSpecification: Sendable, Equatable {
    package var triggers: [TriggerManifest]
    package var jobTargetRef: JSONValue
    package var pollingInterval: Duration
    package var bounds: ReplicaBounds
    package var combination: BacklogCombination
    package var strategy: StrategyChoice
    package var pendingRule: PendingRule
    package var retention: RetentionPolicy
    package var envSourceContainerName: String?
    package var rollout = RolloutPolicy()
    /// Nil unless each item is to have a Job of its own.
    package var items: ItemPolicy?
}

/// One element of `spec.triggers`.
package struct TriggerManifest: Sendable, Equatable {
    package enum AuthenticationKind: String, Sendable {
        case namespaced = "TriggerAuthentication"
        case cluster = "ClusterTriggerAuthentication"
    }

    package struct AuthenticationReference: Sendable, Equatable {
        package var kind: AuthenticationKind
        package var name: String

        package init(kind: AuthenticationKind, name: String) {
            self.kind = kind
            self.name = name
        }
    }

    package var type: String
    package var name: String?
    package var metadata: [String: String]
    package var authentication: AuthenticationReference?

    package init(
        type: String,
        name: String? = nil,
        metadata: [String: String],
        authentication: AuthenticationReference? = nil
    ) {
        self.type = type
        self.name = name
        self.metadata = metadata
        self.authentication = authentication
    }
}
