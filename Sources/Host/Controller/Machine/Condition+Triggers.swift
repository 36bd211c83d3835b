/// A trigger that gives no reading, and why.
package struct TriggerFault: Sendable, Equatable {
    /// Where it is: `spec.triggers[0]`, or the parameter in it that is at fault.
    package let field: String
    /// The trigger's name, where the manifest gives it one.
    package let name: String?
    /// Never a secret.
    package let message: String

    package init(index: Int, name: String? = nil, parameter: String? = nil, message: String) {
        self.field = "spec.triggers[\(index)]" + (parameter.map { ".metadata.\($0)" } ?? "")
        self.name = name.flatMap { $0.isEmpty ? nil : $0 }
        self.message = message
    }

    /// The place and the name, for people.
    package var place: String { self.name.map { "\(self.field) (\($0))" } ?? self.field }
}

extension Condition {
    /// Ready, by what a poll found: KEDA's rule.
    ///
    /// Some triggers that work and wait for nothing don't make up for one that is broken: only an active ScaledJob is
    /// said to work in part. The message says which triggers are meant, so that nobody takes the others for broken.
    package static func ready(faults: [TriggerFault], triggers: Int, isActive: Bool) -> Condition {
        guard let first = faults.first else {
            return Condition(.ready, .yes, "ScaledJobReady", "ScaledJob is defined correctly and is ready for scaling")
        }
        var message = "\(first.place): \(first.message)"
        if triggers > 1 {
            let places = faults.map(\.place).joined(separator: ", ")
            let whole = faults.count == triggers ? "none of the \(triggers) triggers can be read" : nil
            let part = "\(faults.count) of \(triggers) triggers cannot be read, the others can"
            let causes = faults.map { "\($0.place): \($0.message)" }.joined(separator: "; ")
            message = faults.count == 1 ? "\(part): \(message)" : "\(whole ?? part) (\(places)): \(causes)"
        }
        return isActive
            ? Condition(.ready, .unknown, "PartialTriggerError", message)
            : Condition(.ready, .no, "TriggerError", message)
    }

    /// Active, by what a poll found.
    package static func active(_ isActive: Bool) -> Condition {
        isActive
            ? Condition(.active, .yes, "ScalerActive", "Scaling is performed because triggers are active")
            : Condition(.active, .no, "ScalerNotActive", "Scaling is not performed because triggers are not active")
    }
}
