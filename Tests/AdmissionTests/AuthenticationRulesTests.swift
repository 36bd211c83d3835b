import Admission
import Controller
import Kubernetes
import Testing

@Suite struct AuthenticationRulesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let spec: JSONValue
        /// The fields that are refused, without `spec.`.
        let refused: [String]

        init(_ spec: JSONValue, _ refused: [String] = []) {
            self.spec = spec
            self.refused = refused
        }

        var testDescription: String {
            "\(self.refused) \((try? self.spec.encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "")"
        }
    }

    static let identities: [Case] = [
        Case(["podIdentity": ["provider": "azure-workload"]]),
        Case(["podIdentity": ["provider": "azure-workload", "identityId": "a", "identityTenantId": "b"]]),
        Case(["podIdentity": ["provider": "azure-workload", "identityId": ""]], ["podIdentity.identityId"]),
        Case(
            ["podIdentity": ["provider": "azure-workload", "identityTenantId": ""]],
            ["podIdentity.identityTenantId"]
        ),
        Case(
            ["podIdentity": ["provider": "azure-workload", "identityAuthorityHost": "h"]],
            ["podIdentity.identityTenantId"]
        ),
        Case(["podIdentity": ["provider": "azure-workload", "identityAuthorityHost": "h", "identityTenantId": "t"]]),
        Case(["podIdentity": ["provider": "aws", "roleArn": "r"]]),
        Case(["podIdentity": ["provider": "aws", "roleArn": "r", "identityOwner": "keda"]]),
        Case(["podIdentity": ["provider": "aws", "identityOwner": "workload"]]),
        Case(
            ["podIdentity": ["provider": "aws", "roleArn": "r", "identityOwner": "workload"]],
            ["podIdentity.roleArn"]
        ),
        Case(["podIdentity": ["provider": "aws", "externalID": "e"]], ["podIdentity.externalID"]),
        Case(["podIdentity": ["provider": "aws", "externalID": "e", "roleArn": "r"]]),
        Case(["podIdentity": ["provider": "none", "identityId": ""]]), Case(["podIdentity": .null]),
    ]

    static let tokens: [Case] = [
        Case(["oauth2": ["clientId": "a", "tokenUrl": "https://host:1/token?x=y"]]),
        Case(["oauth2": ["type": "clientCredentials", "clientId": "a", "tokenUrl": "http://u@host"]]),
        Case(["oauth2": ["type": "password", "clientId": "a", "tokenUrl": "http://h"]], ["oauth2.type"]),
        Case(["oauth2": [:]], ["oauth2.clientId", "oauth2.tokenUrl"]),
        Case(["oauth2": ["clientId": "a", "tokenUrl": "ftp://host"]], ["oauth2.tokenUrl"]),
        Case(["oauth2": ["clientId": "a", "tokenUrl": "https://"]], ["oauth2.tokenUrl"]),
        Case(["oauth2": ["clientId": "a", "tokenUrl": "https://:80/x"]], ["oauth2.tokenUrl"]),
        Case(["oauth2": ["clientId": "a", "tokenUrl": "host/token"]], ["oauth2.tokenUrl"]),
        // KEDA looks no further than these identities.
        Case(["oauth2": [:], "podIdentity": ["provider": "gcp"]]),
        Case(["oauth2": [:], "podIdentity": ["provider": "aws"]], ["oauth2.clientId", "oauth2.tokenUrl"]),
    ]

    @Test(arguments: AuthenticationRulesTests.identities + AuthenticationRulesTests.tokens)
    func whatKEDARefusesIsRefusedAndNoMore(_ example: Case) {
        for kind in [CheckedKind.triggerAuthentication, .clusterTriggerAuthentication] {
            let findings = ManifestRules().findings(in: ["spec": example.spec], of: kind)
            let refused = findings.filter { $0.weight == .refusal }.map(\.problem.field)
            #expect(refused == example.refused.map { "spec.\($0)" })
        }
    }

    @Test func aFileIsForClustersOnly() {
        let object: JSONValue = ["spec": ["filePath": "a.json"]]
        let namespaced = ManifestRules().findings(in: object, of: .triggerAuthentication)
        #expect(namespaced.map(\.problem.field) == ["spec.filePath"] && namespaced.first?.weight == .refusal)
        #expect(
            ManifestRules().findings(in: object, of: .clusterTriggerAuthentication).allSatisfy { $0.weight != .refusal }
        )
    }
}
