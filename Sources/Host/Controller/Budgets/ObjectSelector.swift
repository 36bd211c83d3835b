import Kubernetes

/// The labels that an object must have, as `matchLabels` and `matchExpressions` say.
package struct ObjectSelector: Sendable, Equatable {
    enum Requirement: Sendable, Equatable {
        case exists(String)
        case absent(String)
        case isOneOf(String, Set<String>)
        /// Also holds where the label is missing, as in Kubernetes.
        case isNoneOf(String, Set<String>)
    }

    private enum Operator: String, CaseIterable {
        case isIn = "In", isNotIn = "NotIn", exists = "Exists", doesNotExist = "DoesNotExist"
    }

    private(set) var requirements: [Requirement] = []

    /// Reads a selector; an empty one selects everything.
    init(_ reader: inout FieldReader) {
        if let labels = reader.reader("matchLabels") {
            var labels = labels
            for key in labels.members.keys.sorted() {
                guard let value = labels.string(key) else { continue }
                self.requirements.append(.isOneOf(key, [value]))
            }
            reader.add(labels.problems)
        }
        guard let value = reader.present("matchExpressions") else { return }
        guard let list = value.arrayValue else {
            reader.note("matchExpressions", "must be a list, not \(value.kindName)")
            return
        }
        for (index, value) in list.enumerated() {
            var expression = FieldReader(value, path: "\(reader.path).matchExpressions[\(index)]")
            if let requirement = Self.requirement(&expression) { self.requirements.append(requirement) }
            reader.add(expression.problems)
        }
    }

    package func matches(_ labels: [String: String]) -> Bool {
        self.requirements.allSatisfy { requirement in
            switch requirement {
            case .exists(let key): labels[key] != nil
            case .absent(let key): labels[key] == nil
            case .isOneOf(let key, let values): labels[key].map(values.contains) ?? false
            case .isNoneOf(let key, let values): labels[key].map { !values.contains($0) } ?? true
            }
        }
    }

    private static func requirement(_ expression: inout FieldReader) -> Requirement? {
        guard let key = expression.string("key"), !key.isEmpty else {
            if expression.problems.isEmpty { expression.note("key", "is missing; write the key of a label") }
            return nil
        }
        guard let sign = expression.choice("operator", of: Operator.self) else {
            if expression.problems.isEmpty {
                expression.note("operator", "is missing; write In, NotIn, Exists or DoesNotExist")
            }
            return nil
        }
        let values = Set(expression.strings("values") ?? [])
        switch sign {
        case .exists, .doesNotExist:
            guard values.isEmpty else {
                expression.note("values", "must be empty for \(sign.rawValue); leave it out")
                return nil
            }
            return sign == .exists ? .exists(key) : .absent(key)
        case .isIn, .isNotIn:
            guard !values.isEmpty else {
                expression.note("values", "is missing; \(sign.rawValue) needs at least one value")
                return nil
            }
            return sign == .isIn ? .isOneOf(key, values) : .isNoneOf(key, values)
        }
    }
}
