/// A ConfigMap, as far as parameters come from it: its texts.
package struct ConfigMap: KubernetesObject, Equatable {
    package static let resource = APIResource.configMaps

    package var metadata: ObjectMetadata
    package var data: [String: String]

    private enum CodingKeys: String, CodingKey {
        case metadata
        case data
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        self.data = try container.decodeIfPresent([String: String].self, forKey: .data) ?? [:]
    }
}
