internal import FoundationEssentials

/// A Secret.
///
/// No description of it shows a value.
package struct Secret: KubernetesObject {
    package static let resource = APIResource.secrets

    package var metadata: ObjectMetadata
    /// Decoded from base64.
    ///
    /// Values that are not base64 are left out, as if they did not exist.
    package var data: [String: [UInt8]]

    private enum CodingKeys: String, CodingKey {
        case metadata
        case data
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.metadata = try container.decode(ObjectMetadata.self, forKey: .metadata)
        let encoded = try container.decodeIfPresent([String: String].self, forKey: .data) ?? [:]
        self.data = encoded.compactMapValues { Data(base64Encoded: $0).map(Array.init) }
    }
}

extension Secret: CustomStringConvertible, CustomReflectable {
    package var description: String { "Secret(\(self.key), keys: \(self.data.keys.sorted()))" }
    package var customMirror: Mirror { Mirror(self, children: ["key": self.key]) }
}
