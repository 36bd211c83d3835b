extension AdmissionWait {
    /// What it waits for, in one sentence without its subject.
    package var sentence: String {
        switch self.cause {
        case .unknown(let what): return "waits until \(what) are known"
        case .unsatisfiable:
            return "can't run under \(self.place): \(self.demand), the limit is \(self.text(self.limit))"
        case .held:
            return "waits for \(self.place): the free \(self.unit) is kept for a larger Job that has waited longer"
        case .used: break
        }
        switch self.dimension {
        case .runningJobs: return "waits for \(self.place): \(self.inUse) of \(self.limit) Jobs running"
        case .jobObjects: return "waits for \(self.place): \(self.inUse) of \(self.limit) Jobs exist"
        case .jobsPerBatch:
            return "waits for its next poll: \(self.place) allows \(self.limit) Jobs from one to the next"
        case .jobsPerSecond: return "waits for \(self.place): \(self.rate) Jobs per second at the most"
        case .resource:
            let use = "\(self.text(self.inUse)) of \(self.text(self.limit)) \(self.unit)"
            let text = "waits for \(self.place): \(use) in use"
            return self.inUse >= self.limit ? text : "\(text), \(self.demand)"
        }
    }

    private var place: String {
        switch self.scope {
        case .scaledJob: "its own limit"
        case .namespace(let name): "the namespace \(name)"
        case .budget(let name): "the budget \(name)"
        case .host: "the host's limit"
        }
    }

    private var demand: String {
        if case .resource = self.dimension { return "one Job needs \(self.text(self.needed)) \(self.unit)" }
        return "one Job needs \(self.needed)"
    }

    private var unit: String {
        if case .resource(let name) = self.dimension { return name }
        return "Jobs"
    }

    private var rate: String { ResourceAmounts.decimal(self.limit) }

    private func text(_ amount: Int128) -> String {
        guard case .resource(let name) = self.dimension else { return "\(amount)" }
        return ResourceAmounts.text(amount, of: name)
    }

}

extension ResourceAmounts {
    /// An amount for people: cores and devices as decimal numbers, bytes with a binary unit.
    package static func text(_ thousandths: Int128, of name: String) -> String {
        let isBytes = name == "memory" || name.hasSuffix("storage") || name.hasPrefix("hugepages-")
        guard isBytes else { return self.decimal(thousandths) }
        var unit = Int128(1)
        var suffix = ""
        for (next, factor) in [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40)] {
            guard thousandths >= (Int128(1) << factor) * 1000 else { break }
            unit = Int128(1) << factor
            suffix = next
        }
        // To a tenth, which tells enough.
        let tenths = thousandths / (unit * 100)
        return self.decimal(tenths * 100) + suffix
    }

    static func decimal(_ thousandths: Int128) -> String {
        let whole = thousandths / 1000
        var rest = thousandths % 1000
        guard rest > 0 else { return "\(whole)" }
        var digits = 3
        while rest % 10 == 0 {
            rest /= 10
            digits -= 1
        }
        let fraction = "\(rest)"
        return "\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
