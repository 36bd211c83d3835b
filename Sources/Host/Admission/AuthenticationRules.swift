import Controller
import Kubernetes

/// What may be in the `spec` of a TriggerAuthentication or ClusterTriggerAuthentication.
struct AuthenticationRules {
    let isForCluster: Bool

    func findings(in spec: JSONValue?) -> [Finding] {
        guard let spec, spec != .null, spec.objectValue?.isEmpty != true else {
            return [
                Finding(.advice, "spec", "is empty, so that it gives nothing; write secretTargetRef or another source")
            ]
        }
        guard spec.objectValue != nil else { return [Finding(.refusal, "spec", "must be an object")] }
        var findings: [Finding] = []
        if !self.isForCluster, Self.text(spec["filePath"]) != nil {
            let message =
                "is for a ClusterTriggerAuthentication only: a file of the host belongs to no namespace; "
                + "use a ClusterTriggerAuthentication or a Secret"
            findings.append(Finding(.refusal, "spec.filePath", message))
        }
        let identity = spec["podIdentity"]
        findings += Self.identity(identity)
        // KEDA looks at oauth2 only where no identity, or one of these, stands beside it.
        let provider = Self.text(identity?["provider"])
        let isLookedAt = identity == nil || identity == .null || ["aws", "azure-workload"].contains(provider)
        findings += Self.oauth2(spec["oauth2"], weight: isLookedAt ? .refusal : .mistake)

        let refused = Set(findings.map(\.problem.field))
        findings += AuthenticationSpecification(parsing: spec, kind: self.isForCluster ? .cluster : .namespaced)
            .problems
            .filter { problem in !refused.contains { problem.field == $0 || $0.hasPrefix("\(problem.field).") } }
            .map { Finding(.mistake, $0) }
        return findings
    }

    private static func identity(_ identity: JSONValue?) -> [Finding] {
        guard let identity else { return [] }
        var findings: [Finding] = []
        func refuse(_ field: String, _ message: String) {
            findings.append(Finding(.refusal, "spec.podIdentity.\(field)", message))
        }
        switch Self.text(identity["provider"]) {
        case "azure-workload":
            if identity["identityId"] == "" { refuse("identityId", "is empty; write an identity, or leave it out") }
            if Self.text(identity["identityAuthorityHost"]) != nil {
                if Self.text(identity["identityTenantId"]) == nil {
                    refuse("identityTenantId", "is missing; identityAuthorityHost needs the tenant as well")
                }
            } else if identity["identityTenantId"] == "" {
                refuse("identityTenantId", "is empty; write a tenant, or leave it out")
            }
        case "aws":
            let role = Self.text(identity["roleArn"])
            if role != nil, identity["identityOwner"] == "workload" {
                refuse("roleArn", "and identityOwner workload exclude each other; leave one out")
            }
            if role == nil, Self.text(identity["externalID"]) != nil {
                refuse("externalID", "needs roleArn: it is a condition for taking that role")
            }
        default: break
        }
        return findings
    }

    private static func oauth2(_ value: JSONValue?, weight: Finding.Weight) -> [Finding] {
        guard let value, value != .null else { return [] }
        var findings: [Finding] = []
        func note(_ field: String, _ message: String) {
            findings.append(Finding(weight, "spec.oauth2.\(field)", message))
        }
        if let type = Self.text(value["type"]), type != "clientCredentials" {
            note("type", "\"\(type.prefix(100))\" is not offered; write clientCredentials, or leave it out")
        }
        if Self.text(value["clientId"]) == nil { note("clientId", "is missing; write the client's name") }
        if let url = Self.text(value["tokenUrl"]) {
            if !Self.isWebAddress(url) {
                // Not shown: it may have a password in it.
                note("tokenUrl", "is not a web address; write one such as https://host/token")
            }
        } else {
            note("tokenUrl", "is missing; write where tokens are to be had, such as https://host/token")
        }
        return findings
    }

    /// `http` or `https`, and a host.
    private static func isWebAddress(_ text: String) -> Bool {
        guard let scheme = text.firstRange(of: "://") else { return false }
        guard ["http", "https"].contains(text[..<scheme.lowerBound].lowercased()) else { return false }
        let authority = text[scheme.upperBound...].prefix { !"/?#".contains($0) }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return !host.isEmpty && host.first != ":"
            && !text.contains { $0.isWhitespace || $0.asciiValue.map { $0 < 32 } == true }
    }

    /// The text, unless there is none in it.
    private static func text(_ value: JSONValue?) -> String? {
        guard let text = value?.stringValue, !text.isEmpty else { return nil }
        return text
    }
}
