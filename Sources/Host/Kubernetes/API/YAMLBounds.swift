/// What a text may ask of the YAML parser, seen from its bytes alone.
///
/// The parser composes a document recursively, and compares the keys of a mapping with all that is in them. Both happen
/// before anything can be counted, so what would exhaust the stack or never end is refused unread. Text in quotes counts like
/// any other; the bounds are far beyond what people write.
struct YAMLBounds {
    private static let maximumNesting = 1_000
    private static let maximumIndentation = 1_000
    /// Aliases in a text that has collections or aliases as keys: with more, comparing keys could take for ever.
    private static let maximumAliases = 40

    private var line = 1
    /// Spaces since the start of the line; nil after anything else.
    private var indentation: Int? = 0
    private var brackets = 0
    /// Of this line: `- - -` opens a list in a list in a list.
    private var indicators = 0
    private var aliases = 0
    private var hasStrangeKey = false
    /// Whether the last token was an alias.
    private var isAfterAlias = false
    private var last = UInt8(ascii: "\n")
    private var beforeLast = UInt8(ascii: "\n")
    private var lastVisible = UInt8(ascii: "\n")

    static func check(_ text: String) throws(YAML.Failure) {
        var bounds = Self()
        for byte in text.utf8 {
            bounds.take(byte)
            guard bounds.brackets <= Self.maximumNesting, bounds.indicators <= Self.maximumNesting,
                bounds.indentation ?? 0 <= Self.maximumIndentation
            else { throw YAML.Failure("nested too deeply", line: bounds.line, document: 1) }
        }
        guard !bounds.hasStrangeKey || bounds.aliases <= Self.maximumAliases else {
            throw YAML.Failure("has aliases, and keys that are not plain text; write them out", line: nil, document: 1)
        }
    }

    private mutating func take(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            self.takeBlank()
            self.line += byte == UInt8(ascii: "\n") ? 1 : 0
            self.indentation = 0
            self.indicators = 0
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            self.takeBlank()
            self.indentation = byte == UInt8(ascii: " ") ? self.indentation.map { $0 + 1 } : nil
        default:
            self.takeVisible(byte)
            self.indentation = nil
            self.lastVisible = byte
        }
        self.beforeLast = self.last
        self.last = byte
    }

    private mutating func takeBlank() {
        guard Self.separates(self.beforeLast) else { return }
        if self.last == UInt8(ascii: "-") || self.last == UInt8(ascii: "?") { self.indicators += 1 }
        if self.last == UInt8(ascii: "?") { self.hasStrangeKey = true }
    }

    private mutating func takeVisible(_ byte: UInt8) {
        if Self.isOfName(byte) {
            if self.last == UInt8(ascii: "*"), Self.separates(self.beforeLast) {
                self.aliases += 1
                self.isAfterAlias = true
            } else if !Self.isOfName(self.last) {
                self.isAfterAlias = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"): self.brackets += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): self.brackets = max(0, self.brackets - 1)
        case UInt8(ascii: ":"):
            let closesCollection = self.lastVisible == UInt8(ascii: "]") || self.lastVisible == UInt8(ascii: "}")
            if closesCollection || self.isAfterAlias { self.hasStrangeKey = true }
        default: break
        }
        self.isAfterAlias = false
    }

    /// Whether a token may begin after this byte.
    private static func separates(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "["),
            UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "?"):
            true
        // Bytes beyond ASCII may be a line break.
        default: byte >= 0x80
        }
    }

    /// Whether the byte may be part of an alias' name.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
