import Admission
import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

/// Table Q, its part on what may be stored: what the webhook answers when an object is created.
@Suite struct AdmissionTests {
    struct Row: ConformanceRow {
        let id: String
        let kind: CheckedKind
        let spec: JSONValue
        /// A part of the refusal; nil where the object is accepted.
        var refused: String?
        /// A part of a warning; nil where there is none.
        var warned: String?
        var difference: String?
        /// What tells rows of one number apart.
        var note = ""

        var testDescription: String { self.note.isEmpty ? self.id : "\(self.id) \(self.note)" }
    }

    static let rows: [Row] = [
        Row(id: "Q1", kind: .scaledJob, spec: scaledJob(triggers: []), refused: "spec.triggers: must be a list"),
        Row(
            id: "Q3",
            kind: .scaledJob,
            spec: scaledJob(triggers: [cached("cpu")]),
            refused: "spec.triggers[0].useCachedMetrics: true is not possible for the type cpu"
        ),
        Row(
            id: "Q4",
            kind: .scaledJob,
            spec: scaledJob(triggers: [cached("kafka")]),
            warned: "spec.triggers[0].useCachedMetrics: has no meaning for a ScaledJob"
        ),
        Row(
            id: "Q6",
            kind: .scaledJob,
            spec: scaledJob(triggers: [["type": "kafka", "metadata": ["lagThreshold": "many"]]]),
            warned: "spec.triggers[0].metadata.lagThreshold: \"many\" is not a whole number"
        ),
        Row(
            id: "Q12",
            kind: .triggerAuthentication,
            spec: ["podIdentity": ["provider": "azure-workload", "identityAuthorityHost": "https://login.example"]],
            refused: "spec.podIdentity.identityTenantId: is missing"
        ),
        Row(
            id: "Q13",
            kind: .triggerAuthentication,
            spec: [
                "podIdentity": ["provider": "aws", "roleArn": "arn:aws:iam::1:role/a", "identityOwner": "workload"]
            ],
            refused: "spec.podIdentity.roleArn: and identityOwner workload exclude each other"
        ),
        Row(id: "Q15", kind: .clusterTriggerAuthentication, spec: ["filePath": "team/database.json"]),
        Row(
            id: "Q16",
            kind: .triggerAuthentication,
            spec: ["filePath": "team/database.json"],
            refused: "spec.filePath: is for a ClusterTriggerAuthentication only",
            difference: "KEDA stores it and fails when it runs; Sluice says so when it is written"
        ),
    ]

    /// More of the same rules.
    static let more: [Row] = [
        Row(
            id: "Q3",
            kind: .scaledJob,
            spec: scaledJob(triggers: [cached("memory")]),
            refused: "type memory",
            note: "memory"
        ),
        Row(
            id: "Q3",
            kind: .scaledJob,
            spec: scaledJob(triggers: [cached("cron")]),
            refused: "type cron",
            note: "cron"
        ),
        Row(
            id: "Q6",
            kind: .scaledJob,
            spec: scaledJob(triggers: [["type": "kafkaa", "metadata": [:]]]),
            warned: "spec.triggers[0].type: \"kafkaa\" is unknown",
            note: "unknown type"
        ),
        Row(
            id: "Q12",
            kind: .triggerAuthentication,
            spec: [
                "podIdentity": [
                    "provider": "azure-workload", "identityAuthorityHost": "https://login.example",
                    "identityTenantId": "",
                ]
            ],
            refused: "spec.podIdentity.identityTenantId",
            note: "empty tenant"
        ),
    ]

    private static func cached(_ type: String) -> JSONValue {
        ["type": .string(type), "metadata": [:], "useCachedMetrics": true]
    }

    private static func scaledJob(triggers: JSONValue) -> JSONValue {
        [
            "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "main:1"]]]]],
            "triggers": triggers,
        ]
    }

    private static let offers: [String: TriggerTypeOffer] = [
        "kafka": TriggerTypeOffer(
            plugin: "kafka",
            isConnected: true,
            declaration: TriggerTypeDeclaration(
                type: "kafka",
                help: "A consumer group's lag.",
                parameters: [ParameterDeclaration("lagThreshold", .integer, default: "10", help: "Lag a Job takes.")]
            )
        )
    ]

    @Test(arguments: AdmissionTests.rows + AdmissionTests.more)
    func isAnsweredAsExistingManifestsRelyOn(_ row: Row) {
        let object: JSONValue = ["metadata": ["name": "row"], "spec": row.spec]
        let findings = ManifestRules(offers: Self.offers).findings(in: object, of: row.kind)
        let verdict = AdmissionVerdict(findings, policy: AdmissionPolicy())
        if let refused = row.refused {
            #expect(verdict.refusal?.contains(refused) == true, "\(verdict)")
        } else {
            #expect(verdict.refusal == nil)
        }
        if let warned = row.warned {
            #expect(verdict.warnings.contains { $0.contains(warned) }, "\(verdict)")
        } else if row.kind == .scaledJob, row.refused == nil {
            #expect(verdict.warnings.isEmpty)
        }
    }
}
