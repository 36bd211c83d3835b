internal import FoundationEssentials
internal import Kubernetes

/// What Vault says when a path is read or written.
struct VaultAnswer {
    private let content: JSONValue?

    init(_ body: [UInt8]) {
        self.content = try? JSONValue(parsing: body)
    }

    func credential(
        _ kind: VaultRequest.Kind,
        _ subject: String,
        renewWithin: (_ isLeased: Bool) -> Duration?
    ) throws(CredentialFailure) -> FetchedCredential {
        guard let data = self.content?["data"], data.objectValue != nil else {
            throw CredentialFailure("\(subject) holds nothing", isRefusal: true)
        }
        let seconds = self.content?["lease_duration"]?.integerValue ?? 0
        let lease = seconds > 0 ? Duration.seconds(seconds) : nil
        // With a lease it was made for this reader; without one, it is only stored there.
        let isLeased = self.content?["lease_id"]?.stringValue?.isEmpty == false
        let renewWithin = renewWithin(isLeased)
        switch kind {
        case .certificate:
            return FetchedCredential(
                Self.texts(data),
                lifetime: Self.left(data) ?? lease,
                isIssued: true,
                renewWithin: renewWithin
            )
        case .version2:
            guard let inner = data["data"], inner.objectValue != nil else {
                throw CredentialFailure(
                    "\(subject) is not of version 2 of the key/value store; write data/ after its mount, or type secret",
                    isRefusal: true
                )
            }
            return FetchedCredential(Self.texts(inner), renewWithin: renewWithin)
        case .detected:
            if let inner = data["data"], inner.objectValue != nil {
                return FetchedCredential(Self.texts(inner), renewWithin: renewWithin)
            }
        case .version1: break
        }
        return FetchedCredential(
            Self.texts(data),
            lifetime: isLeased ? lease : nil,
            isIssued: isLeased,
            renewWithin: renewWithin
        )
    }

    /// The values as text: lists of texts line by line, as chains of certificates are written.
    private static func texts(_ data: JSONValue) -> [String: String] {
        (data.objectValue ?? [:]).compactMapValues { value in
            switch value {
            case .string(let text): text
            case .bool(let value): "\(value)"
            case .integer(let value): "\(value)"
            case .double(let value): "\(value)"
            case .array(let elements) where elements.allSatisfy { $0.stringValue != nil }:
                elements.compactMap(\.stringValue).joined(separator: "\n")
            case .object, .array: (try? value.encoded()).map { String(decoding: $0, as: UTF8.self) }
            case .null: nil
            }
        }
    }

    /// How long a certificate is good for, by this machine's clock.
    private static func left(_ data: JSONValue) -> Duration? {
        guard let end = data["expiration"]?.integerValue else { return nil }
        return .seconds(Swift.max(1, end - Int64(Date.now.timeIntervalSince1970)))
    }
}
