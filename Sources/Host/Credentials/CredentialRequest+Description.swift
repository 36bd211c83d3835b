// What requests are about, without the secrets that they carry: neither a description nor a dump shows more.

extension CredentialRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .serviceAccountToken(let request): "a token of ServiceAccount \(request.account)"
        case .vault(let request): request.description
        case .aws(let request): request.description
        case .file(let path): "the file \(path)"
        }
    }

    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: ["description": self.description]) }
}

extension VaultRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "path \"\(self.path)\" of the Vault at \(self.login.address)" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: ["description": self.description]) }
}

extension VaultLogin: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "the login at the Vault at \(self.address) \(self.method)" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: ["description": self.description]) }
}

extension VaultLogin.Method: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .token: "by a token"
        case .kubernetes(let role, _, _): "as role \"\(role)\""
        }
    }

    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: ["description": self.description]) }
}

extension AWSSecretRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "secret \"\(self.name)\" of AWS Secrets Manager in \(self.region)" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: ["description": self.description]) }
}
