/// A Lease, as far as somebody who waits for it has to know: who holds it.
package struct Lease: KubernetesObject, Equatable {
    package static let resource = APIResource.leases

    package var metadata: ObjectMetadata
    /// Nil when nobody does.
    package var holder: String?

    private enum CodingKeys: String, CodingKey {
        case metadata
        case spec
    }

    private struct Spec: Codable {
        var holderIdentity: String?
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        let holder = try container.decodeIfPresent(Spec.self, forKey: .spec)?.holderIdentity ?? ""
        self.holder = holder.isEmpty ? nil : holder
    }
}
