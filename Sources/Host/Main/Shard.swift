import Standalone

/// The part of all ScaledJobs that a host serves.
struct Shard {
    /// Empty for all.
    let namespaces: [String]
    /// Nil for all.
    let selector: String?

    init(namespaces: [String], selector: String?) {
        self.namespaces = Set(namespaces).sorted()
        self.selector = selector
    }

    /// Why the API server would refuse a selector, or why it selects nothing in particular; nil when it is good.
    static func problem(of selector: String) -> String? {
        guard !selector.allSatisfy(\.isWhitespace) else {
            return "is empty; leave it out to serve all ScaledJobs"
        }
        guard LabelSelector(selector) != nil else {
            return "\"\(selector)\" is not a label selector; write it like \"team=a\" or \"team in (a,b),!legacy\""
        }
        return nil
    }

    /// The Lease of this shard: KEDA's, unless other hosts serve other ScaledJobs of the same namespaces.
    var leaseName: String {
        guard let selector else { return "operator.keda.sh" }
        var hash: UInt32 = 0x811c_9dc5
        for byte in (self.namespaces + [selector]).joined(separator: "|").utf8 {
            hash = (hash ^ UInt32(byte)) &* 0x0100_0193
        }
        let digits = String(hash, radix: 16)
        return "sluice-shard-" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// What the Lease says of whoever holds it; nil for a host that serves everything.
    var description: String? {
        guard self.selector != nil || !self.namespaces.isEmpty else { return nil }
        let place = self.namespaces.isEmpty ? "all namespaces" : "namespaces \(self.namespaces.joined(separator: ","))"
        return self.selector.map { "\(place), ScaledJobs with \($0)" } ?? place
    }
}
