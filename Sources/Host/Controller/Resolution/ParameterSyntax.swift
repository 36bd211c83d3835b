package import PluginProtocol

/// Whether a value looks as its declaration says.
package struct ParameterSyntax: Sendable {
    package let kind: ParameterDeclaration.Kind

    package init(_ kind: ParameterDeclaration.Kind) {
        self.kind = kind
    }

    /// Nil when the value is fine; otherwise what it should be.
    package func objection(to value: String) -> String? {
        switch self.kind {
        case .string:
            return nil
        case .integer:
            return Self.isJSONNumber(value, whole: true) ? nil : "is not a whole number; write one such as 5"
        case .number:
            return Self.isJSONNumber(value, whole: false) ? nil : "is not a number; write one such as 5 or 0.5"
        case .boolean:
            return Self.booleans.contains(value) ? nil : "is not a truth value; write true or false"
        case .duration:
            return ParameterText(value).duration != nil ? nil : "is not a duration; write one such as 90s or 5m"
        case .oneOf(let values):
            let parts = value.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed }
            return parts.allSatisfy(values.contains) ? nil : "is not one of \(values.joined(separator: ", "))"
        case .jsonObject:
            return Self.objectionToJSONObject(value)
        }
    }

    private static let booleans: Set<String> = [
        "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False",
    ]

    /// JSON's syntax: no leading `+`, no leading zeros.
    static func isJSONNumber(_ text: String, whole: Bool) -> Bool {
        var rest = Substring(text)
        if rest.first == "-" { rest.removeFirst() }
        let integer = rest.prefix { $0.isASCII && $0.isNumber }
        guard !integer.isEmpty, integer.count == 1 || integer.first != "0" else { return false }
        rest = rest.dropFirst(integer.count)
        if whole { return rest.isEmpty && Int64(text) != nil }
        if rest.first == "." {
            let fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(fraction.count + 1)
        }
        if let exponent = rest.first, exponent == "e" || exponent == "E" {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == "+" || sign == "-" { rest = rest.dropFirst() }
            guard !rest.isEmpty, rest.allSatisfy({ $0.isASCII && $0.isNumber }) else { return false }
            return Double(text)?.isFinite == true
        }
        return rest.isEmpty && Double(text)?.isFinite == true
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    package var trimmed: String {
        var rest = Substring(self)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
