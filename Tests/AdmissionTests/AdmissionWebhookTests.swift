import Admission
import Endpoints
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

@Suite struct AdmissionWebhookTests {
    private static let fine: JSONValue = [
        "metadata": ["name": "fine", "namespace": "media"],
        "spec": [
            "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "main:1"]]]]],
            "triggers": [["type": "queue", "metadata": ["address": "a"]]],
        ],
    ]
    private static var withoutTriggers: JSONValue {
        var object = Self.fine
        object["spec"]?["triggers"] = []
        return object
    }
    private static let offers: [String: TriggerTypeOffer] = [
        "queue": TriggerTypeOffer(
            plugin: "queue",
            isConnected: true,
            declaration: TriggerTypeDeclaration(
                type: "queue",
                help: "",
                parameters: [
                    ParameterDeclaration("address", required: true, from: [.metadata, .authentication], help: ""),
                    ParameterDeclaration(
                        "password",
                        .integer,
                        secret: true,
                        from: [.metadata, .environment],
                        help: ""
                    ),
                ]
            )
        )
    ]

    private struct Verdict: Equatable {
        var allowed: Bool?
        var message: String?
        var warnings: [String]
    }

    /// Asks as the API server does and reads the answer as it does.
    private func ask(
        _ object: JSONValue?,
        operation: String = "CREATE",
        old: JSONValue? = nil,
        kind: CheckedKind = .scaledJob,
        version: String = "v1",
        policy: AdmissionPolicy = AdmissionPolicy(),
        offers: [String: TriggerTypeOffer] = Self.offers,
        change: (inout JSONValue) -> Void = { _ in }
    ) async throws -> Verdict {
        var request: JSONValue = [
            "uid": "one", "operation": .string(operation), "object": object ?? .null, "oldObject": old ?? .null,
            "namespace": "media", "kind": ["kind": .string(kind.rawValue)],
        ]
        change(&request)
        let review: JSONValue = [
            "apiVersion": .string("admission.k8s.io/\(version)"), "kind": "AdmissionReview", "request": request,
        ]
        let webhook = AdmissionWebhook(policy: policy, offers: { offers })
        let answer = await webhook.answer(
            EndpointRequest(method: "POST", path: kind.path, body: try review.encoded())
        )
        #expect(answer.status == 200 && answer.contentType == "application/json")
        let said = try JSONValue(parsing: answer.body)
        #expect(said["apiVersion"]?.stringValue == "admission.k8s.io/\(version)")
        #expect(said["kind"] == "AdmissionReview" && said[path: "response", "uid"] == "one")
        return Verdict(
            allowed: said[path: "response", "allowed"]?.boolValue,
            message: said[path: "response", "status", "message"]?.stringValue,
            warnings: (said[path: "response", "warnings"]?.arrayValue ?? []).compactMap(\.stringValue)
        )
    }

    @Test(arguments: ["v1", "v1beta1"]) func whatIsFineIsAllowedWithoutAWord(version: String) async throws {
        #expect(try await self.ask(Self.fine, version: version) == Verdict(allowed: true, message: nil, warnings: []))
    }

    @Test(arguments: ["v1", "v1beta1"]) func whatIsWrongIsRefusedWithItsField(version: String) async throws {
        let verdict = try await self.ask(Self.withoutTriggers, version: version)
        #expect(verdict.allowed == false)
        #expect(verdict.message == "spec.triggers: must be a list with at least one trigger")
    }

    @Test func deletesAndStatusUpdatesAreAllowedWhateverTheyHold() async throws {
        let deleted = try await self.ask(nil, operation: "DELETE", old: Self.withoutTriggers)
        #expect(deleted.allowed == true)
        let status = try await self.ask(Self.withoutTriggers, operation: "UPDATE", old: Self.fine) {
            $0["subResource"] = "status"
        }
        #expect(status.allowed == true)
    }

