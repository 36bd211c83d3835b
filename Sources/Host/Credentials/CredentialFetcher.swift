package import Kubernetes

/// Fetches credentials from where they are.
package struct CredentialFetcher: CredentialProvider {
    /// What differs from one host to another.
    package struct Settings: Sendable {
        /// Certificates (PEM) that Vault servers are trusted by, instead of the system's: a file.
        package var vaultAuthority: String?
        /// The same for AWS.
        package var awsAuthority: String?
        /// Where AWS Secrets Manager is, when it isn't where the region says.
        package var awsEndpoint: String?
        /// The longest that one request to a server may take.
        package var timeout: Duration = .seconds(10)

        package init() {}

        /// What the environment says, under the names that the vendors' own programs read.
        package init(environment: [String: String]) {
            func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
            self.vaultAuthority = value("VAULT_CACERT")
            self.awsAuthority = value("AWS_CA_BUNDLE")
            self.awsEndpoint = value("AWS_ENDPOINT_URL_SECRETS_MANAGER") ?? value("AWS_ENDPOINT_URL")
        }
    }

    private let tokens: ServiceAccountTokens
    private let vault: VaultClient
    private let secretsManager: SecretsManagerClient

    /// Where there is no cluster, `noTokens` says so to people.
    package init(api: any KubernetesAPI, noTokens: String? = nil, settings: Settings = Settings()) {
        let engines = HTTPEngines()
        self.tokens = ServiceAccountTokens(api: api, unavailable: noTokens)
        self.vault = VaultClient(engines: engines, tokens: self.tokens, settings: settings)
        self.secretsManager = SecretsManagerClient(engines: engines, settings: settings)
    }

    package func fetch(_ request: CredentialRequest) async -> Result<FetchedCredential, CredentialFailure> {
        do throws(CredentialFailure) {
            switch request {
            case .serviceAccountToken(let request): return .success(try await self.tokens.issue(request))
            case .vault(let request): return .success(try await self.vault.read(request))
            case .aws(let request): return .success(try await self.secretsManager.read(request))
            case .file(let path): return .success(try ParameterFile(path: path).read())
            }
        } catch {
            return .failure(error)
        }
    }
}
