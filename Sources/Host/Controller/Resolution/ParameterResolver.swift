package import Credentials
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

    /// What the parameters of a trigger come from, as far as manifests say.
    package struct Needs: Sendable, Equatable {
        package var secrets: Set<ObjectKey> = []
        package var configMaps: Set<ObjectKey> = []
        package var credentials: Set<CredentialRequest> = []

        package mutating func formUnion(_ other: Needs) {
            self.secrets.formUnion(other.secrets)
            self.configMaps.formUnion(other.configMaps)
            self.credentials.formUnion(other.credentials)
        }
    }

    package let trigger: TriggerManifest
    /// The position in `spec.triggers`.
    package let index: Int
    package let namespace: String
    /// Whether a variable that the container does not have is a problem; a host passes it over, as existing manifests rely on.
    package var namesAbsentVariables = false
    private let jobTargetRef: JSONValue
    private let containerName: String?

    /// - Parameters:
    ///   - trigger: the trigger.
    ///   - index: its position in `spec.triggers`.
    ///   - namespace: the ScaledJob's.
    ///   - jobTargetRef: the Job template, whose container variables come from.
    ///   - containerName: `envSourceContainerName`; nil for the first container.
    package init(
        trigger: TriggerManifest,
        index: Int,
        namespace: String,
        jobTargetRef: JSONValue,
        containerName: String? = nil
    ) {
        self.trigger = trigger
        self.index = index
        self.namespace = namespace
        self.jobTargetRef = jobTargetRef
        self.containerName = containerName
    }

    private var path: String { "spec.triggers[\(self.index)]" }

    private var usesEnvironment: Bool { self.trigger.metadata.keys.contains { $0.hasSuffix("FromEnv") } }

    private func environment(_ rule: SecretRule) -> ContainerEnvironment {
        ContainerEnvironment(
            jobTargetRef: self.jobTargetRef,
            containerName: self.containerName,
            namespace: self.namespace,
            secretRule: rule
        )
    }

    /// The objects that the trigger's parameters may come from; what has to be fetched is known only once they are.
    package func needs(_ authentications: AuthenticationStore) -> Needs {
        var needs = Needs()
        if let resolver = self.authenticationResolver(authentications) {
            needs.secrets = resolver.secrets
            needs.configMaps = resolver.configMaps
        }
        if self.usesEnvironment {
            let environment = self.environment(authentications.secretRule)
            needs.secrets.formUnion(environment.referencedSecrets)
            needs.configMaps.formUnion(environment.referencedConfigMaps)
        }
        return needs
    }

    package func resolve(
        _ declaration: TriggerTypeDeclaration,
        authentications: AuthenticationStore,
        sources: ParameterSources
    ) -> Resolution {
        var requests: Set<CredentialRequest> = []
        return self.resolve(declaration, authentications: authentications, sources: sources, requests: &requests)
    }

    /// Resolves what can be resolved now, and adds to `requests` what has to be fetched.
    package func resolve(
        _ declaration: TriggerTypeDeclaration,
        authentications: AuthenticationStore,
        sources: ParameterSources,
        requests: inout Set<CredentialRequest>
    ) -> Resolution {
        var found = Findings()
        switch self.authenticate(authentications, sources, &requests) {
        case .values(let values, let assumed):
            found.authenticated = values
            found.assumed = assumed
        case .waiting(let what): return .waiting(what)
        case .problems(let problems): return .problems(problems)
        }
        let environment = self.environment(authentications.secretRule)
        if let problem = environment.unknownContainer { return .problems([problem]) }
        if self.usesEnvironment {
            switch environment.resolve(sources) {
            case .variables(let variables, let otherwise):
                found.variables = variables
                found.otherVariables = otherwise
            case .waiting(let what): return .waiting(what)
            case .problem(let problem): return .problems([problem])
            }
        }
        var values: [String: String] = [:]
        var problems: [Problem] = []
        for parameter in declaration.parameters {
            let (value, source) = self.find(parameter, in: found)
            switch value {
            case .text(let text):
                if let objection = ParameterSyntax(parameter.kind).objection(to: text) {
                    // What comes from elsewhere may be a secret that got into the wrong place.
                    let isShown = !parameter.isSecret && source == .metadata
                    let shown = isShown ? "\"\(text.prefix(200))\"" : "its value"
                    problems.append(Problem(self.field(parameter.name), "\(shown) \(objection)"))
                } else {
                    values[parameter.name] = text
                }
            case .absent:
                if self.namesAbsentVariables, let variable = self.variable(for: parameter),
                    found.variables[variable.name] == nil
                {
                    let absence = environment.absence(of: variable.name)
                    problems.append(Problem("\(self.path).metadata.\(variable.key)", absence))
                } else if let value = parameter.defaultValue {
                    values[parameter.name] = value
                } else if parameter.isRequired {
                    problems.append(Problem(self.field(parameter.name), "is missing; \(Self.mend(parameter))"))
                }
            case .assumed: break
            case .waiting(let what): return .waiting(what)
            case .problem(let problem): problems.append(problem)
            }
        }
        return problems.isEmpty ? .resolved(values) : .problems(problems)
    }

    // MARK: - Authentication

    private func authenticationResolver(_ authentications: AuthenticationStore) -> AuthenticationResolver? {
        guard let reference = self.trigger.authentication,
            let specification = authentications.find(reference, from: self.namespace)
        else { return nil }
        let field = "\(self.path).authenticationRef"
        let rule = authentications.secretRule
        return AuthenticationResolver(
            specification: specification,
            kind: reference.kind,
            namespace: self.namespace,
            home: authentications.secretNamespace(of: reference, from: self.namespace),
            rules: authentications.rules,
            secretRule: rule,
            environment: { name in
                ContainerEnvironment(
                    jobTargetRef: self.jobTargetRef,
                    containerName: name,
                    namespace: self.namespace,
                    secretRule: rule,
                    neededAt: field
                )
            },
            field: field
        )
    }

    private func authenticate(
        _ authentications: AuthenticationStore,
        _ sources: ParameterSources,
        _ requests: inout Set<CredentialRequest>
    ) -> AuthenticationResolver.Resolution {
        guard let reference = self.trigger.authentication else { return .values([:], assumed: .only([])) }
        let field = "\(self.path).authenticationRef"
        guard let resolver = self.authenticationResolver(authentications) else {
            let place = reference.kind == .namespaced ? "\(self.namespace)/\(reference.name)" : reference.name
            return .problems([Problem(field, "\(reference.kind.rawValue) \(place) does not exist; create it")])
        }
        let wrong = resolver.specification.problems
        guard wrong.isEmpty else {
            return .problems(wrong.map { Problem(field, "\(reference.kind.rawValue) \(reference.name): \($0)") })
        }
        return resolver.resolve(sources, requests: &requests)
    }

    // MARK: - One parameter

    /// What each source has to offer.
    private struct Findings {
        var authenticated: [String: String] = [:]
        var assumed = AuthenticationResolver.Assumed.only([])
        var variables: [String: Lookup] = [:]
        var otherVariables = Lookup.absent
    }

    /// Walks the declared sources in order, and in each the names in order.
    ///
    /// An empty value counts as absent.
    private func find(
        _ parameter: ParameterDeclaration,
        in found: Findings
    ) -> (Lookup, ParameterDeclaration.Source?) {
        for source in parameter.sources {
            for name in [parameter.name] + parameter.aliases {
                let value: String?
                switch source {
                case .metadata: value = self.trigger.metadata[name]
                case .authentication:
                    if found.authenticated[name] == nil, found.assumed.contains(name) {
                        return (.assumed, source)
                    }
                    value = found.authenticated[name]
                case .environment:
                    guard let variable = self.trigger.metadata["\(name)FromEnv"]?.trimmed, !variable.isEmpty else {
                        continue
                    }
                    switch found.variables[variable] ?? found.otherVariables {
                    case .text(let text): value = text
                    case .absent: value = nil
                    case let other: return (other, source)
                    }
                }
                if let text = value?.trimmed, !text.isEmpty { return (.text(text), source) }
            }
        }
        return (.absent, nil)
    }

    /// The key that names a variable for the parameter, and that name.
    private func variable(for parameter: ParameterDeclaration) -> (key: String, name: String)? {
        guard parameter.sources.contains(.environment) else { return nil }
        for name in [parameter.name] + parameter.aliases {
            let key = "\(name)FromEnv"
            if let variable = self.trigger.metadata[key]?.trimmed, !variable.isEmpty { return (key, variable) }
        }
        return nil
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
