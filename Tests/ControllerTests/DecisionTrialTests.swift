import Controller
import Kubernetes
import Scaling
import Testing

@Suite struct DecisionTrialTests {
    static let least: JSONValue = [
        "scaledJob": [
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": ["name": "transcode"],
            "spec": [
                "maxReplicaCount": 5,
                "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "worker"]]]]],
                "triggers": [["type": "mongodb", "metadata": [:]]],
            ],
        ],
        "triggers": [["value": 3, "target": 1]],
        "jobs": ["running": 0],
    ]

    func answer(_ change: (inout JSONValue) -> Void) throws -> JSONValue {
        var situation = Self.least
        change(&situation)
        return try DecisionTrial.run(situation).get().json
    }

    func problems(_ change: (inout JSONValue) -> Void) -> [String] {
        var situation = Self.least
        change(&situation)
        guard case .failure(let invalid) = DecisionTrial.run(situation) else { return [] }
        return invalid.problems.map(\.description)
    }

    @Test func theAnswerHasAllItsKeys() throws {
        let answer = try self.answer { _ in }
        #expect(answer["create"] == 3)
        #expect(answer["active"] == true)
        #expect(answer["queueLength"] == 3)
        #expect(answer["maxScale"] == 3)
        #expect(answer["effectiveMaxScale"] == 3)
        #expect(answer["strategy"] == "default")
        #expect(answer["limit"] == "backlog")
        #expect(answer["reason"] == "3 waiting, 0 unfinished: create 3")
        #expect(answer[path: "conditions", "Ready", "status"] == "True")
        #expect(answer[path: "conditions", "Ready", "reason"] == "ScaledJobReady")
        #expect(answer[path: "conditions", "Active", "status"] == "True")
        #expect(answer[path: "conditions", "Active", "reason"] == "ScalerActive")
    }

