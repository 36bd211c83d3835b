import Kubernetes

/// Amounts of resources in one text: `cpu=64,memory=256Gi,nvidia.com/gpu=8`.
package enum ResourceLimitsText {
    /// In thousandths by name; nil for a text that is not of this form.
    package static func amounts(_ text: String) -> [String: Int128]? {
        var amounts: [String: Int128] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty, !sides[0].contains(where: \.isWhitespace),
                case .success(let amount) = Quantity.thousandths(of: .string(String(sides[1]))),
                amounts.updateValue(amount, forKey: String(sides[0])) == nil
            else { return nil }
        }
        return amounts
    }
}
