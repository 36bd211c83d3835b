import Kubernetes

/// An amount of a resource, so that `1`, `"1"` and `"1000m"` are the same.
struct Quantity: Hashable {
    /// The value is this times ten to the power of ``exponent``; never a multiple of ten, except for zero.
    private(set) var mantissa: Int128 = 0
    private(set) var exponent = 0

    /// Nil for a text that is no quantity, and for one of absurd size.
    init?(_ text: String) {
        var rest = text.utf8[...]
        guard rest.count <= 40 else { return nil }
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard self.takeDigits(&rest) else { return nil }
        guard self.scale(by: String(decoding: rest, as: UTF8.self)) else { return nil }
        if isNegative { self.mantissa = -self.mantissa }
        while self.mantissa != 0, self.mantissa % 10 == 0 {
            self.mantissa /= 10
            self.exponent += 1
        }
        if self.mantissa == 0 { self.exponent = 0 }
    }

    init?(_ value: JSONValue) {
        switch value {
        case .string(let text): self.init(text)
        case .integer(let number): self.init("\(number)")
        case .double(let number): self.init("\(number)")
        case .null, .bool, .array, .object: return nil
        }
    }

    /// The same text for the same amount.
    var canonical: String { "\(self.mantissa)e\(self.exponent)" }

    /// Thousandths of the unit, rounded up; nil for an amount that is too large for any cluster.
    var thousandths: Int128? {
        var value = self.mantissa
        var power = self.exponent + 3
        while power > 0 {
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            guard !overflows else { return nil }
            value = product
            power -= 1
            if value == 0 { return 0 }
        }
        var isWhole = true
        while power < 0, value != 0 {
            if value % 10 != 0 { isWhole = false }
            // Towards zero, which is up for what is negative.
            value /= 10
            power += 1
        }
        return isWhole || self.mantissa < 0 ? value : value + 1
    }

    /// An amount as a person writes it: `16Gi`, `4`, `1500m`.
    static func text(thousandths: Int128) -> String {
        guard thousandths % 1_000 == 0 else { return "\(thousandths)m" }
        var amount = thousandths / 1_000
        var suffix = ""
        for larger in Self.binary {
            guard amount != 0, amount % 1_024 == 0 else { break }
            amount /= 1_024
            suffix = larger
        }
        return "\(amount)\(suffix)"
    }

    private mutating func takeDigits(_ rest: inout Substring.UTF8View) -> Bool {
        var sawDigit = false
        var sawPoint = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                guard self.multiply(by: 10) else { return false }
                self.mantissa += Int128(byte - UInt8(ascii: "0"))
                if sawPoint { self.exponent -= 1 }
                sawDigit = true
            } else {
                break
            }
            rest.removeFirst()
        }
        return sawDigit
    }

    private mutating func scale(by suffix: String) -> Bool {
        if let power = Self.decimal[suffix] {
            self.exponent += power
            return true
        }
        if let power = Self.binary.firstIndex(of: suffix) {
            for _ in 0...power { guard self.multiply(by: 1_024) else { return false } }
            return true
        }
        guard suffix.first == "e" || suffix.first == "E", let power = Int8(suffix.dropFirst()) else { return false }
        self.exponent += Int(power)
        return true
    }

    private mutating func multiply(by factor: Int128) -> Bool {
        let (product, overflows) = self.mantissa.multipliedReportingOverflow(by: factor)
        // Room for one more digit.
        guard !overflows, product < Int128.max - 10 else { return false }
        self.mantissa = product
        return true
    }

    private static let decimal = [
        "": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
    ]
    private static let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
}
