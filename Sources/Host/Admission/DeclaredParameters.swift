import Controller
import Kubernetes
import PluginProtocol

/// What can be said about the metadata of a trigger from its plugin's declaration alone.
///
/// A value that comes from elsewhere, an authentication or a variable, is not known here and not judged.
struct DeclaredParameters {
    let declaration: TriggerTypeDeclaration

    init(_ declaration: TriggerTypeDeclaration) {
        self.declaration = declaration
    }

    func problems(in trigger: JSONValue, index: Int) -> [Problem] {
        let metadata = trigger["metadata"]?.objectValue ?? [:]
        let isAuthenticated = trigger["authenticationRef"]?.objectValue != nil
        return self.declaration.parameters.compactMap { parameter in
            let names = [parameter.name] + parameter.aliases
            let field = "spec.triggers[\(index)].metadata.\(parameter.name)"
            let written =
                parameter.sources.contains(.metadata) ? names.lazy.compactMap { Self.text(metadata[$0]) }.first : nil
            if let written {
                guard let objection = ParameterSyntax(parameter.kind).objection(to: written) else { return nil }
                return Problem(field, "\(parameter.isSecret ? "its value" : "\"\(written.prefix(200))\"") \(objection)")
            }
            let mayComeFromElsewhere =
                parameter.sources.contains(.authentication) && isAuthenticated
                || parameter.sources.contains(.environment)
                    && names.contains { Self.text(metadata["\($0)FromEnv"]) != nil }
            guard parameter.isRequired, parameter.defaultValue == nil, !mayComeFromElsewhere else { return nil }
            return Problem(field, "is missing; \(ParameterResolver.mend(parameter))")
        }
    }

    /// The value as the resolver takes it: trimmed, and nil when that leaves nothing.
    private static func text(_ value: JSONValue?) -> String? {
        guard let text = value?.stringValue?.trimmed, !text.isEmpty else { return nil }
        return text
    }
}
