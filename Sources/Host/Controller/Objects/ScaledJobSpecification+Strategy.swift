import Kubernetes
import Scaling

extension ScaledJobSpecification {
    /// What `spec.scalingStrategy` says.
    struct ScalingStrategyManifest {
        var combination = BacklogCombination.max
        var choice = StrategyChoice.automatic
        var pendingRule = PendingRule()
    }

    /// The values of `spec.scalingStrategy.strategy`.
    private enum StrategyName: String, CaseIterable {
        case `default`, custom, accurate, eager
    }

    static func scalingStrategy(_ reader: inout FieldReader) -> ScalingStrategyManifest {
        guard let value = reader.present("scalingStrategy") else { return ScalingStrategyManifest() }
        var manifest = ScalingStrategyManifest()
        var fields = FieldReader(value, path: "spec.scalingStrategy")
        manifest.combination =
            fields.choice("multipleScalersCalculation", of: BacklogCombination.self) ?? manifest.combination
        let deduction = fields.integer("customScalingQueueLengthDeduction", atLeast: Int(Int32.min))
        let percentage = fields.string("customScalingRunningJobPercentage")
        manifest.pendingRule = Self.pendingRule(&fields)
        // An empty name is none.
        if fields.present("strategy") != .string("") {
            switch fields.choice("strategy", of: StrategyName.self) {
            case .default: manifest.choice = StrategyChoice(named: .default)
            case .custom: manifest.choice = .custom(deduction: deduction, percentage: percentage)
            case .accurate: manifest.choice = StrategyChoice(named: .accurate)
            case .eager: manifest.choice = StrategyChoice(named: .eager)
            case nil: break
            }
        }
        reader.add(fields.problems)
        return manifest
    }

    private static func pendingRule(_ fields: inout FieldReader) -> PendingRule {
        guard let value = fields.present("pendingPodConditions") else { return PendingRule() }
        guard let list = value.arrayValue else {
            fields.note("pendingPodConditions", "\(value.summary) is not a list; write a list of Pod condition types")
            return PendingRule()
        }
        var conditions: [String] = []
        for (index, element) in list.enumerated() {
            if let condition = element.stringValue {
                conditions.append(condition)
            } else {
                fields.note(
                    "pendingPodConditions[\(index)]",
                    "\(element.summary) is not text; write the type of a Pod condition"
                )
            }
        }
        return PendingRule(conditions)
    }
}

extension ScaledJobSpecification {
    /// Why the strategy is not the one that the manifest asks for; nil where it is.
    package var strategyWarning: String? { self.strategy.warning }
}
