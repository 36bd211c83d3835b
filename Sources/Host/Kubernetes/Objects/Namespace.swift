/// A Namespace, as far as budgets select by one: its labels.
package struct Namespace: KubernetesObject, Equatable {
    package static let resource = APIResource.namespaces

    package var metadata: ObjectMetadata

    private enum CodingKeys: String, CodingKey { case metadata }

    package init(name: String, labels: [String: String] = [:]) {
        self.metadata = ObjectMetadata(name: name, labels: labels)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        self.metadata = ObjectMetadata(
            name: metadata.name,
            resourceVersion: metadata.resourceVersion,
            labels: metadata.labels
        )
    }
}
