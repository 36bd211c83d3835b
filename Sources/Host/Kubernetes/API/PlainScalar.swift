/// What an unquoted YAML 1.1 scalar means, with the words and number forms that `kubectl` accepts.
package enum PlainScalar {
    /// The JSON value of an unquoted scalar; nil for the infinities and not-a-number, which JSON does not have.
    package static func value(of text: String) -> JSONValue? {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true)
        case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .bool(false)
        case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
            return nil
        default: break
        }
        guard let first = text.utf8.first, self.startsNumber(first) else { return .string(text) }
        let digits = text.utf8.contains(UInt8(ascii: "_")) ? text.filter { $0 != "_" } : text
        if let integer = self.integer(digits) { return .integer(integer) }
        if self.isDecimal(digits), let number = Double(digits), number.isFinite { return .double(number) }
        return .string(text)
    }

    private static func startsNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    /// An integer in base 10, or in the base that its prefix names: `0x`, `0o`, `0b`, or a bare `0` for octal.
    private static func integer(_ text: String) -> Int64? {
        var digits = Substring(text)
        var sign = ""
        if let first = digits.first, first == "+" || first == "-" {
            sign = first == "-" ? "-" : ""
            digits.removeFirst()
        }
        guard let first = digits.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        let radix: Int
        switch digits.prefix(2).lowercased() {
        case "0x": radix = 16
        case "0o": radix = 8
        case "0b": radix = 2
        default: radix = digits.utf8.count > 1 && digits.first == "0" ? 8 : 10
        }
        if digits.utf8.count > 2, ["0x", "0o", "0b"].contains(digits.prefix(2).lowercased()) {
            digits = digits.dropFirst(2)
            guard let next = digits.first, next != "+", next != "-" else { return nil }
        }
        return Int64(sign + digits, radix: radix)
    }

    /// Digits with at most one point and an optional exponent.
    private static func isDecimal(_ text: String) -> Bool {
        var bytes = text.utf8[...]
        func takeDigits() -> Int {
            let rest = bytes.drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            defer { bytes = rest }
            return bytes.count - rest.count
        }
        func takeSign() {
            if let first = bytes.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") { bytes.removeFirst() }
        }
        takeSign()
        var count = takeDigits()
        if bytes.first == UInt8(ascii: ".") {
            bytes.removeFirst()
            count += takeDigits()
        }
        guard count > 0 else { return false }
        if let exponent = bytes.first, exponent == UInt8(ascii: "e") || exponent == UInt8(ascii: "E") {
            bytes.removeFirst()
            takeSign()
            guard takeDigits() > 0 else { return false }
        }
        return bytes.isEmpty
    }
}
