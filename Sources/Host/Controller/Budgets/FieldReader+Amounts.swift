import Kubernetes

extension FieldReader {
    /// A reader of a member that is an object; nil where there is none.
    func reader(_ key: String) -> FieldReader? {
        self.present(key).map { FieldReader($0, path: "\(self.path).\(key)") }
    }

    /// A list of texts.
    mutating func strings(_ key: String) -> [String]? {
        guard let value = self.present(key) else { return nil }
        guard let list = value.arrayValue else {
            self.note(key, "must be a list, not \(value.kindName)")
            return nil
        }
        var strings: [String] = []
        for (index, value) in list.enumerated() {
            guard let text = value.stringValue, !text.isEmpty else {
                self.note("\(key)[\(index)]", "\(value.summary) is not text; write a name")
                return nil
            }
            strings.append(text)
        }
        return strings
    }

    /// A number greater than 0.
    mutating func positiveNumber(_ key: String) -> Double? {
        guard let value = self.present(key) else { return nil }
        let number: Double? =
            switch value {
            case .integer(let number): Double(number)
            case .double(let number): number
            default: nil
            }
        guard let number else {
            self.note(key, "\(value.summary) is not a number; write one without quotes, such as 1 or 0.5")
            return nil
        }
        guard number > 0, number.isFinite else {
            self.note(key, "\(value.summary) is not greater than 0")
            return nil
        }
        return number
    }

    /// Amounts of resources in thousandths.
    mutating func amounts(_ key: String) -> [String: Int128] {
        guard var reader = self.reader(key) else { return [:] }
        var amounts: [String: Int128] = [:]
        for (name, value) in reader.members.sorted(by: { $0.key < $1.key }) where value != .null {
            switch Quantity.thousandths(of: value) {
            case .success(let amount): amounts[name] = amount
            case .failure(let invalid): reader.note(name, invalid.message)
            }
        }
        self.add(reader.problems)
        return amounts
    }
}

extension Quantity {
    /// Why something is no amount of a resource.
    package struct Invalid: Error, Sendable, Equatable {
        package let message: String
    }

    /// An amount of 0 or more, in thousandths.
    static func thousandths(of value: JSONValue) -> Result<Int128, Invalid> {
        guard let quantity = Quantity(value) else {
            return .failure(Invalid(message: "\(value.summary) is not an amount; write one such as 4, 500m or 16Gi"))
        }
        guard let thousandths = quantity.thousandths, thousandths < Self.tooMuch else {
            return .failure(Invalid(message: "\(value.summary) is too large for an amount"))
        }
        guard quantity.mantissa >= 0 else {
            return .failure(Invalid(message: "\(value.summary) is less than 0; write 0 or more"))
        }
        return .success(thousandths)
    }

    /// Far beyond any cluster, and far enough from overflowing when added up.
    private static let tooMuch: Int128 = 1 << 100
}
