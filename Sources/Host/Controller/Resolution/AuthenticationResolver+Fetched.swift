import Credentials
import Kubernetes

/// The sources whose values have to be fetched.
extension AuthenticationResolver.Pass {
    mutating func takeFile(_ path: String) {
        let root = self.resolver.rules.fileRoot
        guard root != nil || self.sources.credentials.areAssumed else {
            return self.fail(
                "filePath \"\(path)\" cannot be read: this host has no folder of such files; start it with --auth-file-root"
            )
        }
        switch self.values(of: .file("\(root ?? "")/\(path)")) {
        case .values(let values): self.values = values
        case .assumed: self.assumesAll = true
        case .waiting, .problem: break
        }
    }

    mutating func take(_ token: AuthenticationSpecification.AccountToken) {
        let request = ServiceAccountTokenRequest(
            account: ObjectKey(namespace: self.resolver.home, name: token.account),
            lifetime: self.resolver.rules.tokenLifetime
        )
        switch self.values(of: .serviceAccountToken(request)) {
        case .values(let values): self.values[token.parameter] = values[CredentialRequest.tokenKey]
        case .assumed: self.assumed.insert(token.parameter)
        case .waiting, .problem: break
        }
    }

    mutating func take(_ oauth2: AuthenticationSpecification.OAuth2) {
        self.values["oauthTokenURI"] = oauth2.tokenURL
        self.values["clientID"] = oauth2.clientID
        if let secret = oauth2.clientSecret { self.take("clientSecret", self.secret(secret.name, secret.key)) }
        if !oauth2.scopes.isEmpty { self.values["scopes"] = oauth2.scopes.joined(separator: ",") }
        guard !oauth2.tokenURLParameters.isEmpty else { return }
        self.values["endpointParams"] = oauth2.tokenURLParameters.sorted { $0.key < $1.key }
            .map { "\(PercentEncoding.form($0.key))=\(PercentEncoding.form($0.value))" }
            .joined(separator: "&")
    }

    // MARK: - AWS

    mutating func take(_ aws: AuthenticationSpecification.AWS) {
        let accessKey = self.text(self.secret(aws.accessKey.name, aws.accessKey.key))
        let secretKey = self.text(self.secret(aws.secretKey.name, aws.secretKey.key))
        let session = aws.sessionToken.map { self.text(self.secret($0.name, $0.key)) }
        guard !self.sources.credentials.areAssumed else {
            for target in aws.targets { self.assumed.insert(target.parameter) }
            return
        }
        guard let accessKey, let secretKey else { return }
        if let session, session == nil { return }
        for target in aws.targets {
            let request = AWSSecretRequest(
                region: aws.region,
                name: target.name,
                versionID: target.versionID,
                versionStage: target.versionStage,
                accessKey: accessKey.trimmed,
                secretKey: secretKey.trimmed,
                sessionToken: session?.map(\.trimmed)
            )
            guard case .values(let values) = self.values(of: .aws(request)),
                let text = values[CredentialRequest.textKey]
            else { continue }
            guard let member = target.member else {
                self.values[target.parameter] = text
                continue
            }
            if let value = try? JSONValue(parsing: text.utf8)[member]?.stringValue {
                self.values[target.parameter] = value
            } else {
                self.fail(
                    "secret \"\(target.name)\" of AWS Secrets Manager is not a JSON object with a text under \"\(member)\"; "
                        + "correct secretKey or the secret"
                )
            }
        }
    }

    // MARK: - Vault

    mutating func take(_ vault: AuthenticationSpecification.Vault) {
        guard let method = self.method(of: vault) else { return }
        let login = VaultLogin(address: vault.address, namespace: vault.namespace, method: method)
        for target in vault.targets {
            let kind: VaultRequest.Kind =
                switch target.kind {
                case .detected: .detected
                case .version1: .version1
                case .version2: .version2
                case .certificate: .certificate(target.certificate)
                }
            switch self.values(of: .vault(VaultRequest(login: login, path: target.path, kind: kind))) {
            case .values(let values):
                if let value = values[target.key] {
                    self.values[target.parameter] = value
                } else {
                    self.fail(
                        "path \"\(target.path)\" of the Vault at \(vault.address) has no key \"\(target.key)\"; add it, or "
                            + "correct the key"
                    )
                }
            case .assumed: self.assumed.insert(target.parameter)
            case .waiting, .problem: break
            }
        }
    }

    /// How to log in; nil with a problem when that is not possible.
    private mutating func method(of vault: AuthenticationSpecification.Vault) -> VaultLogin.Method? {
        switch vault.method {
        case .token(let token):
            if self.mayUseOwnIdentity(at: vault.address), let own = self.resolver.rules.vaultToken {
                return .token(own)
            }
            if let token { return .token(token) }
            if self.sources.credentials.areAssumed { return .token("") }
            self.fail(
                "hashiCorpVault.credential.token is missing; write it, or log in with authentication kubernetes"
            )
            return nil
        case .kubernetes(let role, let mount, let account?, _):
            // The login's ServiceAccount is the ScaledJob's, also where the authentication is the cluster's.
            let request = ServiceAccountTokenRequest(
                account: ObjectKey(namespace: self.resolver.namespace, name: account),
                lifetime: self.resolver.rules.tokenLifetime
            )
            return .kubernetes(role: role, mount: mount, .serviceAccount(request))
        case .kubernetes(let role, let mount, nil, let file):
            guard self.mayUseOwnIdentity(at: vault.address) || self.sources.credentials.areAssumed else {
                self.fail(
                    "hashiCorpVault would send this host's own token to \(vault.address), which the host does not know; set "
                        + "credential.serviceAccountName, use a ClusterTriggerAuthentication, or start the host with "
                        + "VAULT_ADDR=\(vault.address)"
                )
                return nil
            }
            return .kubernetes(role: role, mount: mount, .file(file ?? Self.ownTokenFile))
        }
    }

    /// The host's own token goes only to servers that the people who run the host have named.
    private func mayUseOwnIdentity(at address: String) -> Bool {
        var known = self.resolver.rules.vaultAddress ?? ""
        while known.hasSuffix("/") { known.removeLast() }
        return self.resolver.kind == .cluster || (!known.isEmpty && known == address)
    }

    private static let ownTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
}
