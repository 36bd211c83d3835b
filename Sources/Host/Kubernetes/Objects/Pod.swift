/// A Pod, as far as the host looks at one: whose it is and whether it has started.
///
/// Everything else is dropped as it is read: there may be many.
package struct Pod: KubernetesObject, Equatable {
    package static let resource = APIResource.pods

    package var metadata: ObjectMetadata
    package var phase: String
    /// The types of the conditions that are true.
    package var conditions: Set<String>

    /// The Job that it belongs to; nil where it belongs to none.
    package var job: ObjectKey? {
        let owner = self.metadata.ownerReferences?.first { $0.controller == true && $0.kind == "Job" }?.name
        guard let name = self.metadata.labels?[Self.jobNameLabel] ?? owner else { return nil }
        return ObjectKey(namespace: self.metadata.namespace ?? "", name: name)
    }

    /// The UID of that Job; nil where no owner is named.
    package var jobUID: String? {
        self.metadata.ownerReferences?.first { $0.controller == true && $0.kind == "Job" }?.uid
    }

    private static let jobNameLabel = "job-name"

    private struct Status: Decodable {
        struct Condition: Decodable {
            var type: String
            var status: String
        }

        var phase: String?
        var conditions: [Condition]?
    }

    private enum CodingKeys: String, CodingKey { case metadata, status }

    package init(metadata: ObjectMetadata, phase: String, conditions: Set<String> = []) {
        self.metadata = metadata
        self.phase = phase
        self.conditions = conditions
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        var labels: [String: String] = [:]
        for (key, value) in metadata.labels ?? [:] where key == Self.jobNameLabel || key.hasPrefix("scaledjob.keda.sh/")
        {
            labels[key] = value
        }
        self.metadata = ObjectMetadata(
            name: metadata.name,
            namespace: metadata.namespace,
            resourceVersion: metadata.resourceVersion,
            labels: labels,
            ownerReferences: metadata.ownerReferences
        )
        let status = try container.decodeIfPresent(Status.self, forKey: .status)
        self.phase = status?.phase ?? ""
        self.conditions = []
        for condition in status?.conditions ?? [] where condition.status == "True" {
            self.conditions.insert(condition.type)
        }
    }
}
