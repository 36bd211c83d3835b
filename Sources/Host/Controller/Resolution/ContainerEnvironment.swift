package import Kubernetes

/// The environment of one container of the Job template, as far as it is known before there is a Pod.
///
/// `<parameter>FromEnv` keys and the `env` of an authentication name variables of it.
package struct ContainerEnvironment: Sendable {
    /// What came of resolving it.
    package enum Resolution: Sendable, Equatable {
        /// Variables by name, and what every other name comes to.
        ///
        /// Those whose value cannot be used, such as bytes that are no text, have a problem.
        case variables([String: Lookup], otherwise: Lookup)
        case waiting(String)
        case problem(Problem)
    }

    private enum Choice: Sendable {
        case container(JSONValue, path: String)
        /// The template has no container at all.
        case none
        case unknown(Problem)
    }

    private let choice: Choice
    private let namespace: String
    private let secretRule: SecretRule

    /// Takes the named container of the Job template, or the first; never an init container.
    package init(
        jobTargetRef: JSONValue,
        containerName: String?,
        namespace: String,
        secretRule: SecretRule = SecretRule(),
        neededAt field: String = "spec.envSourceContainerName"
    ) {
        let path = "spec.jobTargetRef.template.spec.containers"
        let containers = jobTargetRef[path: "template", "spec", "containers"]?.arrayValue ?? []
        self.namespace = namespace
        self.secretRule = secretRule
        if let containerName, !containerName.isEmpty {
            if let index = containers.firstIndex(where: { $0["name"]?.stringValue == containerName }) {
                self.choice = .container(containers[index], path: "\(path)[\(index)]")
            } else {
                let names = containers.compactMap { $0["name"]?.stringValue }.joined(separator: ", ")
                self.choice = .unknown(
                    Problem(field, "\"\(containerName)\" is not a container of the Job template; it has \(names)")
                )
            }
        } else {
            self.choice = containers.first.map { .container($0, path: "\(path)[0]") } ?? .none
        }
    }

    /// That the named container is not in the template.
    var unknownContainer: Problem? {
        guard case .unknown(let problem) = self.choice else { return nil }
        return problem
    }

    /// That a variable is not set, and what to do about it.
    func absence(of variable: String) -> String {
        let container = self.container?["name"]?.stringValue.map { "container \"\($0)\"" } ?? "a container"
        let entries = self.container?["env"]?.arrayValue ?? []
        guard entries.contains(where: { $0["name"]?.stringValue == variable }) else {
            return
                "the variable \"\(variable.prefix(100))\" is not in \(container) of the Job template; add it there, or "
                + "correct the name"
        }
        return
            "the variable \"\(variable.prefix(100))\" in \(container) of the Job template has no value: its source is optional "
            + "and missing, or only a Pod has it; give it one"
    }

    private var container: JSONValue? {
        guard case .container(let container, _) = self.choice else { return nil }
        return container
    }

    /// Every Secret that a variable comes from and that may be read.
    package var referencedSecrets: Set<ObjectKey> {
        guard self.secretRule.allows(containersIn: self.namespace) else { return [] }
        return self.names("secretKeyRef", "secretRef")
    }

    /// Every ConfigMap that a variable comes from.
    package var referencedConfigMaps: Set<ObjectKey> { self.names("configMapKeyRef", "configMapRef") }

    private func names(_ single: String, _ whole: String) -> Set<ObjectKey> {
        let variables = self.container?["env"]?.arrayValue ?? []
        let imports = self.container?["envFrom"]?.arrayValue ?? []
        let names =
            variables.compactMap { $0[path: "valueFrom", single, "name"]?.stringValue }
            + imports.compactMap { $0[path: whole, "name"]?.stringValue }
        return Set(names.filter { !$0.isEmpty }.map { ObjectKey(namespace: self.namespace, name: $0) })
    }

    /// Resolves all variables: `envFrom` in its order, then `env` in its order, later ones over earlier ones.
    package func resolve(_ sources: ParameterSources) -> Resolution {
        guard case .container(let container, let path) = self.choice else {
            return self.unknownContainer.map { .problem($0) } ?? .variables([:], otherwise: .absent)
        }
        var pass = Pass(namespace: self.namespace, rule: self.secretRule, sources: sources)
        for (index, entry) in (container["envFrom"]?.arrayValue ?? []).enumerated() {
            pass.takeAll(entry, at: "\(path).envFrom[\(index)]")
        }
        for (index, entry) in (container["env"]?.arrayValue ?? []).enumerated() {
            pass.take(entry, at: "\(path).env[\(index)]")
        }
        if let problem = pass.problem { return .problem(problem) }
        if let waiting = pass.waiting { return .waiting(waiting) }
        return .variables(pass.variables, otherwise: pass.otherwise)
    }

    /// One walk over the entries.
    private struct Pass {
        let namespace: String
        let rule: SecretRule
        let sources: ParameterSources
        var variables: [String: Lookup] = [:]
        /// A problem where Secrets were left out that may hold further variables.
        var otherwise = Lookup.absent
        /// The first error.
        var problem: Problem?
        var waiting: String?

        mutating func takeAll(_ entry: JSONValue, at path: String) {
            let prefix = entry["prefix"]?.stringValue ?? ""
            if let reference = entry["configMapRef"] {
                self.takeAll(reference, of: self.sources.configMaps, prefix, at: path)
            }
            guard let reference = entry["secretRef"] else { return }
            guard self.rule.allows(containersIn: self.namespace) else {
                let secret = reference["name"]?.stringValue ?? ""
                self.otherwise = .problem(Problem(path, self.rule.refusal(of: secret, in: self.namespace)))
                return
            }
            self.takeAll(reference, of: self.sources.secrets, prefix, at: path)
        }

        private mutating func takeAll(
            _ reference: JSONValue,
            of data: ReferencedData,
            _ prefix: String,
            at path: String
        ) {
            guard !self.isAssumed(reference, of: data) else {
                self.otherwise = .assumed
                return
            }
            guard let content = self.content(reference, of: data, at: path) else { return }
            for (key, bytes) in content {
                self.variables[prefix + key] = Self.lookup(bytes, key, at: path)
            }
        }

        mutating func take(_ entry: JSONValue, at path: String) {
            guard let name = entry["name"]?.stringValue, !name.isEmpty else { return }
            if let value = entry["value"]?.stringValue, !value.isEmpty {
                let variables = self.variables
                self.variables[name] = .text(
                    VariableReferences.expanded(value) { known in
                        guard case .text(let text) = variables[known] else { return nil }
                        return text
                    }
                )
            } else if let reference = entry[path: "valueFrom", "secretKeyRef"] {
                guard self.rule.allows(containersIn: self.namespace) else {
                    let secret = reference["name"]?.stringValue ?? ""
                    self.variables[name] = .problem(Problem(path, self.rule.refusal(of: secret, in: self.namespace)))
                    return
                }
                self.take(name, reference, of: self.sources.secrets, at: path)
            } else if let reference = entry[path: "valueFrom", "configMapKeyRef"] {
                self.take(name, reference, of: self.sources.configMaps, at: path)
            } else if let origin = entry["valueFrom"], origin != .null, origin.objectValue?.isEmpty != true {
                // Fields of a Pod that does not exist yet: the variable is not set.
            } else {
                self.variables[name] = .text("")
            }
        }

        private mutating func take(_ name: String, _ reference: JSONValue, of data: ReferencedData, at path: String) {
            guard !self.isAssumed(reference, of: data) else {
                self.variables[name] = .assumed
                return
            }
            guard let content = self.content(reference, of: data, at: path) else { return }
            let key = reference["key"]?.stringValue ?? ""
            // A key that the object does not have gives an empty variable.
            self.variables[name] = content[key].map { Self.lookup($0, key, at: path) } ?? .text("")
        }

        private func isAssumed(_ reference: JSONValue, of data: ReferencedData) -> Bool {
            data[ObjectKey(namespace: self.namespace, name: reference["name"]?.stringValue ?? "")] == .assumed
        }

        /// The object's data; nil when it is optional and missing, or cannot be had.
        private mutating func content(
            _ reference: JSONValue,
            of data: ReferencedData,
            at path: String
        ) -> [String: [UInt8]]? {
            let object = ObjectKey(namespace: self.namespace, name: reference["name"]?.stringValue ?? "")
            switch data.data(of: object, neededAt: path) {
            case .data(let content): return content
            case .waiting(let what): self.waiting = self.waiting ?? what
            case .problem(let problem): self.problem = self.problem ?? problem
            case .assumed:
                break
            case .absent:
                guard reference["optional"] != true else { return nil }
                let what = "\(data.kind.rawValue) \(object) does not exist; create it, or mark the entry optional"
                self.problem = self.problem ?? Problem(path, what)
            }
            return nil
        }

        private static func lookup(_ bytes: [UInt8], _ key: String, at path: String) -> Lookup {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .problem(Problem(path, "the value of key \"\(key)\" is not UTF-8 text; store text"))
            }
            return .text(text)
        }
    }
}
