import Kubernetes

/// Where a TriggerAuthentication takes its parameters from.
package struct AuthenticationSpecification: Sendable, Equatable {
    /// One parameter from one key of a Secret or a ConfigMap.
    package struct KeyTarget: Sendable, Equatable {
        package var parameter: String
        package var name: String
        package var key: String
    }

    /// One parameter from a variable of a container of the Job template.
    package struct Variable: Sendable, Equatable {
        package var parameter: String
        package var name: String
        package var container: String?
    }

    /// One parameter that is a token of a ServiceAccount.
    package struct AccountToken: Sendable, Equatable {
        package var parameter: String
        package var account: String
    }

    /// A value of a Secret that a source needs for itself.
    package struct SecretKey: Sendable, Equatable {
        package var name: String
        package var key: String
    }

    package struct Vault: Sendable, Equatable {
        package enum Method: Sendable, Equatable {
            case token(String?)
            case kubernetes(role: String, mount: String, account: String?, file: String?)
        }

        package enum Kind: String, Sendable, CaseIterable {
            case detected = ""
            case version1 = "secret"
            case version2 = "secretV2"
            case certificate = "pki"
        }

        package struct Target: Sendable, Equatable {
            package var parameter: String
            package var path: String
            package var key: String
            package var kind: Kind
            /// What a certificate is asked for, under the names of Vault's API.
            package var certificate: [String: String]
        }

        package var address: String
        package var namespace: String?
        package var method: Method
        package var targets: [Target]
    }

    package struct AWS: Sendable, Equatable {
        package struct Target: Sendable, Equatable {
            package var parameter: String
            package var name: String
            package var versionID: String?
            package var versionStage: String?
            /// A member of the JSON object that the secret holds; nil for the whole text.
            package var member: String?
        }

        package var region: String
        package var accessKey: SecretKey
        package var secretKey: SecretKey
        package var sessionToken: SecretKey?
        package var targets: [Target]
    }

    /// What a trigger needs to get OAuth 2 tokens for itself.
    package struct OAuth2: Sendable, Equatable {
        package var tokenURL: String
        package var clientID: String
        package var clientSecret: SecretKey?
        package var scopes: [String]
        package var tokenURLParameters: [String: String]
    }

    package var variables: [Variable] = []
    /// Relative to the host's folder of such files; whatever else is written beside it has no effect.
    package var filePath: String?
    package var configMapTargets: [KeyTarget] = []
    package var secretTargets: [KeyTarget] = []
    package var vault: Vault?
    package var aws: AWS?
    package var accountTokens: [AccountToken] = []
    package var oauth2: OAuth2?
    package var problems: [Problem] = []

    /// The Secrets that it names, its sources' own ones included.
    var secretNames: Set<String> {
        var names = Set(self.secretTargets.map(\.name))
        for key in [self.aws?.accessKey, self.aws?.secretKey, self.aws?.sessionToken, self.oauth2?.clientSecret] {
            if let key { names.insert(key.name) }
        }
        return names.filter { !$0.isEmpty }
    }
}
