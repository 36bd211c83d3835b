package import Kubernetes
package import PluginProtocol

/// Finds the parameters of one trigger: in its metadata, its authentication and the container's environment, in the order
/// that the plugin declared for each.
package struct ParameterResolver: Sendable {
    /// What came of it.
    package enum Resolution: Sendable, Equatable {
        case resolved([String: String])
        /// Something is still being read.
        case waiting(String)
        case problems([Problem])
    }

    package let trigger: TriggerManifest
    /// The position in `spec.triggers`.
    package let index: Int
    package let namespace: String
    package let environment: ContainerEnvironment

    package init(trigger: TriggerManifest, index: Int, namespace: String, environment: ContainerEnvironment) {
        self.trigger = trigger
        self.index = index
        self.namespace = namespace
        self.environment = environment
    }

    private var path: String { "spec.triggers[\(self.index)]" }

    /// Every Secret that the trigger's parameters may come from.
    package func referencedSecrets(_ authentications: AuthenticationStore) -> Set<ObjectKey> {
        var keys: Set<ObjectKey> = []
        if let reference = self.trigger.authentication,
            let authentication = authentications.find(reference, from: self.namespace)
        {
            let namespace = authentications.secretNamespace(of: reference, from: self.namespace)
            for target in authentication.secretTargets where !target.name.isEmpty {
                keys.insert(ObjectKey(namespace: namespace, name: target.name))
            }
        }
        if self.trigger.metadata.keys.contains(where: { $0.hasSuffix("FromEnv") }) {
            keys.formUnion(self.environment.referencedSecrets)
        }
        return keys
    }

    package func resolve(
        _ declaration: TriggerTypeDeclaration,
        authentications: AuthenticationStore,
        secrets: SecretStore
    ) -> Resolution {
        let authenticated: [String: String]
        switch self.authenticate(authentications, secrets) {
        case .resolved(let values): authenticated = values
        case let other: return other
        }
        var values: [String: String] = [:]
        var problems: [Problem] = []
        for parameter in declaration.parameters {
            switch self.find(parameter, authenticated: authenticated, secrets: secrets) {
            case .text(let text):
                if let objection = ParameterSyntax(parameter.kind).objection(to: text) {
                    let shown = parameter.isSecret ? "its value" : "\"\(text.prefix(200))\""
                    problems.append(Problem(self.field(parameter.name), "\(shown) \(objection)"))
                } else {
                    values[parameter.name] = text
                }
            case .absent:
                if let value = parameter.defaultValue {
                    values[parameter.name] = value
                } else if parameter.isRequired {
                    problems.append(Problem(self.field(parameter.name), "is missing; \(Self.mend(parameter))"))
                }
            case .waiting(let what): return .waiting(what)
            case .problem(let problem): problems.append(problem)
            }
        }
        return problems.isEmpty ? .resolved(values) : .problems(problems)
    }

    private func authenticate(_ authentications: AuthenticationStore, _ secrets: SecretStore) -> Resolution {
        guard let reference = self.trigger.authentication else { return .resolved([:]) }
        let field = "\(self.path).authenticationRef"
        guard let authentication = authentications.find(reference, from: self.namespace) else {
            let place = reference.kind == .namespaced ? "\(self.namespace)/\(reference.name)" : reference.name
            return .problems([Problem(field, "\(reference.kind.rawValue) \(place) does not exist; create it")])
        }
        guard authentication.problems.isEmpty else {
            return .problems(
                authentication.problems.map { Problem(field, "\(reference.kind.rawValue) \(reference.name): \($0)") }
            )
        }
        let namespace = authentications.secretNamespace(of: reference, from: self.namespace)
        var values: [String: String] = [:]
        var problems: [Problem] = []
        for target in authentication.secretTargets {
            let secret = ObjectKey(namespace: namespace, name: target.name)
            switch secrets.text(target.key, of: secret, neededAt: field) {
            case .text(let text): values[target.parameter] = text
            case .waiting(let what): return .waiting(what)
            case .problem(let problem): problems.append(problem)
            case .absent: break
            }
        }
        return problems.isEmpty ? .resolved(values) : .problems(problems)
    }

    private func find(
        _ parameter: ParameterDeclaration,
        authenticated: [String: String],
        secrets: SecretStore
    ) -> Lookup {
        for source in parameter.sources {
            for name in [parameter.name] + parameter.aliases {
                let value: String?
                switch source {
                case .metadata: value = self.trigger.metadata[name]
                case .authentication: value = authenticated[name]
                case .environment:
                    guard let variable = self.trigger.metadata["\(name)FromEnv"]?.trimmed, !variable.isEmpty else {
                        continue
                    }
                    switch self.environment.value(of: variable, in: secrets) {
                    case .text(let text): value = text
                    case .absent: value = nil
                    case let other: return other
                    }
                }
                if let text = value?.trimmed, !text.isEmpty { return .text(text) }
            }
        }
        return .absent
    }

    private func field(_ parameter: String) -> String { "\(self.path).metadata.\(parameter)" }

    /// Where a parameter that is missing can be given.
    package static func mend(_ parameter: ParameterDeclaration) -> String {
        let places = parameter.sources.map { source in
            switch source {
            case .metadata: "in metadata"
            case .authentication: "through authenticationRef"
            case .environment: "by \(parameter.name)FromEnv"
            }
        }
        return "give it \(places.joined(separator: ", or "))"
    }
}