    @Test(arguments: [
        (#"{"value": 5, "target": 1, "activation": 5}"#, false), (#"{"value": 5, "target": 1, "activation": 4}"#, true),
        (#"{"value": 0, "target": 1}"#, false), (#"{"value": 5, "target": 1, "active": false}"#, false),
    ])
    func aTriggerIsActiveAboveItsThreshold(reading: (String, Bool)) throws {
        let answer = try self.answer { $0["triggers"] = (try? YAML.parse("[\(reading.0)]")) ?? .null }
        #expect(answer["active"] == .bool(reading.1))
    }

    @Test func someFailedReadingsAreAPartialError() throws {
        let answer = try self.answer { situation in
            situation["scaledJob"]?["spec"]?["triggers"] = [["type": "a"], ["type": "b"]]
            situation["triggers"] = [["value": 3, "target": 1], ["error": "timed out"]]
        }
        #expect(answer["create"] == 3)
        #expect(answer[path: "conditions", "Ready", "status"] == "Unknown")
        #expect(answer[path: "conditions", "Ready", "reason"] == "PartialTriggerError")
        let message = answer[path: "conditions", "Ready", "message"]?.stringValue ?? ""
        #expect(message.contains("spec.triggers[1]: timed out"))
    }

    @Test func aFailedReadingBesideAnIdleOneIsAnError() throws {
        let answer = try self.answer { situation in
            situation["scaledJob"]?["spec"]?["triggers"] = [["type": "a"], ["type": "b"]]
            situation["triggers"] = [["value": 0, "target": 1], ["error": "timed out"]]
        }
        #expect(answer["create"] == 0)
        #expect(answer[path: "conditions", "Ready", "status"] == "False")
        #expect(answer[path: "conditions", "Ready", "reason"] == "TriggerError")
        #expect(answer[path: "conditions", "Active", "status"] == "False")
    }

    @Test func allFailedReadingsAreUnknownAndNotZero() throws {
        let answer = try self.answer { $0["triggers"] = [["error": "timed out"]] }
        #expect(answer["create"] == 0)
        #expect(answer["limit"] == "unknown")
        #expect(answer["active"] == false)
        for key in ["queueLength", "maxScale", "effectiveMaxScale"] { #expect(answer[key] == .null) }
        #expect(answer[path: "conditions", "Ready", "reason"] == "TriggerError")
        #expect(answer[path: "conditions", "Active", "status"] == "False")
    }

    @Test func withAMinimumAFailedReadingStillFillsTheBase() throws {
        let answer = try self.answer { situation in
            situation["scaledJob"]?["spec"]?["minReplicaCount"] = 2
            situation["triggers"] = [["error": "timed out"]]
        }
        #expect(answer["create"] == 2)
        #expect(answer["active"] == true)
        #expect(answer[path: "conditions", "Ready", "reason"] == "PartialTriggerError")
    }

    @Test func anUnknownListOfJobsCreatesNothing() throws {
        let answer = try self.answer { $0["jobs"] = ["error": "the API server is away"] }
        #expect(answer["create"] == 0)
        #expect(answer["queueLength"] == 3)
        #expect(answer["effectiveMaxScale"] == .null)
        #expect(answer["limit"] == "unknown")
    }

    @Test func anUnknownListOfPodsHoldsWhereTheStrategyNeedsIt() throws {
        func create(_ strategy: JSONValue) throws -> JSONValue? {
            try self.answer { situation in
                situation["scaledJob"]?["spec"]?["scalingStrategy"] = ["strategy": strategy]
                situation["jobs"] = ["running": 1, "pending": ["error": "forbidden"]]
            }["create"]
        }
        #expect(try create("accurate") == 0)
        #expect(try create("eager") == 0)
        #expect(try create("default") == 2)
    }

    @Test func whyThePodsAreUnknownIsSaidAndReadySaysSo() throws {
        let answer = try self.answer { situation in
            situation["scaledJob"]?["spec"]?["scalingStrategy"] = ["strategy": "accurate"]
            situation["jobs"] = ["running": 1, "pending": ["error": "pods is forbidden"]]
        }
        #expect(answer["reason"]?.stringValue?.contains("their Pods are unknown (pods is forbidden)") == true)
        #expect(answer[path: "conditions", "Ready", "status"] == "False")
        #expect(answer[path: "conditions", "Ready", "reason"] == "ScaledJobCheckFailed")
        let message = answer[path: "conditions", "Ready", "message"]?.stringValue
        #expect(message?.hasPrefix("spec.scalingStrategy: needs to know which Jobs are pending") == true)
        #expect(message?.contains("pods is forbidden") == true)
    }

    @Test func anInactiveScaledJobSaysWhichTriggersAreUnknown() throws {
        let answer = try self.answer { situation in
            situation["scaledJob"]?["spec"]?["triggers"] = [["type": "mongodb"], ["type": "kafka"]]
            situation["triggers"] = [["value": 0, "target": 1], ["error": "timed out"]]
            situation["jobs"] = ["running": 0]
        }
        #expect(answer["reason"] == "no trigger is active (1 trigger unknown), 0 unfinished: create 0")
    }

    @Test func aMinimumAboveTheMaximumIsLimitedByTheMaximum() throws {
        let answer = try self.answer { situation in
            situation["scaledJob"]?["spec"]?["minReplicaCount"] = 5
            situation["scaledJob"]?["spec"]?["maxReplicaCount"] = 2
            situation["jobs"] = ["running": 0]
        }
        #expect(answer["create"] == 2)
        #expect(answer["limit"] == "maxReplicaCount")
        #expect(
            answer["reason"] == "0 unfinished, minReplicaCount 5 is above maxReplicaCount, which keeps 2: create 2"
        )
    }

    @Test func aPausedScaledJobCreatesNothing() throws {
        let answer = try self.answer { situation in
            situation["scaledJob"]?["metadata"]?["annotations"] = ["autoscaling.keda.sh/paused": "true"]
        }
        #expect(answer["create"] == 0)
        #expect(answer["limit"] == "paused")
        #expect(answer[path: "conditions", "Ready", "status"] == "True")
        #expect(answer[path: "conditions", "Paused", "status"] == "True")
    }

    @Test func withoutAStrategyTheHostChoosesByWhatIsCounted() throws {
        func strategy(_ readings: JSONValue) throws -> JSONValue? {
            try self.answer { situation in
                let count = readings.arrayValue?.count ?? 0
                situation["scaledJob"]?["spec"]?["triggers"] = .array(
                    Array(repeating: ["type": "a"] as JSONValue, count: count)
                )
                situation["triggers"] = readings
            }["strategy"]
        }
        let finished: JSONValue = ["value": 3, "target": 1, "counts": "finished"]
        let claimed: JSONValue = ["value": 3, "target": 1, "counts": "claimed"]
        let inFlight: JSONValue = ["value": 3, "target": 1, "counts": "claimed", "inFlight": 2]
        #expect(try strategy([["value": 3, "target": 1]]) == "default")
        #expect(try strategy([finished]) == "default")
        #expect(try strategy([claimed]) == "accurate")
        #expect(try strategy([inFlight]) == "in-flight")
        #expect(try strategy([claimed, inFlight]) == "accurate")
        #expect(try strategy([finished, claimed]) == "default")
        #expect(try strategy([finished, inFlight]) == "in-flight")
    }

    @Test func itemsInWorkAndWaitingLessWhatRuns() throws {
        let answer = try self.answer { situation in
            situation["triggers"] = [["value": 3, "target": 1, "counts": "claimed", "inFlight": 2]]
            situation["jobs"] = ["running": 3]
        }
        // Two of the three running Jobs have their item; the third will take one that waits.
        #expect(answer["create"] == 2)
    }

    @Test func itemsInWorkByOthersNeedNoJob() throws {
        let answer = try self.answer { situation in
            situation["triggers"] = [["value": 1, "target": 1, "counts": "claimed", "inFlight": 9]]
        }
        #expect(answer["create"] == 1)
    }

    @Test func everyProblemNamesItsField() {
        #expect(
            self.problems { $0["scaledJob"]?["spec"]?["maxReplicaCount"] = 0 }
                == ["scaledJob.spec.maxReplicaCount: 0 is too small; write 1 or more"]
        )
        #expect(self.problems { $0["triggers"] = [["target": 1]] }.first?.hasPrefix("triggers[0].value: ") == true)
        #expect(self.problems { $0["triggers"] = [["value": 1]] }.first?.hasPrefix("triggers[0].target: ") == true)
        #expect(
            self.problems { $0["triggers"] = [["value": "3", "target": 1]] }
                == ["triggers[0].value: \"3\" is not a number"]
        )
        #expect(
            self.problems { $0["jobs"] = ["running": 1, "pending": 2] }
                == ["jobs.pending: 2 is more than 1 running; running counts pending Jobs as well"]
        )
        #expect(self.problems { $0["jobs"] = ["running": -1] } == ["jobs.running: -1 is too small; write 0 or more"])
        #expect(self.problems { $0["jobs"] = nil }.first?.hasPrefix("jobs: is missing") == true)
        #expect(self.problems { $0["triggers"] = nil }.first?.hasPrefix("triggers: is missing") == true)
        #expect(
            self.problems { $0["triggers"] = [["value": 1, "target": 1], ["value": 2, "target": 1]] }
                == ["triggers: has 2 readings and the manifest 1 triggers; write one for each, or an empty list"]
        )
        #expect(
            self.problems { $0["scaledJob"]?["kind"] = "ScaledObject" }.first?.hasPrefix("scaledJob.kind: ") == true
        )
        #expect(
            self.problems { $0["scaledJob"]?["spec"]?["scalingStrategy"] = ["strategy": "greedy"] }
                == [
                    "scaledJob.spec.scalingStrategy.strategy: \"greedy\" is not one of default, custom, accurate, eager"
                ]
        )
    }

    @Test(arguments: [
        "", "null", "3", "[]", "{", "--- {}\n--- {}", "\u{0}", "a: &a [*a]", "{\"triggers\": 1e999}",
        "{\"scaledJob\": {\"spec\": []}, \"triggers\": {}, \"jobs\": 7}",
        "{\"triggers\": [1, null, [], {\"value\": null}], \"jobs\": {\"running\": 1e30}}",
        "{\"scaledJob\": {\"spec\": {}, \"metadata\": 5}, \"triggers\": [{\"error\": 5}], \"jobs\": {\"error\": {}}}",
    ])
    func whatIsNoSituationIsRefused(text: String) {
        guard case .failure(let invalid) = DecisionTrial.run(Array(text.utf8)) else {
            Issue.record("accepted")
            return
        }
        #expect(!invalid.problems.isEmpty)
    }

    @Test func textMayBeJSONOrYAML() throws {
        let json = try Self.least.encoded()
        #expect(try DecisionTrial.run(json).get().decision.create == 3)
        let escaped = #"{"triggers": [{"error": "\ud83d\ude00"}], "jobs": {"running": 0}, "scaledJob": "#
        let manifest = String(decoding: try (Self.least["scaledJob"] ?? .null).encoded(), as: UTF8.self)
        #expect(try DecisionTrial.run(Array((escaped + manifest + "}").utf8)).get().decision.limit == .unknown)
        let yaml = """
            scaledJob:
              spec:
                maxReplicaCount: 2
                jobTargetRef: {template: {spec: {containers: []}}}
                triggers: [{type: a}]
            triggers:
              - {value: 3, target: 1}
            jobs: {running: 0}
            """
        #expect(try DecisionTrial.run(Array(yaml.utf8)).get().decision.create == 2)
    }

    @Test func textThatIsNotUTF8OrTooLongIsRefused() {
        for bytes in [[0xff, 0xfe], Array(repeating: UInt8(ascii: " "), count: DecisionTrial.largest + 1)] {
            guard case .failure = DecisionTrial.run(bytes) else {
                Issue.record("accepted")
                continue
            }
        }
    }

    @Test func aSmallTextThatExpandsWithoutEndIsRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        guard case .failure = DecisionTrial.run(Array(text.utf8)) else {
            Issue.record("accepted")
            return
        }
    }

    @Test(arguments: [
        #"{"value": 1e300, "target": 1e-300}"#, #"{"value": 9223372036854775807, "target": 0}"#,
        #"{"value": -5, "target": 1}"#, #"{"value": 1e18, "target": 1, "inFlight": 1e300, "counts": "claimed"}"#,
    ])
    func hugeAndNegativeNumbersGiveADecision(reading: String) throws {
        for strategy: JSONValue in ["default", "custom", "accurate", "eager", ""] {
            let answer = try self.answer { situation in
                situation["scaledJob"]?["spec"]?["scalingStrategy"] = [
                    "strategy": strategy, "customScalingQueueLengthDeduction": -2_147_483_648,
                    "customScalingRunningJobPercentage": "-1e308",
                ]
                situation["triggers"] = (try? YAML.parse("[\(reading)]")) ?? .null
                situation["jobs"] = ["running": 2, "pending": 1]
            }
            #expect((0...3).contains(answer["create"]?.integerValue ?? -1))
        }
    }

    /// Random values in random places of a situation: an answer or problems, and never more than the maximum.
    @Test(arguments: 0..<20 as Range<UInt64>) func noInputCrashesIt(seed: UInt64) {
        var random = SystemOrSeededGenerator(seed: seed)
        let odd: [JSONValue] = [
            .null, .bool(true), .integer(.max), .integer(.min), .integer(0), .integer(-1), .integer(7), .double(0.5),
            .double(.greatestFiniteMagnitude), .string(""), .string("accurate"), .string("1e400"), .array([]),
            .object([:]), .array([.object([:])]), .object(["error": .string("x")]),
        ]
        let paths: [[String]] = [
            ["scaledJob"], ["scaledJob", "metadata"], ["scaledJob", "metadata", "annotations"], ["scaledJob", "spec"],
            ["scaledJob", "spec", "maxReplicaCount"], ["scaledJob", "spec", "minReplicaCount"],
            ["scaledJob", "spec", "scalingStrategy"], ["scaledJob", "spec", "scalingStrategy", "strategy"],
            ["scaledJob", "spec", "scalingStrategy", "pendingPodConditions"],
            ["scaledJob", "spec", "scalingStrategy", "customScalingQueueLengthDeduction"],
            ["scaledJob", "spec", "scalingStrategy", "customScalingRunningJobPercentage"],
            ["scaledJob", "spec", "scalingStrategy", "multipleScalersCalculation"], ["triggers"], ["jobs"],
            ["jobs", "running"], ["jobs", "pending"], ["jobs", "error"],
        ]
        for _ in 0..<500 {
            var situation = Self.least
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let path = paths.randomElement(using: &random) ?? []
                situation.replace(path[...], with: odd.randomElement(using: &random) ?? .null)
            }
            guard case .success(let trial) = DecisionTrial.run(situation) else { continue }
            #expect(trial.decision.create >= 0, "seed \(seed): \(situation)")
            #expect((try? trial.json.encoded()) != nil)
        }
    }
}

extension JSONValue {
    fileprivate mutating func replace(_ path: ArraySlice<String>, with value: JSONValue) {
        guard let key = path.first else {
            self = value
            return
        }
        var member = self[key] ?? .object([:])
        member.replace(path.dropFirst(), with: value)
        self[key] = member
    }
}
