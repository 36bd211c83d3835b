package import Kubernetes

extension AuthenticationSpecification {
    /// Understands a `spec`.
    ///
    /// Sources that are not offered are problems: to leave them out silently would open the trigger without its
    /// credentials.
    package init(parsing spec: JSONValue?, kind: TriggerManifest.AuthenticationKind) {
        var reader = FieldReader(spec ?? .object([:]), path: "spec", hidesValues: true)
        self.variables = Self.list("env", &reader) { entry in
            Variable(
                parameter: entry.required("parameter", "write the parameter of the trigger"),
                name: entry.required("name", "write the name of an environment variable"),
                container: entry.nonEmpty("containerName")
            )
        }
        self.configMapTargets = Self.keyTargets("configMapTargetRef", "a ConfigMap", &reader)
        self.secretTargets = Self.keyTargets("secretTargetRef", "a Secret", &reader)
        self.accountTokens = Self.list("boundServiceAccountToken", &reader) { entry in
            AccountToken(
                parameter: entry.required("parameter", "write the parameter of the trigger"),
                account: entry.required("serviceAccountName", "write the name of a ServiceAccount")
            )
        }
        self.filePath = Self.filePath(&reader, kind)
        self.vault = Self.object("hashiCorpVault", &reader, Vault.init)
        self.aws = Self.object("awsSecretManager", &reader, AWS.init)
        self.oauth2 = Self.object("oauth2", &reader, OAuth2.init)
        Self.refuse(&reader)
        self.problems = reader.problems
    }

    private static func keyTargets(_ field: String, _ object: String, _ reader: inout FieldReader) -> [KeyTarget] {
        self.list(field, &reader) { entry in
            KeyTarget(
                parameter: entry.required("parameter", "write the parameter of the trigger"),
                name: entry.required("name", "write the name of \(object)"),
                key: entry.required("key", "write a key of \(object == "a Secret" ? "the Secret" : "the ConfigMap")")
            )
        }
    }

    private static func filePath(
        _ reader: inout FieldReader,
        _ kind: TriggerManifest.AuthenticationKind
    ) -> String? {
        guard let path = reader.nonEmpty("filePath") else { return nil }
        guard kind == .cluster else {
            reader.note("filePath", "is for a ClusterTriggerAuthentication only; use secretTargetRef, or make it one")
            return nil
        }
        guard !path.hasPrefix("/"), !path.contains("..") else {
            reader.note(
                "filePath",
                "\"\(path)\" must be relative and without \"..\"; write a path below the host's folder"
            )
            return nil
        }
        return path
    }

    static func list<Element>(
        _ field: String,
        _ reader: inout FieldReader,
        _ make: (inout FieldReader) -> Element
    ) -> [Element] {
        guard let value = reader.present(field) else { return [] }
        guard let list = value.arrayValue else {
            reader.note(field, "must be a list, not \(value.kindName)")
            return []
        }
        return list.enumerated().map { index, value in
            var entry = FieldReader(value, path: "\(reader.path).\(field)[\(index)]", hidesValues: true)
            defer { reader.add(entry.problems) }
            return make(&entry)
        }
    }

    private static func object<Value>(
        _ field: String,
        _ reader: inout FieldReader,
        _ make: (inout FieldReader) -> Value?
    ) -> Value? {
        guard let value = reader.present(field) else { return nil }
        var entry = FieldReader(value, path: "\(reader.path).\(field)", hidesValues: true)
        defer { reader.add(entry.problems) }
        return make(&entry)
    }

    // MARK: - What is not offered

    private static let offered: Set<String> = [
        "env", "filePath", "configMapTargetRef", "secretTargetRef", "hashiCorpVault", "awsSecretManager",
        "boundServiceAccountToken", "oauth2",
    ]

    private static func refuse(_ reader: inout FieldReader) {
        for source in reader.members.keys.sorted() where !self.offered.contains(source) {
            switch (source, reader.members[source]) {
            case (_, nil), (_, .null?): continue
            case (_, .array(let elements)?) where elements.isEmpty: continue
            case ("podIdentity", let value?): self.refusePodIdentity(value, &reader, at: "podIdentity.provider")
            case ("azureKeyVault", _), ("gcpSecretManager", _):
                reader.note(
                    source,
                    "is not offered; have the External Secrets Operator or the Secrets Store CSI driver copy the values "
                        + "into a Secret, and use secretTargetRef"
                )
            default:
                reader.note(source, "is not offered; put the values into a Secret and use secretTargetRef")
            }
        }
    }

    static func refusePodIdentity(_ value: JSONValue, _ reader: inout FieldReader, at field: String) {
        let provider = value["provider"]?.stringValue ?? ""
        guard provider != "none", !provider.isEmpty else { return }
        reader.note(
            field,
            "\"\(provider)\" is not offered; give the trigger credentials of its own in a Secret, and use secretTargetRef"
        )
    }
}

extension FieldReader {
    /// A text that must be there; empty when it is not, with a problem.
    mutating func required(_ key: String, _ mend: String) -> String {
        let before = self.problems.count
        let text = self.string(key) ?? ""
        if text.isEmpty, self.problems.count == before { self.note(key, "is missing; \(mend)") }
        return text
    }

    /// A text, or nil when it is not there or empty.
    mutating func nonEmpty(_ key: String) -> String? {
        self.string(key).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A reference such as `clientSecret.valueFrom.secretKeyRef`.
    mutating func secretKey(_ key: String, isRequired: Bool) -> AuthenticationSpecification.SecretKey? {
        guard let value = self.present(key) else {
            if isRequired {
                self.note(key, "is missing; write valueFrom.secretKeyRef with the name and key of a Secret")
            }
            return nil
        }
        let reference = value[path: "valueFrom", "secretKeyRef"]
        var entry = FieldReader(
            reference ?? .object([:]),
            path: "\(self.path).\(key).valueFrom.secretKeyRef",
            hidesValues: true
        )
        defer { self.add(entry.problems) }
        return AuthenticationSpecification.SecretKey(
            name: entry.required("name", "write the name of a Secret"),
            key: entry.required("key", "write a key of the Secret")
        )
    }
}
