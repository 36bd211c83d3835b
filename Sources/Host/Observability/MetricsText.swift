/// Text in Prometheus' exposition format 0.0.4, written family by family.
struct MetricsText {
    /// The value of the header `Content-Type`.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []

    /// A series' labels between their braces, ready to be written for several families.
    struct Labels {
        fileprivate let text: [UInt8]

        /// Takes the values in the order of the family's labels.
        init(_ family: MetricFamily, _ values: String...) {
            var text: [UInt8] = []
            for (label, value) in zip(family.labels, values) {
                if !text.isEmpty { text.append(UInt8(ascii: ",")) }
                text.append(contentsOf: label.utf8)
                text.append(contentsOf: "=\"".utf8)
                MetricsText.append(value, to: &text, quotes: true)
                text.append(UInt8(ascii: "\""))
            }
            self.text = text
        }
    }

    /// Begins a family; its samples follow.
    mutating func begin(_ family: MetricFamily) {
        self.append("# HELP \(family.name) ")
        Self.append(family.help, to: &self.bytes, quotes: false)
        self.append("\n# TYPE \(family.name) \(family.kind.rawValue)\n")
    }

    mutating func sample(_ family: MetricFamily, _ labels: Labels, _ value: Double) {
        self.sample(family.name, labels.text, value)
    }

    mutating func sample(_ family: MetricFamily, _ labels: Labels, _ value: Int) {
        self.sample(family.name, labels.text, Double(value))
    }

    /// Writes a histogram from the counts between its bounds; the last count is for what is above all of them.
    mutating func histogram(_ family: MetricFamily, _ labels: Labels, bounds: [Double], counts: [Int], sum: Double) {
        var total = 0
        for (bound, count) in zip(bounds + [.infinity], counts) {
            total += count
            let separator = labels.text.isEmpty ? "" : ","
            let text = labels.text + Array("\(separator)le=\"\(Self.number(bound))\"".utf8)
            self.sample("\(family.name)_bucket", text, Double(total))
        }
        self.sample("\(family.name)_sum", labels.text, sum)
        self.sample("\(family.name)_count", labels.text, Double(total))
    }

    private mutating func sample(_ name: String, _ labels: [UInt8], _ value: Double) {
        self.append(name)
        if !labels.isEmpty {
            self.bytes.append(UInt8(ascii: "{"))
            self.bytes.append(contentsOf: labels)
            self.bytes.append(UInt8(ascii: "}"))
        }
        self.bytes.append(UInt8(ascii: " "))
        self.append(Self.number(value))
        self.bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func append(_ text: String) { self.bytes.append(contentsOf: text.utf8) }

    private static func append(_ text: String, to bytes: inout [UInt8], quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\"") where quotes: bytes.append(contentsOf: #"\""#.utf8)
            default: bytes.append(byte)
            }
        }
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }
}
