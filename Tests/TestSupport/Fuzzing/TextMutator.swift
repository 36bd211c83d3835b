import Kubernetes

extension FuzzGenerator {
    /// A value as YAML, in forms that mean the same: blocks, flows, quotes, comments.
    mutating func yaml(_ value: JSONValue, indentation: Int = 0) -> String {
        let space = String(repeating: " ", count: indentation)
        switch value {
        case .array(let elements) where !elements.isEmpty && indentation < 80 && !self.chance(in: 8):
            return elements.map { "\n\(space)- \(self.yaml($0, indentation: indentation + 2))" }.joined()
        case .object(let members) where !members.isEmpty && indentation < 80 && !self.chance(in: 8):
            return members.keys.sorted().map { key in
                let comment = self.chance(in: 30) ? " # \(key)" : ""
                return
                    "\n\(space)\(self.scalar(key)): \(self.yaml(members[key] ?? .null, indentation: indentation + 2))\(comment)"
            }.joined()
        case .string(let text): return self.scalar(text)
        default: return (try? value.encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "null"
        }
    }

    private mutating func scalar(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "." || $0 == "/" }
        if isPlain || self.chance(in: 10) { return text }
        return (try? JSONValue.string(text).encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    /// The bytes with some broken.
    mutating func garble(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<self.size(upTo: 40) {
            let place = Int.random(in: 0...bytes.count, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &self)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: self.pick(Self.tokens).utf8, at: place)
            case 3:
                let end = Swift.min(bytes.count, place + self.size(upTo: 200))
                if bytes.count < 200_000 { bytes.insert(contentsOf: bytes[place..<end], at: bytes.count) }
            case 4: bytes.removeSubrange(place..<Swift.min(bytes.count, place + self.size(upTo: 200)))
            default: bytes.insert(UInt8.random(in: 0...255, using: &self), at: place)
            }
        }
        return bytes
    }

    /// Text that asks much of whoever reads it.
    mutating func bomb() -> [UInt8] {
        let count = self.size(upTo: 20_000)
        let width = Int.random(in: 1...12, using: &self)
        let text: String
        switch Int.random(in: 0..<8, using: &self) {
        case 0:
            text = String(
                repeating: self.pick(["[", "{", "{a: ", "- ", "? ", "[{", "!a ", "&a ", "\"", "'", "|\n", "%"]),
                count: count
            )
        case 1:
            text = (0..<Swift.min(count, 2_500)).map { String(repeating: " ", count: $0) + "a:" }.joined(
                separator: "\n"
            )
        case 2: text = String(repeating: "[", count: count) + String(repeating: "]", count: count)
        case 3: text = self.aliases(width) { "[\(Array(repeating: $0, count: width).joined(separator: ","))]" }
        case 4: text = self.aliases(width) { "{<<: [\(Array(repeating: $0, count: width).joined(separator: ","))]}" }
        case 5: text = self.aliases(width) { "{\($0) : 1, ? [\($0), \($0)] : 2}" }
        case 6:
            text = "a: &a \(String(repeating: "x", count: count * 10))\nb: [\(String(repeating: "*a,", count: count))]"
        default:
            text = String(
                repeating: self.pick(["a: 1\n---\n", "a: 1\na: 1\n", "\t", "\u{feff}", "a: &a *a\n"]),
                count: count
            )
        }
        return Array(text.utf8)
    }

    private mutating func aliases(_ width: Int, _ level: (String) -> String) -> String {
        var text = "a0: &a0 \(self.pick(["[x]", "{}", "x", "{a: 1}"]))\n"
        for number in 1...Int.random(in: 2...50, using: &self) {
            text += "a\(number): &a\(number) \(level("*a\(number - 1)"))\n"
        }
        return text
    }

    private static let tokens = [
        "---\n", "...\n", "\n", "\t", "\r", ": ", "- ", "? ", "[", "]", "{", "}", "&a ", "*a", "<<: ", "!!int ", "!<",
        "|\n",
        ">-\n", "\"", "'", "#", "%YAML 1.3\n", "\u{0}", "\u{feff}", "\\u0000", "\\ud800", "\\x", "1e999", "-", "@", "`",
        ",,",
        "null", "true", "\u{2028}", "\u{85}",
    ]
}
