package import Kubernetes

/// A Lease (`coordination.k8s.io/v1`) as leader election uses it: who leads, and how long that holds.
package struct LeaseRecord: Sendable, Equatable {
    /// Nil when nobody leads.
    package var holder: String?
    /// How long the others leave the holder alone after they saw its last renewal.
    package var duration: Duration
    package var acquiredAt: KubernetesTime
    package var renewedAt: KubernetesTime
    /// How often the holder changed.
    package var transitions: Int64
    /// What the hosts that share it serve, for people; nil for everything, or where another program holds it.
    package var shard: String?
    /// Nil before the Lease exists.
    package var resourceVersion: String?

    private static let shardAnnotation = "sluice.dev/shard"

    package init(
        holder: String?,
        duration: Duration,
        acquiredAt: KubernetesTime,
        renewedAt: KubernetesTime,
        transitions: Int64 = 0,
        shard: String? = nil,
        resourceVersion: String? = nil
    ) {
        self.holder = holder
        self.duration = duration
        self.acquiredAt = acquiredAt
        self.renewedAt = renewedAt
        self.transitions = transitions
        self.shard = shard
        self.resourceVersion = resourceVersion
    }

    /// Whether its holder gave it back, rather than somebody else having taken the name out.
    ///
    /// Whoever gives a Lease back shortens it to a second.
    package var isGivenBack: Bool { self.holder == nil && self.duration <= .seconds(1) }

    /// Reads what the API server answered.
    ///
    /// A Lease without times or duration, as tools may leave one, counts as renewed long ago.
    package init(_ object: JSONValue) {
        let spec = object["spec"]
        func time(_ key: String) -> KubernetesTime {
            spec?[key]?.stringValue.flatMap(KubernetesTime.init) ?? KubernetesTime(secondsSinceEpoch: 0)
        }
        let holder = spec?["holderIdentity"]?.stringValue ?? ""
        self.init(
            holder: holder.isEmpty ? nil : holder,
            duration: .seconds(Swift.max(1, spec?["leaseDurationSeconds"]?.integerValue ?? 1)),
            acquiredAt: time("acquireTime"),
            renewedAt: time("renewTime"),
            transitions: spec?["leaseTransitions"]?.integerValue ?? 0,
            shard: object[path: "metadata", "annotations"]?[Self.shardAnnotation]?.stringValue,
            resourceVersion: object[path: "metadata", "resourceVersion"]?.stringValue
        )
    }

    /// The object to write; with a resource version it replaces only what was read.
    package func object(_ key: ObjectKey) -> JSONValue {
        var metadata: JSONValue = ["name": .string(key.name), "namespace": .string(key.namespace)]
        if let shard { metadata["annotations"] = .object([Self.shardAnnotation: .string(shard)]) }
        if let resourceVersion { metadata["resourceVersion"] = .string(resourceVersion) }
        return [
            "apiVersion": .string(APIResource.leases.apiVersion),
            "kind": .string(APIResource.leases.kind),
            "metadata": metadata,
            "spec": [
                "holderIdentity": .string(self.holder ?? ""),
                "leaseDurationSeconds": .integer(Swift.max(1, self.duration.components.seconds)),
                "acquireTime": .string(self.acquiredAt.microTime),
                "renewTime": .string(self.renewedAt.microTime),
                "leaseTransitions": .integer(self.transitions),
            ],
        ]
    }
}
