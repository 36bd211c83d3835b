/// `$(VAR)` in commands, arguments and values, as a kubelet expands it.
package enum VariableExpansion {
    /// Replaces `$(NAME)` where the name is known; `$$` gives `$`, and anything else stays as it is.
    package static func expand(_ text: String, with variables: [String: String]) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            switch rest.first {
            case "$":
                result += "$"
                rest = rest.dropFirst()
            case "(":
                guard let close = rest.firstIndex(of: ")") else {
                    return result + "$" + rest
                }
                let name = String(rest[rest.index(after: rest.startIndex)..<close])
                result += variables[name] ?? "$(\(name))"
                rest = rest[rest.index(after: close)...]
            default:
                result += "$"
            }
        }
        return result + rest
    }
}
