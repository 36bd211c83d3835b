import ArgumentParser
import Controller
import PluginProtocol

/// What authentications may do: flags, and the environment variables that existing deployments set.
struct AuthenticationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder below which a ClusterTriggerAuthentication's filePath is looked for; none by default.",
            valueName: "folder"
        )
    )
    var authFileRoot: String?

    @Flag(
        help: ArgumentHelp(
            "Read Secrets in the cluster-object namespace only. Also: KEDA_RESTRICT_SECRET_ACCESS=true."
        )
    )
    var restrictSecretAccess = false

    @Option(
        help: ArgumentHelp(
            "How long tokens of ServiceAccounts live: 1h to 6h. Also: KEDA_BOUND_SERVICE_ACCOUNT_TOKEN_EXPIRY.",
            valueName: "duration"
        )
    )
    var boundTokenExpiry: String?

    /// Where the Secrets of ClusterTriggerAuthentications are, as far as the environment says.
    func clusterNamespace(_ environment: [String: String]) -> String? {
        [environment["KEDA_CLUSTER_OBJECT_NAMESPACE"], environment["POD_NAMESPACE"]].compactMap { $0 }
            .first { !$0.isEmpty }
    }

    func rules(_ environment: [String: String]) throws -> AuthenticationSettings {
        var rules = AuthenticationSettings()
        let restricts = environment["KEDA_RESTRICT_SECRET_ACCESS"]?.lowercased() == "true"
        rules.restrictsSecrets = self.restrictSecretAccess || restricts
        rules.fileRoot = self.authFileRoot.flatMap { $0.isEmpty ? nil : $0 }
        rules.vaultToken = environment["VAULT_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        rules.vaultAddress = environment["VAULT_ADDR"].flatMap { $0.isEmpty ? nil : $0 }
        let variable = "KEDA_BOUND_SERVICE_ACCOUNT_TOKEN_EXPIRY"
        if let text = self.boundTokenExpiry ?? environment[variable], !text.isEmpty {
            guard let expiry = ParameterText(text).duration, expiry >= .seconds(3600), expiry <= .seconds(6 * 3600)
            else {
                let name = self.boundTokenExpiry == nil ? variable : "--bound-token-expiry"
                throw Failure("\(name): \"\(text)\" must be between 1h and 6h")
            }
            rules.tokenLifetime = expiry
        }
        return rules
    }
}
