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
            // What is there and no text has been told of already.
            guard !names.contains(where: { Self.isNoText(metadata[$0]) }) else { return nil }
            return Problem(field, "is missing; \(ParameterResolver.mend(parameter))")
        }
    }

    /// Keys of the metadata that the plugin does not read.
    func unread(in trigger: JSONValue, index: Int) -> [Problem] {
        var read: [String] = []
        for parameter in self.declaration.parameters {
            for name in [parameter.name] + parameter.aliases {
                if parameter.sources.contains(.metadata) { read.append(name) }
                if parameter.sources.contains(.environment) { read.append("\(name)FromEnv") }
            }
        }
        return (trigger["metadata"]?.objectValue ?? [:]).keys.filter { !read.contains($0) }.sorted().prefix(20)
            .map { name in
                let field = "spec.triggers[\(index)].metadata.\(name.prefix(100))"
                return Problem(field, UnknownFields.message(for: name, known: read))
            }
    }

    private static func isNoText(_ value: JSONValue?) -> Bool {
        guard let value, value != .null else { return false }
        return value.stringValue == nil
    }

    /// The value as the resolver takes it: trimmed, and nil when that leaves nothing.
    private static func text(_ value: JSONValue?) -> String? {
        guard let text = value?.stringValue?.trimmed, !text.isEmpty else { return nil }
        return text
    }
}
