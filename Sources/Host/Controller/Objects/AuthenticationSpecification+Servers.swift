import Kubernetes

extension AuthenticationSpecification.Vault {
    init?(_ reader: inout FieldReader) {
        var address = reader.required("address", "write the address of the Vault server, such as https://vault:8200")
        while address.hasSuffix("/") { address.removeLast() }
        if !address.isEmpty, !address.contains("@"), !address.hasPrefix("https://"), !address.hasPrefix("http://") {
            reader.note("address", "\"\(address)\" is not an address; write one such as https://vault:8200")
        }
        // The name and password of a URL would show up in messages.
        if address.contains("@") { reader.note("address", "must not contain \"@\"; log in by authentication") }
        guard let method = Self.method(&reader) else { return nil }
        self.address = address
        self.namespace = reader.nonEmpty("namespace")
        self.method = method
        self.targets = AuthenticationSpecification.list("secrets", &reader, Target.init)
        if self.targets.isEmpty { reader.note("secrets", "must be a list with at least one secret") }
    }

    private static func method(_ reader: inout FieldReader) -> Method? {
        var credential = FieldReader(
            reader.present("credential") ?? .object([:]),
            path: "\(reader.path).credential",
            hidesValues: true
        )
        defer { reader.add(credential.problems) }
        switch reader.required("authentication", "write token or kubernetes") {
        case "": return nil
        case "token":
            return .token(credential.nonEmpty("token"))
        case "kubernetes":
            return .kubernetes(
                role: reader.required("role", "write the role to log in with"),
                mount: reader.required("mount", "write where the Kubernetes login is mounted, such as kubernetes"),
                account: credential.nonEmpty("serviceAccountName"),
                file: credential.nonEmpty("serviceAccount")
            )
        default:
            // Not shown: it may be the token that belongs below `credential`.
            reader.note("authentication", "is not one of token, kubernetes")
            return nil
        }
    }
}

extension AuthenticationSpecification.Vault.Target {
    init(_ reader: inout FieldReader) {
        self.parameter = reader.required("parameter", "write the parameter of the trigger")
        self.path = reader.required("path", "write the path of the secret")
        self.key = reader.required("key", "write a key of the secret")
        self.kind =
            reader.choice("type", of: AuthenticationSpecification.Vault.Kind.self) ?? .detected
        self.certificate = [:]
        while self.path.hasPrefix("/") { self.path.removeFirst() }
        if let value = reader.present("pkiData") {
            var data = FieldReader(value, path: "\(reader.path).pkiData", hidesValues: true)
            for (field, name) in Self.certificateFields {
                if let text = data.nonEmpty(field) { self.certificate[name] = text }
            }
            reader.add(data.problems)
        }
    }

    private static let certificateFields = [
        ("commonName", "common_name"), ("altNames", "alt_names"), ("ipSans", "ip_sans"), ("uriSans", "uri_sans"),
        ("otherSans", "other_sans"), ("ttl", "ttl"), ("format", "format"),
    ]
}

extension AuthenticationSpecification.AWS {
    init?(_ reader: inout FieldReader) {
        if let identity = reader.present("podIdentity") {
            AuthenticationSpecification.refusePodIdentity(identity, &reader, at: "podIdentity.provider")
        }
        self.region = reader.required("region", "write the region of the secrets, such as eu-central-1")
        if !self.region.utf8.allSatisfy(Self.isRegionByte) {
            reader.note("region", "\"\(self.region)\" is not a region; write one such as eu-central-1")
        }
        self.targets = AuthenticationSpecification.list("secrets", &reader) { entry in
            Target(
                parameter: entry.required("parameter", "write the parameter of the trigger"),
                name: entry.required("name", "write the name or ARN of the secret"),
                versionID: entry.nonEmpty("versionId"),
                versionStage: entry.nonEmpty("versionStage"),
                member: entry.nonEmpty("secretKey")
            )
        }
        if self.targets.isEmpty { reader.note("secrets", "must be a list with at least one secret") }
        guard let value = reader.present("credentials") else {
            if reader.problems.isEmpty {
                reader.note("credentials", "is missing; write accessKey and accessSecretKey, each from a Secret")
            }
            return nil
        }
        var credentials = FieldReader(value, path: "\(reader.path).credentials", hidesValues: true)
        let accessKey = credentials.secretKey("accessKey", isRequired: true)
        let secretKey = credentials.secretKey("accessSecretKey", isRequired: true)
        self.sessionToken = credentials.secretKey("accessToken", isRequired: false)
        reader.add(credentials.problems)
        guard let accessKey, let secretKey else { return nil }
        self.accessKey = accessKey
        self.secretKey = secretKey
    }

    /// The region becomes part of a host name.
    private static func isRegionByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-")
    }
}

extension AuthenticationSpecification.OAuth2 {
    init?(_ reader: inout FieldReader) {
        let type = reader.nonEmpty("type") ?? "clientCredentials"
        if type != "clientCredentials" { reader.note("type", "\"\(type)\" is not one of clientCredentials") }
        self.tokenURL = reader.required("tokenUrl", "write the address that hands out tokens")
        self.clientID = reader.required("clientId", "write the client's name")
        self.clientSecret = reader.secretKey("clientSecret", isRequired: false)
        self.scopes = []
        self.tokenURLParameters = [:]
        if let value = reader.present("scopes") {
            let texts = value.arrayValue?.map(\.stringValue) ?? [nil]
            if texts.contains(nil) { reader.note("scopes", "must be a list of texts") }
            self.scopes = texts.compactMap { $0 }
        }
        if let value = reader.present("tokenUrlParams") {
            var parameters = FieldReader(value, path: "\(reader.path).tokenUrlParams", hidesValues: true)
            for name in parameters.members.keys.sorted() {
                self.tokenURLParameters[name] = parameters.string(name)
            }
            reader.add(parameters.problems)
        }
    }
}
