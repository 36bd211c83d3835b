import NIOConcurrencyHelpers

/// What the admission webhook has looked at.
package struct ValidationCounts: Sendable, Equatable {
    package struct Key: Sendable, Hashable {
        package var namespace: String
        /// `create`, `update` or `delete`.
        package var action: String
        /// Why the object was refused; nil where it is only counted as looked at.
        package var reason: String?
    }

    /// Namespaces come from outside; there are never more series than this.
    private static let largest = 4096

    package private(set) var validations: [Key: Int] = [:]

    package init() {}

    package mutating func add(namespace: String, action: String, refusedFor reason: String?) {
        self.add(Key(namespace: namespace, action: action))
        if let reason { self.add(Key(namespace: namespace, action: action, reason: reason)) }
    }

    private mutating func add(_ key: Key) {
        guard self.validations[key] != nil || self.validations.count < Self.largest else { return }
        self.validations[key, default: 0] += 1
    }
}

/// Counts what the admission webhook looks at, for the metrics.
package final class ValidationCounter: Sendable {
    private let box = NIOLockedValueBox(ValidationCounts())

    package init() {}

    package var counts: ValidationCounts { self.box.withLockedValue { $0 } }

    /// Notes one review; `reason` is KEDA's word for why it was refused, such as `incorrect-triggers`.
    package func validated(namespace: String, action: String, refusedFor reason: String? = nil) {
        self.box.withLockedValue { $0.add(namespace: namespace, action: action, refusedFor: reason) }
    }
}
