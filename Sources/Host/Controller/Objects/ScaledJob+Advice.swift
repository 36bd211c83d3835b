import Kubernetes
import Scaling

extension ScaledJob {
    /// What works, but hardly as it was meant: told, and nothing is refused for it.
    package func advice(_ specification: ScaledJobSpecification?) -> [Problem] {
        var advice: [Problem] = []
        let name = self.metadata.name
        let label = WellKnown.labelValue(name)
        if label != name {
            advice.append(
                Problem(
                    "metadata.name",
                    "has \(name.utf8.count) characters and a label holds 63; its Jobs carry \(WellKnown.nameLabel)=\(label)"
                )
            )
        }
        if let minimum = specification?.bounds.minimum, let maximum = specification?.bounds.maximum, minimum > maximum {
            advice.append(
                Problem(
                    "spec.minReplicaCount",
                    "\(minimum) is more than maxReplicaCount; \(maximum) Jobs are kept running"
                )
            )
        }
        return advice
    }
}

extension ControllerMachine {
    mutating func advise(_ record: inout ScaledJobRecord) {
        let advice = record.object.advice(record.specification)
        guard advice != record.advice else { return }
        record.advice = advice
        for problem in advice {
            let facts = ["scaledjob": record.key.description, "advice": problem.description]
            self.actions.append(.log(LogRecord(level: .warning, message: "a ScaledJob is worth a look", facts: facts)))
        }
    }
}
