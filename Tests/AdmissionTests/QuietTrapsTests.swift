import Admission
import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

@Suite struct QuietTrapsTests {
    private static let least: JSONValue = [
        "metadata": ["name": "a"],
        "spec": [
            "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "main:1"]]]]],
            "triggers": [["type": "queue", "metadata": ["address": "a"]]],
        ],
    ]

    private static let offers: [String: TriggerTypeOffer] = [
        "queue": TriggerTypeOffer(
            plugin: "queue",
            isConnected: true,
            declaration: TriggerTypeDeclaration(
                type: "queue",
                help: "",
                parameters: [
                    ParameterDeclaration("address", required: true, from: [.metadata, .environment], help: ""),
                    ParameterDeclaration("queryValue", .number, help: ""),
                ]
            )
        )
    ]

    private func findings(_ change: (inout JSONValue) -> Void) -> [Finding] {
        var object = Self.least
        change(&object)
        return ManifestRules(offers: Self.offers).findings(in: object, of: .scaledJob)
    }

    private func advice(_ change: (inout JSONValue) -> Void) -> [String] {
        self.findings(change).filter { $0.weight == .advice }.map(\.problem.description)
    }

    @Test func oneJobPerItemNeedsATriggerThatNamesItems() {
        let found = self.findings { $0["metadata"]?["annotations"] = ["sluice.dev/one-job-per-item": "true"] }
        #expect(found.map(\.weight) == [.mistake])
        #expect(found.first?.problem.field == "spec.triggers[0].type")
        let odd = self.findings { $0["metadata"]?["annotations"] = ["sluice.dev/item-attempts": "-1"] }
        #expect(odd.map(\.weight) == [.refusal])
    }

    @Test func fieldsThatNobodyKnowsAreTold() {
        #expect(self.findings { _ in }.isEmpty)
        let told = self.advice { object in
            object["spec"]?["maxReplicas"] = 3
            object["spec"]?["scaleTargetRef"] = ["name": "x"]
            object["spec"]?["scalingStrategy"] = ["unknownKey": 1]
        }
        #expect(
            told == [
                "spec.maxReplicas: is not known and has no effect; write maxReplicaCount, or leave it out",
                "spec.scaleTargetRef: belongs to ScaledObjects and has no effect here; leave it out",
                "spec.scalingStrategy.unknownKey: is not known and has no effect; leave it out",
            ]
        )
    }

    @Test func metadataThatNobodyReadsIsTold() {
        let told = self.advice {
            $0["spec"]?["triggers"] = [
                ["type": "queue", "metadata": ["address": "a", "queryvalue": "1", "addressFromEnv": "A", "foo": "x"]]
            ]
        }
        #expect(
            told == [
                "spec.triggers[0].metadata.foo: is not known and has no effect; leave it out",
                "spec.triggers[0].metadata.queryvalue: is not known and has no effect; write queryValue, or leave it out",
            ]
        )
    }

    @Test func emptyChoicesAreRefusedAsTheSchemaDoes() {
        for (field, value) in [("rollout", ["strategy": ""] as JSONValue), ("scalingStrategy", ["strategy": ""])] {
            let found = self.findings { $0["spec"]?[field] = value }
            #expect(found.map(\.problem.field) == ["spec.\(field).strategy"] && found[0].weight == .refusal)
        }
    }

    @Test func whatWorksOtherwiseThanItReadsIsTold() {
        func annotation(_ key: String, _ value: String) -> [String] {
            self.advice { $0["metadata"]?["annotations"] = [key: .string(value)] }
        }
        #expect(annotation("autoscaling.keda.sh/paused", "no").first?.contains("\"no\" pauses it") == true)
        #expect(annotation("autoscaling.keda.sh/paused", "true").isEmpty)
        #expect(annotation("autoscaling.keda.sh/paused", "false").isEmpty)
        #expect(annotation("scaledjob.keda.sh/job-excluded-labels", "a, b").first?.contains("write \"a,b\"") == true)
        #expect(annotation("scaledjob.keda.sh/job-excluded-labels", "a,b").isEmpty)
        func age(_ text: String) -> [Finding] {
            self.findings { $0["metadata"]?["annotations"] = ["sluice.dev/finished-jobs-max-age": .string(text)] }
                .filter { $0.weight == .refusal }
        }
        #expect(age("1d12h").isEmpty)
        #expect(
            age("1 day").map(\.problem.description) == [
                "metadata.annotations.sluice.dev/finished-jobs-max-age: \"1 day\" is not an age; write whole numbers "
                    + "with d, h, m or s, such as 24h or 7d"
            ]
        )
        func strategy(_ value: JSONValue) -> [String] { self.advice { $0["spec"]?["scalingStrategy"] = value } }
        let key = "customScalingRunningJobPercentage"
        #expect(
            strategy(["strategy": "custom", key: "50%"]).first?.contains(
                "\"50%\" is not a number, so custom works like"
            ) == true
        )
        #expect(strategy(["strategy": "custom", key: "0.5"]).isEmpty)
        #expect(strategy([key: "0.5"]).first?.contains("counts for the strategy custom only") == true)
    }

    @Test func anAuthenticationThatGivesNothingIsTold() {
        for spec in [JSONValue.null, [:]] {
            let found = ManifestRules().findings(in: ["spec": spec], of: .triggerAuthentication)
            #expect(found.map(\.problem.field) == ["spec"] && found[0].weight == .advice)
        }
    }

    @Test func valuesThatMayBeSecretAreNotShown() {
        let specs: [JSONValue] = [
            [
                "hashiCorpVault": [
                    "address": "https://v", "authentication": "token", "credential": ["token": 98_765_432_109],
                ]
            ],
            ["hashiCorpVault": ["address": "https://v", "authentication": "token", "credential": "98765432109"]],
            ["hashiCorpVault": ["address": "https://v", "authentication": "98765432109"]],
            ["oauth2": ["clientId": "a", "tokenUrl": "https://u:98765432109@/t"]],
            [
                "oauth2": [
                    "clientId": "a", "tokenUrl": "https://h",
                    "clientSecret": ["valueFrom": ["secretKeyRef": "98765432109"]],
                ]
            ],
            ["secretTargetRef": "98765432109"], ["secretTargetRef": [98_765_432_109]],
        ]
        for spec in specs {
            let told = ManifestRules().findings(in: ["spec": spec], of: .triggerAuthentication).map(
                \.problem.description
            )
            #expect(!told.isEmpty && !told.contains { $0.contains("98765432109") }, "\(told)")
        }
        for metadata in [["password": 98_765_432_109] as JSONValue, "98765432109", [98_765_432_109]] {
            let told = self.findings { $0["spec"]?["triggers"] = [["type": "queue", "metadata": metadata]] }
                .map(\.problem.description)
            #expect(!told.isEmpty && !told.contains { $0.contains("98765432109") }, "\(told)")
        }
    }
}
