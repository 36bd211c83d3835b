internal import FoundationEssentials
import Kubernetes
package import PluginProtocol
package import Scaling

extension JobTemplate {
    /// The environment variables by which a container learns its item.
    package enum ItemVariable {
        package static let key = "SLUICE_ITEM_KEY"
        package static let payload = "SLUICE_ITEM_PAYLOAD"
        /// `text`, or `base64` where the payload is no text.
        package static let encoding = "SLUICE_ITEM_PAYLOAD_ENCODING"
        static let all = [key, payload, encoding]
    }

    /// The template with gaps in the environment of every container, before what the manifest says.
    ///
    /// In front, so that commands and other variables can refer to them. A variable of the manifest of the same name goes.
    static func carryingItems(_ template: JSONValue) -> JSONValue {
        guard var spec = template["spec"] else { return template }
        for field in ["containers", "initContainers"] {
            guard let containers = spec[field]?.arrayValue else { continue }
            spec[field] = .array(
                containers.map { container in
                    guard container.objectValue != nil else { return container }
                    var container = container
                    let others = (container["env"]?.arrayValue ?? []).filter { variable in
                        !ItemVariable.all.contains(variable["name"]?.stringValue ?? "")
                    }
                    container["env"] = .array(Self.variables + others)
                    return container
                }
            )
        }
        var template = template
        template["spec"] = spec
        return template
    }

    private static let variables: [JSONValue] = [
        ["name": .string(ItemVariable.key), "value": .string(Gap.variableKey.rawValue)],
        ["name": .string(ItemVariable.payload), "value": .string(Gap.variablePayload.rawValue)],
        ["name": .string(ItemVariable.encoding), "value": .string(Gap.variableEncoding.rawValue)],
    ]

    /// What fills a gap, as JSON text without its quotes.
    static func filling(_ gap: Gap, name: String, _ order: ItemOrder?) -> [UInt8] {
        switch gap {
        case .name: Array(name.utf8)
        case .annotatedKey: Self.escaped(order?.item.key ?? "trial")
        case .annotatedAttempt: Array("\(order?.attempt ?? 1)".utf8)
        case .variableKey: Self.escaped(Self.literal(order?.item.key ?? "trial"))
        case .variablePayload: Self.escaped(Self.literal(order?.item.payload.text ?? ""))
        case .variableEncoding: Array((order?.item.payload.isBase64 == true ? "base64" : "text").utf8)
        }
    }

    /// A text that the kubelet hands over as it is: it would take `$(NAME)` for a variable, and `$$` for `$`.
    private static func literal(_ text: String) -> String { text.replacing("$", with: "$$") }

    private static func escaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += Array("\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8)
            default: bytes.append(byte)
            }
        }
        return bytes
    }
}

extension ItemListing {
    /// Takes the items of a reading that was asked for at most so many.
    package init(_ reading: Reading, asked: Int, askedAt: ContinuousClock.Instant) {
        var items: [WaitingItem] = []
        var unusable = 0
        for item in reading.items {
            guard let key = Self.text(item.key) else {
                unusable += 1
                continue
            }
            let payload =
                Self.text(item.payload).map { WaitingItem.Payload(text: $0) }
                ?? WaitingItem.Payload(text: Data(item.payload).base64EncodedString(), isBase64: true)
            let hash = ItemNames.hash(of: SHA256.digest(item.key))
            items.append(WaitingItem(key: key, hash: hash, payload: payload))
        }
        self.init(items, askedAt: askedAt, asked: asked, waiting: reading.waiting, unusable: unusable)
    }

    /// Text that an environment variable can hold; nil where the bytes are none.
    private static func text(_ bytes: [UInt8]) -> String? {
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
