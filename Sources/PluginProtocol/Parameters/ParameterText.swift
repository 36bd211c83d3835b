/// Reads the text of a parameter as the host checked it.
public struct ParameterText: Sendable, Equatable {
    /// The text.
    public let text: String

    /// Wraps a text.
    public init(_ text: String) {
        self.text = text
    }

    /// A duration such as `90s`, `1h30m` or `1500`, which are milliseconds; nil when it is none, or negative.
    public var duration: Duration? {
        if let milliseconds = Int64(self.text) { return milliseconds < 0 ? nil : .milliseconds(milliseconds) }
        var rest = Substring(self.text)
        var total = Duration.zero
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let amount = Double(number), let scale = Self.units[String(unit)] else { return nil }
            let part = scale * amount
            guard part < .seconds(1 << 40) else { return nil }
            total += part
        }
        return total
    }

    /// The elements of a list, trimmed.
    public func list(separatedBy separator: Character = ",") -> [String] {
        self.text.split(separator: separator, omittingEmptySubsequences: false).map { part in
            var part = part
            while part.first?.isWhitespace == true { part.removeFirst() }
            while part.last?.isWhitespace == true { part.removeLast() }
            return String(part)
        }
    }

    /// The elements of a list of whole numbers, or nil when one is no number.
    ///
    /// With `ranges`, `3-5` means 3, 4 and 5.
    public func integers(separatedBy separator: Character = ",", ranges: Bool = false) -> [Int]? {
        var numbers: [Int] = []
        for part in self.list(separatedBy: separator) {
            if let number = Int(part) {
                numbers.append(number)
            } else if ranges, let dash = part.dropFirst().firstIndex(of: "-"), let first = Int(part[..<dash]),
                let last = Int(part[part.index(after: dash)...]), first <= last, last - first < 100_000
            {
                numbers.append(contentsOf: first...last)
            } else {
                return nil
            }
        }
        return numbers
    }

    private static let units: [String: Duration] = [
        "ns": .nanoseconds(1), "us": .microseconds(1), "µs": .microseconds(1), "ms": .milliseconds(1),
        "s": .seconds(1), "m": .seconds(60), "h": .seconds(3600),
    ]
}
