/// A parsed `labelSelector` query parameter.
package struct LabelSelector: Sendable, Equatable {
    /// One condition; all of them must hold.
    package enum Requirement: Sendable, Equatable {
        case exists(String)
        case absent(String)
        case isOneOf(String, Set<String>)
        /// Also holds when the label is missing, as in Kubernetes.
        case isNoneOf(String, Set<String>)
    }

    package let requirements: [Requirement]

    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`; nil when the text is none of these.
    package init?(_ text: String) {
        var requirements: [Requirement] = []
        for part in Self.parts(of: text) {
            guard let requirement = Self.requirement(part) else { return nil }
            requirements.append(requirement)
        }
        self.requirements = requirements
    }

    package func matches(_ labels: [String: String]) -> Bool {
        self.requirements.allSatisfy { requirement in
            switch requirement {
            case .exists(let key): labels[key] != nil
            case .absent(let key): labels[key] == nil
            case .isOneOf(let key, let values): labels[key].map(values.contains) ?? false
            case .isNoneOf(let key, let values): labels[key].map { !values.contains($0) } ?? true
            }
        }
    }

    /// Splits at the commas that are not inside parentheses.
    private static func parts(of text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var isInside = false
        for character in text {
            switch character {
            case ",":
                if isInside { part.append(character) } else { parts.append(part); part = "" }
            case "(", ")":
                isInside = character == "("
                part.append(character)
            default:
                part.append(character)
            }
        }
        if !part.isEmpty { parts.append(part) }
        return parts.map(Self.trimmed)
    }

    private static func requirement(_ part: String) -> Requirement? {
        if let set = Self.setRequirement(part) { return set }
        for (sign, isNegated) in [("!=", true), ("==", false), ("=", false)] {
            guard let range = part.firstRange(of: sign) else { continue }
            let key = Self.trimmed(part[..<range.lowerBound])
            let value = Self.trimmed(part[range.upperBound...])
            guard Self.isKey(key), Self.isValue(value) else { return nil }
            return isNegated ? .isNoneOf(key, [value]) : .isOneOf(key, [value])
        }
        if part.hasPrefix("!") {
            let key = Self.trimmed(part.dropFirst())
            return Self.isKey(key) ? .absent(key) : nil
        }
        return Self.isKey(part) ? .exists(part) : nil
    }

    private static func setRequirement(_ part: String) -> Requirement? {
        guard let open = part.firstIndex(of: "("), part.last == ")" else { return nil }
        let words = part[..<open].split(separator: " ")
        guard words.count == 2, Self.isKey(String(words[0])) else { return nil }
        let inner = part[part.index(after: open)...].dropLast()
        let values = inner.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed)
        guard values.allSatisfy(Self.isValue) else { return nil }
        switch words[1] {
        case "in": return .isOneOf(String(words[0]), Set(values))
        case "notin": return .isNoneOf(String(words[0]), Set(values))
        default: return nil
        }
    }

    private static func isKey(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { Self.isLabelByte($0) || $0 == UInt8(ascii: "/") }
    }

    private static func isValue(_ text: String) -> Bool {
        text.utf8.count <= 63 && text.utf8.allSatisfy(Self.isLabelByte)
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let head = text.drop { $0 == " " }
        let tail = head.reversed().drop { $0 == " " }
        return String(tail.reversed())
    }
}

/// A parsed `fieldSelector` query parameter: the two fields that every resource type has.
package struct FieldSelector: Sendable, Equatable {
    private struct Requirement: Sendable, Equatable {
        let isName: Bool
        let value: String
        let isNegated: Bool
    }

    private let requirements: [Requirement]

    /// Reads `metadata.name=a,metadata.namespace!=b`; nil for any other field.
    package init?(_ text: String) {
        var requirements: [Requirement] = []
        for part in text.split(separator: ",") {
            let isNegated = part.contains("!=")
            let sides = part.split(separator: isNegated ? "!=" : "=", maxSplits: 1)
            guard let field = sides.first, field == "metadata.name" || field == "metadata.namespace" else { return nil }
            let value = sides.count == 2 ? sides[1].drop { $0 == "=" } : ""
            requirements.append(
                Requirement(isName: field == "metadata.name", value: String(value), isNegated: isNegated)
            )
        }
        self.requirements = requirements
    }

    package func matches(name: String, namespace: String) -> Bool {
        self.requirements.allSatisfy { (($0.isName ? name : namespace) == $0.value) != $0.isNegated }
    }
}
