/// A ResourceQuota: what a namespace may use, and what it uses.
package struct ResourceQuota: KubernetesObject, Equatable {
    package static let resource = APIResource.resourceQuotas

    package var metadata: ObjectMetadata
    /// What is wanted, as texts by the name of the resource.
    package var wanted: PodResources.Amounts
    /// What the API server holds everybody to.
    package var hard: PodResources.Amounts
    package var used: PodResources.Amounts
    /// It counts only some of the Pods.
    package var hasScopes: Bool

    private struct Spec: Decodable {
        /// Whether there is any; what it says is the API server's to know.
        struct Selector: Decodable {}

        var hard: [String: PodResources.Amount]?
        var scopes: [String]?
        var scopeSelector: Selector?
    }

    private struct Status: Decodable {
        var hard: [String: PodResources.Amount]?
        var used: [String: PodResources.Amount]?
    }

    private enum CodingKeys: String, CodingKey { case metadata, spec, status }

    package init(
        metadata: ObjectMetadata,
        wanted: PodResources.Amounts,
        hard: PodResources.Amounts,
        used: PodResources.Amounts,
        hasScopes: Bool = false
    ) {
        self.metadata = metadata
        self.wanted = wanted
        self.hard = hard
        self.used = used
        self.hasScopes = hasScopes
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        let spec = try container.decodeIfPresent(Spec.self, forKey: .spec)
        let status = try container.decodeIfPresent(Status.self, forKey: .status)
        self.wanted = spec?.hard?.mapValues(\.text) ?? [:]
        self.hard = status?.hard?.mapValues(\.text) ?? [:]
        self.used = status?.used?.mapValues(\.text) ?? [:]
        self.hasScopes = spec?.scopes?.isEmpty == false || spec?.scopeSelector != nil
    }
}