    @Test func anUpdateThatLeavesTheSpecPasses() async throws {
        var old = Self.withoutTriggers
        old["metadata"]?["finalizers"] = ["finalizer.keda.sh"]
        #expect(try await self.ask(Self.withoutTriggers, operation: "UPDATE", old: old).allowed == true)
        var edited = Self.withoutTriggers
        edited["spec"]?["pollingInterval"] = 5
        #expect(try await self.ask(edited, operation: "UPDATE", old: old).allowed == false)
        edited["metadata"]?["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        #expect(try await self.ask(edited, operation: "UPDATE", old: old).allowed == true)
    }

    @Test func aMistakeInATriggerIsAWarningUnlessStrict() async throws {
        var object = Self.fine
        object["spec"]?["triggers"] = [["type": "queue", "metadata": [:]]]
        let problem = "spec.triggers[0].metadata.address: is missing; give it in metadata, or through authenticationRef"
        #expect(try await self.ask(object) == Verdict(allowed: true, message: nil, warnings: [problem]))
        let strict = try await self.ask(object, policy: AdmissionPolicy(isStrict: true))
        #expect(strict == Verdict(allowed: false, message: problem, warnings: []))
    }

    @Test func whatMayComeFromElsewhereIsNotMissing() async throws {
        var object = Self.fine
        object["spec"]?["triggers"] = [
            ["type": "queue", "metadata": ["passwordFromEnv": "X"], "authenticationRef": ["name": "a"]]
        ]
        #expect(try await self.ask(object).warnings.isEmpty)
    }

    @Test func aSecretIsNotShown() async throws {
        var object = Self.fine
        object["spec"]?["triggers"] = [["type": "queue", "metadata": ["address": "a", "password": "hunter2"]]]
        let verdict = try await self.ask(object)
        #expect(verdict.warnings.count == 1 && !verdict.warnings[0].contains("hunter2"), "\(verdict)")
    }

    @Test func whatCannotBeCheckedIsAllowedOrRefusedAsAsked() async throws {
        let open = try await self.ask(Self.fine, offers: [:])
        #expect(open.allowed == true && open.warnings.first?.contains("no plugin is connected") == true)
        let closed = try await self.ask(Self.fine, policy: AdmissionPolicy(failure: .closed), offers: [:])
        #expect(closed.allowed == false && closed.message?.contains("spec.triggers[0].type: \"queue\"") == true)
    }

    @Test func adviceIsNeverARefusal() async throws {
        var object = Self.fine
        object["metadata"]?["name"] = .string(String(repeating: "n", count: 70))
        object["spec"]?["minReplicaCount"] = 5
        object["spec"]?["maxReplicaCount"] = 3
        let verdict = try await self.ask(object, policy: AdmissionPolicy(failure: .closed, isStrict: true))
        #expect(verdict.allowed == true)
        #expect(verdict.warnings.map { $0.prefix { $0 != ":" } } == ["metadata.name", "spec.minReplicaCount"])
        let scaledObject = try await self.ask(["spec": [:]], kind: .scaledObject)
        #expect(scaledObject.allowed == true && scaledObject.warnings.first?.contains("keep KEDA") == true)
    }

    @Test func warningsAreLinesThatTheAPIServerPassesOn() async throws {
        var object = Self.fine
        let type = "a\n\u{7}" + String(repeating: "é", count: 500)
        object["spec"]?["triggers"] = .array(Array(repeating: ["type": .string(type), "metadata": [:]], count: 30))
        let verdict = try await self.ask(object)
        #expect(verdict.warnings.count == 16)
        for warning in verdict.warnings {
            #expect(
                warning.utf8.count <= 250
                    && !warning.unicodeScalars.contains { $0.properties.generalCategory == .control }
            )
        }
    }

