import Controller
import Kubernetes
import Scaling
import Testing

/// A situation in few words, tried the way `sluice decide` tries one.
struct SituationSketch: Sendable {
    /// Queue length, target, active.
    typealias Trigger = (value: Double, target: Double, isActive: Bool)

    var triggers: [Trigger] = []
    /// Why the trigger of this position could not be read.
    var failures: [String] = []
    var maximum: Int?
    var minimum: Int?
    var strategy: JSONValue?
    var combination: String?
    var running = 0
    var pending: Int? = 0
    /// Why the Jobs could not be listed.
    var jobsFailure: String?

    var json: JSONValue {
        let readings = self.triggers.map { trigger -> JSONValue in
            ["value": .double(trigger.value), "target": .double(trigger.target), "active": .bool(trigger.isActive)]
        }
        let failed = self.failures.map { failure -> JSONValue in ["error": .string(failure)] }
        let trigger: JSONValue = ["type": "any", "metadata": [:]]
        let triggers = Array(repeating: trigger, count: Swift.max(1, readings.count + failed.count))
        var spec: JSONValue = [
            "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "worker"]]]]],
            "triggers": .array(triggers),
        ]
        if let maximum { spec["maxReplicaCount"] = .integer(Int64(maximum)) }
        if let minimum { spec["minReplicaCount"] = .integer(Int64(minimum)) }
        var scaling = self.strategy ?? ["strategy": "default"]
        if let combination { scaling["multipleScalersCalculation"] = .string(combination) }
        spec["scalingStrategy"] = scaling
        var jobs: JSONValue = ["running": .integer(Int64(self.running))]
        jobs["pending"] = self.pending.map { .integer(Int64($0)) } ?? ["error": "forbidden"]
        if let jobsFailure { jobs = ["error": .string(jobsFailure)] }
        return [
            "scaledJob": ["kind": "ScaledJob", "metadata": ["name": "any"], "spec": spec],
            "triggers": .array(readings + failed),
            "jobs": jobs,
        ]
    }

    func tried() throws -> DecisionTrial {
        try DecisionTrial.run(self.json).get()
    }
}
