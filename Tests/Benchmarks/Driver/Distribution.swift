/// The distribution of some times.
struct Distribution {
    private let sorted: [Duration]

    init(_ times: [Duration]) {
        self.sorted = times.sorted()
    }

    /// The nearest time that this share of all does not exceed.
    func percentile(_ share: Double) -> Duration {
        guard !self.sorted.isEmpty else { return .zero }
        let rank = Int((share * Double(self.sorted.count)).rounded(.up))
        return self.sorted[Swift.min(Swift.max(rank, 1), self.sorted.count) - 1]
    }

    var summary: String {
        "p50 \(self.percentile(0.5).milliseconds) ms   p99 \(self.percentile(0.99).milliseconds) ms"
            + "   most \(self.percentile(1).milliseconds) ms   (\(self.sorted.count))"
    }
}

extension Duration {
    var inSeconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }

    /// With one decimal.
    var milliseconds: String { (self.inSeconds * 1_000).with(decimals: 1) }
}

extension Double {
    func with(decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((self * scale).rounded())
        guard decimals > 0 else { return "\(scaled)" }
        let digits = String(scaled.magnitude)
        let padded = String(repeating: "0", count: Swift.max(0, decimals + 1 - digits.count)) + digits
        return (scaled < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    var mebibytes: String { (self / 1_024).with(decimals: 1) }
}
