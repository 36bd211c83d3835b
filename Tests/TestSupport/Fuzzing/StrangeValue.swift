import Kubernetes

extension FuzzGenerator {
    /// A value that is at a border of what is allowed, or beyond.
    mutating func strangeValue(depth: Int = 0) -> JSONValue {
        switch Int.random(in: 0..<10, using: &self) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &self))
        case 2:
            return .integer(
                self.pick([0, -1, 1, 2, 63, 64, 100, 1 << 31, (1 << 31) - 1, -(1 << 31), .max, .min, 1 << 53])
            )
        case 3: return .double(self.pick([0.5, -0.0, 1e308, -1e308, 1e-300, 2147483648.5, 1e18, 0.1]))
        case 4 where depth < 3: return .array((0..<self.size(upTo: 4)).map { _ in self.strangeValue(depth: depth + 1) })
        case 5 where depth < 3:
            var members: [String: JSONValue] = [:]
            for _ in 0..<self.size(upTo: 4) { members[self.strangeText()] = self.strangeValue(depth: depth + 1) }
            return .object(members)
        case 6: return self.deepValue()
        default: return .string(self.strangeText())
        }
    }

    mutating func strangeText() -> String {
        switch Int.random(in: 0..<4, using: &self) {
        case 0: return self.pick(Self.borders)
        case 1:
            return String(
                repeating: self.pick(["a", "-", " ", "é", "\u{1f600}", "0", "[", "$("]),
                count: self.size(upTo: 2_000)
            )
        case 2: return self.pick(Self.words)
        default:
            return String((0..<self.size(upTo: 200)).map { _ in self.pick(Self.characters) })
        }
    }

    private mutating func deepValue() -> JSONValue {
        var value = JSONValue.integer(1)
        let isList = Bool.random(using: &self)
        for _ in 0..<self.size(upTo: 600) { value = isList ? [value] : ["a": value] }
        return value
    }

    private static let borders = [
        "", " ", "0", "-0", "+1", "01", "0x1F", "1e400", "1e-400", "NaN", ".inf", "-.inf", "~", "null", "y", "no", "*a",
        "&a", "<<", "!!binary x", "---", "...", "\u{feff}", "\u{0}", "\u{7f}", "\u{85}", "\u{2028}", "\r\n", "\t", "#",
        "%YAML 9",
        "$(A)", "$($(A))", "${A}", "https://", "http://:80/", "https://a@", "9223372036854775808", "1_000", "12:30:45",
        "1.5Gi", "100m", "-5s", "5µs", "1h1h1h", "{", "{\"a\":", "[1", "\"", "'", "e\u{301}", "\u{1f1e9}\u{1f1ea}",
        "2026-01-01T00:00:00Z", "FromEnv", "aFromEnv", "/", "..", "../../x", "a/b/c",
    ]
    private static let words = [
        "mongodb", "cpu", "memory", "cron", "kafka", "scripted", "default", "custom", "accurate", "eager", "min", "max",
        "avg",
        "sum", "gradual", "immediate", "foreground", "aws", "azure-workload", "gcp", "none", "workload", "keda",
        "clientCredentials", "ScaledJob", "List", "true", "Never", "OnFailure", "Always",
    ]
    private static let characters: [Character] = Array("ab:-{}[]&*#?|>!%@`\"'\\,\n\r\t 019.\u{0}\u{1f600}é\u{2029}")
}
