/// `$(NAME)` in the value of an environment variable.
enum VariableReferences {
    /// Replaces each by its value; what is unknown or not closed stays as it is, and `$$` is one `$`.
    ///
    /// As existing manifests rely on it, a `$` with fewer than three characters after it means nothing.
    static func expanded(_ text: String, _ value: (String) -> String?) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 3 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "$"):
                result.append(UInt8(ascii: "$"))
                index += 2
            case UInt8(ascii: "("):
                guard let end = bytes[(index + 2)...].firstIndex(of: UInt8(ascii: ")")) else {
                    result.append(contentsOf: bytes[index...])
                    return String(decoding: result, as: UTF8.self)
                }
                let name = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
                result.append(contentsOf: value(name).map { Array($0.utf8) } ?? Array(bytes[index...end]))
                index = end + 1
            default:
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