    @Test(arguments: [
        "", "x", "{", "[]", "{}", "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v2\"}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":1}}",
    ])
    func whatIsNoQuestionIsABadRequest(body: String) async {
        let webhook = AdmissionWebhook(policy: AdmissionPolicy(), offers: { [:] })
        for kind in CheckedKind.allCases {
            let request = EndpointRequest(method: "POST", path: kind.path, body: Array(body.utf8))
            #expect(await webhook.answer(request).status == 400)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["[", "1,", "{\"a\":", "\"", "[[],"])
    func aBodyThatIsMadeToCostMuchIsABadRequest(part: String) async {
        let webhook = AdmissionWebhook(policy: AdmissionPolicy(), offers: { [:] })
        for beginning in ["", "[", "{\"kind\":\"AdmissionReview\",\"request\":["] {
            let count = AdmissionWebhook.largestBody / part.utf8.count / 4
            let body = Array((beginning + String(repeating: part, count: count)).utf8)
            let request = EndpointRequest(method: "POST", path: CheckedKind.scaledJob.path, body: body)
            let answer = await webhook.answer(request)
            #expect(answer.status == 400)
            let isUnread = String(decoding: answer.body, as: UTF8.self).contains("more than 250000 values")
            #expect(isUnread == (part != "\""), "what holds many values is not read at all")
        }
    }

    @Test func otherPathsAndMethodsAreRefused() async {
        let webhook = AdmissionWebhook(policy: AdmissionPolicy(), offers: { [:] })
        #expect(await webhook.answer(EndpointRequest(method: "POST", path: "/validate")).status == 404)
        let path = "/validate-keda-sh-v1alpha1-scaledjob"
        #expect(await webhook.answer(EndpointRequest(method: "GET", path: path)).status == 405)
    }

    @Test func aConfigurationThatSendsAnotherKindIsToldSo() async throws {
        let verdict = try await self.ask(Self.fine, kind: .triggerAuthentication) {
            $0["kind"] = ["kind": "ScaledJob"]
        }
        #expect(verdict.message?.contains("this path checks TriggerAuthentications, not ScaledJob") == true)
    }

    @Test func aBudgetIsCheckedByItsOwnRules() async throws {
        #expect(CheckedKind.jobBudget.path == "/validate-sluice-dev-v1alpha1-jobbudget")
        func ask(_ spec: JSONValue) async throws -> Verdict {
            try await self.ask(["metadata": ["name": "x"], "spec": spec], kind: .jobBudget)
        }
        #expect(try await ask(["maxRunningJobs": 5]) == Verdict(allowed: true, message: nil, warnings: []))
        let bad = try await ask(["maxRunningJobs": -5, "maxResources": ["cpu": "?"]])
        #expect(
            bad.message
                == "spec.maxRunningJobs: -5 is too small; write 0 or more; spec.maxResources.cpu: \"?\" is not an amount; "
                + "write one such as 4, 500m or 16Gi"
        )
        #expect(try await ask(["selector": [:]]).warnings.first?.hasPrefix("spec: sets no limit") == true)
        #expect(try await ask(["maxRunningJobs": 0]).warnings.first?.hasPrefix("spec.maxRunningJobs: 0 lets") == true)
        #expect(
            try await ask(["maxRuningJobs": 5]).warnings
                == ["spec.maxRuningJobs: is not known and has no effect; write maxRunningJobs, or leave it out"]
        )
        let nested: JSONValue = ["selector": ["namespace": ["a"]], "sharing": ["by": "namespace", "weight": [:]]]
        #expect(try await ask(nested).warnings.count == 2)
    }

    @Test func annotationsThatSayWhatPartItGetsAreChecked() async throws {
        var object = Self.fine
        object["metadata"]?["annotations"] = ["sluice.dev/priority": "high"]
        let refusal =
            "metadata.annotations.sluice.dev/priority: \"high\" is not a whole number; write one such as \"10\" or \"-5\""
        #expect(try await self.ask(object).message == refusal)
        #expect(try await self.ask(object, operation: "UPDATE", old: Self.fine).message == refusal)
        #expect(try await self.ask(object, operation: "UPDATE", old: object).allowed == true)
        object["metadata"]?["annotations"] = ["sluice.dev/priority": "10", "sluice.dev/weight": "0.5"]
        #expect(try await self.ask(object).allowed == true)
    }
}
