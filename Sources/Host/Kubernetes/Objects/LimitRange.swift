/// A LimitRange, as far as it fills in what a container does not state.
package struct LimitRange: KubernetesObject, Equatable {
    package static let resource = APIResource.limitRanges

    package var metadata: ObjectMetadata
    /// What a container requests that states neither a request nor a limit, as texts by the name of the resource.
    package var defaultRequests: PodResources.Amounts

    private struct Spec: Decodable {
        struct Item: Decodable {
            var type: String?
            var `default`: [String: PodResources.Amount]?
            var defaultRequest: [String: PodResources.Amount]?
        }

        var limits: [Item]?
    }

    private enum CodingKeys: String, CodingKey { case metadata, spec }

    package init(metadata: ObjectMetadata, defaultRequests: PodResources.Amounts) {
        self.metadata = metadata
        self.defaultRequests = defaultRequests
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        self.defaultRequests = [:]
        let items = try container.decodeIfPresent(Spec.self, forKey: .spec)?.limits ?? []
        for item in items where item.type == "Container" {
            for (name, amount) in item.default ?? [:] { self.defaultRequests[name] = amount.text }
            for (name, amount) in item.defaultRequest ?? [:] { self.defaultRequests[name] = amount.text }
        }
    }
}
