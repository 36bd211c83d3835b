package import Kubernetes

/// Something that has to be fetched before a trigger can be opened: a secret of a vault, a token, a file.
///
/// Equal requests are fetched once, however many triggers need them. A request may hold secrets (a token to log in with),
/// so neither its description nor its mirror shows more than what it is about.
package enum CredentialRequest: Sendable, Hashable {
    /// A token of a ServiceAccount, by the TokenRequest API; the value is under ``tokenKey``.
    case serviceAccountToken(ServiceAccountTokenRequest)
    /// One path of a Vault server; the values are what is stored there.
    case vault(VaultRequest)
    /// One secret of AWS Secrets Manager; its text is under ``textKey``.
    case aws(AWSSecretRequest)
    /// A file that holds a JSON object of texts.
    case file(String)

    package static let tokenKey = "token"
    package static let textKey = "text"

    /// What keeps others from being fetched when it is slow: a bounded number goes to each of these at a time.
    package var server: String {
        switch self {
        case .serviceAccountToken: "kubernetes"
        case .vault(let request): request.login.address
        case .aws(let request): "aws \(request.region)"
        case .file: "files"
        }
    }
}

/// Whose token, and for how long.
package struct ServiceAccountTokenRequest: Sendable, Hashable {
    package var account: ObjectKey
    package var lifetime: Duration

    package init(account: ObjectKey, lifetime: Duration) {
        self.account = account
        self.lifetime = lifetime
    }
}

/// One path of a Vault server.
package struct VaultRequest: Sendable, Hashable {
    /// What is at the path.
    package enum Kind: Sendable, Hashable {
        /// Version 2 of the key/value store where the answer looks like that, otherwise the data as it is.
        case detected
        case version1
        case version2
        /// A certificate is issued: the path is written to.
        case certificate([String: String])
    }

    package var login: VaultLogin
    package var path: String
    package var kind: Kind

    package init(login: VaultLogin, path: String, kind: Kind) {
        self.login = login
        self.path = path
        self.kind = kind
    }
}

/// Which Vault server, and as whom.
package struct VaultLogin: Sendable, Hashable {
    package enum Method: Sendable, Hashable {
        case token(String)
        case kubernetes(role: String, mount: String, Identity)
    }

    /// Where the token of a Kubernetes login comes from.
    package enum Identity: Sendable, Hashable {
        case serviceAccount(ServiceAccountTokenRequest)
        /// A file of the host.
        case file(String)
    }

    /// `http(s)://host:port`, without a slash at the end.
    package var address: String
    package var namespace: String?
    package var method: Method

    package init(address: String, namespace: String?, method: Method) {
        self.address = address
        self.namespace = namespace
        self.method = method
    }
}

/// One secret of AWS Secrets Manager.
package struct AWSSecretRequest: Sendable, Hashable {
    package var region: String
    package var name: String
    package var versionID: String?
    package var versionStage: String?
    package var accessKey: String
    package var secretKey: String
    package var sessionToken: String?

    package init(
        region: String,
        name: String,
        versionID: String? = nil,
        versionStage: String? = nil,
        accessKey: String,
        secretKey: String,
        sessionToken: String? = nil
    ) {
        self.region = region
        self.name = name
        self.versionID = versionID
        self.versionStage = versionStage
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}
