/// The strategy that a manifest names, or that the host chooses where it names none.
package struct StrategyChoice: Sendable, Equatable {
    /// Nil: the host chooses by what the triggers count.
    package let named: ScalingStrategy?
    /// Why it is not the strategy that the manifest asks for; nil where it is.
    package let warning: String?

    /// No strategy is named.
    package static let automatic = StrategyChoice(named: nil)

    package init(named: ScalingStrategy?, warning: String? = nil) {
        self.named = named
        self.warning = warning
    }

    /// `custom`, unless its percentage is no number: then it works like `default`, and its deduction does not count.
    package static func custom(deduction: Int?, percentage: String?) -> StrategyChoice {
        guard let text = percentage, !text.isEmpty else {
            let warning = "customScalingRunningJobPercentage is not set, so custom works like default"
            return StrategyChoice(named: .default, warning: warning)
        }
        guard let number = Self.number(text) else {
            let warning =
                "customScalingRunningJobPercentage \"\(text.prefix(40))\" is not a number, so custom works like default"
            return StrategyChoice(named: .default, warning: warning)
        }
        return StrategyChoice(named: .custom(deduction: deduction ?? 0, percentage: number))
    }

    /// The strategy for these triggers.
    ///
    /// - No trigger counts items only until they are claimed: `default`.
    /// - All do: `accurate`, or in-flight where each also says how much is in work.
    /// - Some do: every running Job is subtracted, since which trigger it works for is not known. Numbers in work are
    ///   added where there are any. That never gives an item two Jobs; it may wait for a running one.
    package func strategy(for standings: [TriggerStanding]) -> ScalingStrategy {
        if let named { return named }
        var claimed = 0
        var inFlight = 0
        var others = 0
        for standing in standings {
            guard case .known(let trigger, _) = standing else { continue }
            guard trigger.counts == .untilClaimed else {
                others += 1
                continue
            }
            claimed += 1
            if trigger.inFlight != nil { inFlight += 1 }
        }
        if claimed == 0 { return .default }
        if others > 0 { return inFlight > 0 ? .inFlight : .default }
        return inFlight == claimed ? .inFlight : .accurate
    }

    /// A number as existing manifests write it: decimal, or hexadecimal with an exponent; finite.
    private static func number(_ text: String) -> Double? {
        var isHexadecimal = false
        var hasExponent = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                continue
            case UInt8(ascii: "x"), UInt8(ascii: "X"): isHexadecimal = true
            case UInt8(ascii: "p"), UInt8(ascii: "P"): hasExponent = true
            default: return nil
            }
        }
        guard isHexadecimal == hasExponent, let number = Double(text), number.isFinite else { return nil }
        return number
    }
}
