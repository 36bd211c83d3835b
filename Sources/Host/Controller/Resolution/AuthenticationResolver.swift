import Credentials
import Kubernetes

/// Finds the parameters that one authentication gives to one trigger.
struct AuthenticationResolver {
    /// What came of it.
    enum Resolution: Equatable {
        case values([String: String], assumed: Assumed)
        case waiting(String)
        case problems([Problem])
    }

    /// Parameters that will be there, but can only be read where the host runs.
    enum Assumed: Equatable {
        case only(Set<String>)
        case any

        func contains(_ parameter: String) -> Bool {
            switch self {
            case .only(let parameters): parameters.contains(parameter)
            case .any: true
            }
        }
    }

    let specification: AuthenticationSpecification
    let kind: TriggerManifest.AuthenticationKind
    /// The ScaledJob's namespace.
    let namespace: String
    /// The namespace in which the objects that the authentication names are.
    let home: String
    let rules: AuthenticationSettings
    let secretRule: SecretRule
    /// The container of the Job template with a name, or the first.
    let environment: (String?) -> ContainerEnvironment
    /// The place in the ScaledJob that problems are told at.
    let field: String

    /// Whether a file gives everything, and nothing else counts.
    private var isFile: Bool { self.specification.filePath != nil }

    private var mayReadSecrets: Bool { self.secretRule.allows(secretsIn: self.home) }

    var secrets: Set<ObjectKey> {
        guard !self.isFile else { return [] }
        var keys: Set<ObjectKey> = []
        if self.mayReadSecrets {
            for name in self.specification.secretNames { keys.insert(ObjectKey(namespace: self.home, name: name)) }
        }
        for variable in self.specification.variables {
            keys.formUnion(self.environment(variable.container).referencedSecrets)
        }
        return keys
    }

    var configMaps: Set<ObjectKey> {
        guard !self.isFile else { return [] }
        var keys = Set(
            self.specification.configMapTargets.filter { !$0.name.isEmpty }
                .map { ObjectKey(namespace: self.home, name: $0.name) }
        )
        for variable in self.specification.variables {
            keys.formUnion(self.environment(variable.container).referencedConfigMaps)
        }
        return keys
    }

    /// Resolves every source in the order in which later ones win, and notes what has to be fetched for that.
    func resolve(_ sources: ParameterSources, requests: inout Set<CredentialRequest>) -> Resolution {
        var pass = Pass(resolver: self, sources: sources)
        if let path = self.specification.filePath {
            pass.takeFile(path)
        } else {
            for variable in self.specification.variables { pass.take(variable) }
            for target in self.specification.configMapTargets {
                pass.take(target.parameter, pass.text(of: target, in: sources.configMaps))
            }
            for target in self.specification.secretTargets {
                pass.take(target.parameter, pass.secret(target.name, target.key))
            }
            if let vault = self.specification.vault { pass.take(vault) }
            if let aws = self.specification.aws { pass.take(aws) }
            for token in self.specification.accountTokens { pass.take(token) }
            if let oauth2 = self.specification.oauth2 { pass.take(oauth2) }
        }
        requests.formUnion(pass.requests)
        guard pass.problems.isEmpty else { return .problems(pass.problems) }
        if let waiting = pass.waiting { return .waiting(waiting) }
        return .values(pass.values, assumed: pass.assumesAll ? .any : .only(pass.assumed))
    }

    /// One walk over the sources.
    struct Pass {
        let resolver: AuthenticationResolver
        let sources: ParameterSources
        var values: [String: String] = [:]
        var assumed: Set<String> = []
        var assumesAll = false
        var problems: [Problem] = []
        var waiting: String?
        var requests: Set<CredentialRequest> = []

        mutating func fail(_ message: String) {
            self.problems.append(Problem(self.resolver.field, message))
        }

        mutating func take(_ parameter: String, _ lookup: Lookup) {
            switch lookup {
            case .text(let text):
                self.values[parameter] = text
                self.assumed.remove(parameter)
            case .waiting(let what): self.waiting = self.waiting ?? what
            case .problem(let problem): self.problems.append(problem)
            case .assumed: self.assumed.insert(parameter)
            case .absent: break
            }
        }

        /// The text, or nil with a note of why there is none.
        mutating func text(_ lookup: Lookup) -> String? {
            guard case .text(let text) = lookup else {
                self.take("", lookup)
                return nil
            }
            return text
        }

        func secret(_ name: String, _ key: String) -> Lookup {
            guard self.resolver.mayReadSecrets else {
                let refusal = self.resolver.secretRule.refusal(of: name, in: self.resolver.home)
                return .problem(Problem(self.resolver.field, refusal))
            }
            let object = ObjectKey(namespace: self.resolver.home, name: name)
            return self.sources.secrets.text(key, of: object, neededAt: self.resolver.field)
        }

        func text(of target: AuthenticationSpecification.KeyTarget, in data: ReferencedData) -> Lookup {
            let object = ObjectKey(namespace: self.resolver.home, name: target.name)
            return data.text(target.key, of: object, neededAt: self.resolver.field)
        }

        mutating func take(_ variable: AuthenticationSpecification.Variable) {
            let environment = self.resolver.environment(variable.container)
            switch environment.resolve(self.sources) {
            case .variables(let variables, let otherwise):
                let found = variables[variable.name] ?? otherwise
                if case .absent = found { self.fail("env: \(environment.absence(of: variable.name))") }
                self.take(variable.parameter, found)
            case .waiting(let what): self.waiting = self.waiting ?? what
            case .problem(let problem): self.problems.append(problem)
            }
        }

        /// Asks for a credential; its values, or nil while there are none.
        mutating func values(of request: CredentialRequest) -> FetchedCredentials.Content {
            self.requests.insert(request)
            let content = self.sources.credentials.values(of: request, neededAt: self.resolver.field)
            switch content {
            case .waiting(let what): self.waiting = self.waiting ?? what
            case .problem(let problem): if !self.problems.contains(problem) { self.problems.append(problem) }
            case .values, .assumed: break
            }
            return content
        }
    }
}
