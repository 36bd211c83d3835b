package import Kubernetes

/// A `jobTargetRef` in one way of writing it, so that ways of writing the same thing compare as equal.
package struct CanonicalTemplate: Sendable, Equatable {
    package let value: JSONValue

    /// Nothing that the host adds is part of it: a new version that adds more must not make every Job an old one.
    package init(_ jobTargetRef: JSONValue) {
        var value = Self.canonical(jobTargetRef)
        if var template = value["template"] {
            if template[path: "spec", "restartPolicy"]?.stringValue ?? "" == "", var spec = template["spec"] {
                spec["restartPolicy"] = "OnFailure"
                template["spec"] = spec
            }
            if var metadata = template["metadata"] {
                if var labels = metadata["labels"] {
                    labels[WellKnown.nameLabel] = nil
                    metadata["labels"] = labels == .object([:]) ? nil : labels
                }
                template["metadata"] = metadata == .object([:]) ? nil : metadata
            }
            value["template"] = template
        }
        self.value = value
    }

    /// What the annotation `sluice.dev/template-hash` says of a Job made of this template.
    ///
    /// The number in front is the version of the way of writing: a hash of another version says nothing.
    package func hash() throws -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in try self.value.encoded() { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Self.version + String(hash, radix: 36)
    }

    /// Whether a hash was made by ``hash()``, and so tells by being different that the template is.
    package static func isComparable(_ hash: String) -> Bool { hash.hasPrefix(Self.version) }

    private static let version = "1."

    private static func canonical(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool, .integer, .double, .string: return value
        case .array(let elements): return .array(elements.map(Self.canonical))
        case .object(let members):
            var result: [String: JSONValue] = [:]
            for (key, member) in members where member != .null {
                result[key] =
                    switch key {
                    case "requests", "limits", "overhead": Self.amounts(member)
                    case "sizeLimit", "divisor": Self.amount(member)
                    default: Self.canonical(member)
                    }
            }
            return .object(result)
        }
    }

    private static func amounts(_ value: JSONValue) -> JSONValue {
        guard let members = value.objectValue else { return Self.canonical(value) }
        return .object(members.mapValues(Self.amount))
    }

    private static func amount(_ value: JSONValue) -> JSONValue {
        Quantity(value).map { .string($0.canonical) } ?? Self.canonical(value)
    }
}
