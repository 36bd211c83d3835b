import Controller
import Kubernetes
import PluginProtocol
import Scaling
import Testing

@Suite struct ScaledJobSpecificationTests {
    static let least: JSONValue = [
        "jobTargetRef": ["template": ["spec": ["containers": []]]],
        "triggers": [["type": "mongodb", "metadata": ["query": "{}"]]],
    ]

    func problems(_ change: (inout JSONValue) -> Void) -> [String] {
        var spec = Self.least
        change(&spec)
        guard case .failure(let invalid) = ScaledJobSpecification.parse(spec) else { return [] }
        return invalid.problems.map(\.description)
    }

    @Test func whatIsLeftOutHasTheKnownDefaults() throws {
        let specification = try ScaledJobSpecification.parse(Self.least).get()
        #expect(specification.pollingInterval == .seconds(30))
        #expect(specification.bounds == ReplicaBounds())
        #expect(specification.retention == RetentionPolicy(successful: 100, failed: 100))
        #expect(specification.combination == .max)
        #expect(specification.strategy == .automatic)
        #expect(specification.pendingRule == PendingRule())
    }

    @Test func everyProblemNamesFieldValueAndMend() {
        #expect(
            self.problems { $0["pollingInterval"] = 0 }
                == ["spec.pollingInterval: 0 is too small; write 1 or more"]
        )
        #expect(
            self.problems { $0["maxReplicaCount"] = "5" }
                == ["spec.maxReplicaCount: \"5\" is not a whole number; write 1 or more"]
        )
        #expect(
            self.problems { $0["maxReplicaCount"] = 2_147_483_648 }
                == ["spec.maxReplicaCount: 2147483648 is too large; write at most 2147483647"]
        )
        #expect(
            self.problems { $0["pollingInterval"] = -2_147_483_649 }
                == ["spec.pollingInterval: -2147483649 is too small; write 1 or more"]
        )
        #expect(self.problems { $0["triggers"] = [] } == ["spec.triggers: must be a list with at least one trigger"])
        #expect(
            self.problems { $0["scalingStrategy"] = ["multipleScalersCalculation": "median"] }
                == ["spec.scalingStrategy.multipleScalersCalculation: \"median\" is not one of max, min, avg, sum"]
        )
        #expect(
            self.problems { $0["triggers"] = [["type": "a", "metadata": ["n": 5]]] }
                == ["spec.triggers[0].metadata.n: is a number; put it in quotes"]
        )
        #expect(
            self.problems { $0["triggers"] = [["type": "a", "name": "x"], ["type": "b", "name": "x"]] }
                == ["spec.triggers[1].name: \"x\" is used twice; give each trigger a name of its own"]
        )
        #expect(self.problems { $0["jobTargetRef"] = ["template": [:]] }.first?.contains("template.spec") == true)
    }

    @Test func theStrategyIsUnderstood() throws {
        func strategy(_ scaling: JSONValue) throws -> ScaledJobSpecification {
            var spec = Self.least
            spec["scalingStrategy"] = scaling
            return try ScaledJobSpecification.parse(spec).get()
        }
        #expect(try strategy(["strategy": "default"]).strategy.named == .default)
        #expect(try strategy(["strategy": "eager"]).strategy.named == .eager)
        #expect(try strategy(["strategy": ""]).strategy == .automatic)
        let custom: JSONValue = [
            "strategy": "custom", "customScalingQueueLengthDeduction": -1, "customScalingRunningJobPercentage": "0.5",
        ]
        #expect(try strategy(custom).strategy.named == .custom(deduction: -1, percentage: 0.5))
        let accurate = try strategy(["strategy": "accurate", "pendingPodConditions": ["Ready", "Ready"]])
        #expect(accurate.strategy.named == .accurate)
        #expect(accurate.pendingRule == PendingRule(["Ready"]))
        #expect(
            self.problems { $0["scalingStrategy"] = ["pendingPodConditions": "Ready"] }.first?
                .hasPrefix("spec.scalingStrategy.pendingPodConditions: \"Ready\" is not a list") == true
        )
        #expect(
            self.problems { $0["scalingStrategy"] = ["customScalingRunningJobPercentage": 0.5] }
                == ["spec.scalingStrategy.customScalingRunningJobPercentage: 0.5 is not text; put it in quotes"]
        )
    }

    @Test func aMissingSpecificationIsOneClearProblem() {
        guard case .failure(let invalid) = ScaledJobSpecification.parse(nil) else {
            Issue.record("accepted")
            return
        }
        #expect(invalid.problems.count == 1)
    }

    @Test(arguments: ["0", "-1", "12", "0.5", "1e3", "-1.5E-3"])
    func numbersInJSONSyntaxAreAccepted(text: String) {
        #expect(ParameterSyntax(.number).objection(to: text) == nil)
    }

    @Test(arguments: ["", "+1", "01", ".5", "1.", "five", "1e", "0x10", "NaN", "1e999"])
    func otherNumbersAreNot(text: String) {
        #expect(ParameterSyntax(.number).objection(to: text) != nil)
    }
}
