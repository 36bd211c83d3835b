/// A resource type of the Kubernetes API: where it lives and what its objects are called.
package struct APIResource: Sendable, Hashable {
    /// Empty for the core group.
    package let group: String
    package let version: String
    package let plural: String
    package let kind: String
    package let isNamespaced: Bool

    package init(group: String, version: String, plural: String, kind: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// `v1` for the core group, `group/version` otherwise.
    package var apiVersion: String {
        self.group.isEmpty ? self.version : "\(self.group)/\(self.version)"
    }
}

extension APIResource {
    package static let jobs = APIResource(group: "batch", version: "v1", plural: "jobs", kind: "Job")
    package static let pods = APIResource(group: "", version: "v1", plural: "pods", kind: "Pod")
    package static let secrets = APIResource(group: "", version: "v1", plural: "secrets", kind: "Secret")
    package static let configMaps = APIResource(group: "", version: "v1", plural: "configmaps", kind: "ConfigMap")
    package static let events = APIResource(group: "events.k8s.io", version: "v1", plural: "events", kind: "Event")
    package static let leases = APIResource(
        group: "coordination.k8s.io",
        version: "v1",
        plural: "leases",
        kind: "Lease"
    )
    package static let namespaces = APIResource(
        group: "",
        version: "v1",
        plural: "namespaces",
        kind: "Namespace",
        isNamespaced: false
    )
    package static let resourceQuotas = APIResource(
        group: "",
        version: "v1",
        plural: "resourcequotas",
        kind: "ResourceQuota"
    )
    package static let limitRanges = APIResource(group: "", version: "v1", plural: "limitranges", kind: "LimitRange")
    package static let jobBudgets = APIResource(
        group: "sluice.dev",
        version: "v1alpha1",
        plural: "jobbudgets",
        kind: "JobBudget",
        isNamespaced: false
    )
    package static let scaledJobs = APIResource(
        group: "keda.sh",
        version: "v1alpha1",
        plural: "scaledjobs",
        kind: "ScaledJob"
    )
    package static let triggerAuthentications = APIResource(
        group: "keda.sh",
        version: "v1alpha1",
        plural: "triggerauthentications",
        kind: "TriggerAuthentication"
    )
    package static let clusterTriggerAuthentications = APIResource(
        group: "keda.sh",
        version: "v1alpha1",
        plural: "clustertriggerauthentications",
        kind: "ClusterTriggerAuthentication",
        isNamespaced: false
    )
}
