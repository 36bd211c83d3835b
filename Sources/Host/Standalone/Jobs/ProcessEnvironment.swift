internal import FoundationEssentials
package import Kubernetes

/// The environment of one container's process: what the manifest says, over a few variables of the host.
package struct ProcessEnvironment: Sendable, Equatable {
    /// Why the variables cannot be had yet.
    ///
    /// It names what is missing, never a value.
    package struct Missing: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The variables of the host that a process gets; everything else stays with the host.
    package static let inherited = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER"]

    /// What `$(VAR)` may refer to.
    package private(set) var declared: [String: String] = [:]
    private let host: [String: String]

    package var all: [String: String] { self.host.merging(self.declared) { _, declared in declared } }

    /// Resolves the variables of a container.
    ///
    /// - Parameters:
    ///   - container: whose variables.
    ///   - pod: the pod object, for `fieldRef`.
    ///   - host: the host's own environment.
    ///   - find: looks up a Secret or ConfigMap of the pod's namespace.
    /// - Throws: ``Missing`` when something that is not optional is not there.
    package init(
        of container: LocalContainer,
        pod: JSONValue,
        host: [String: String],
        find: (APIResource, String) -> JSONValue?
    ) throws(Missing) {
        self.host = host.filter { Self.inherited.contains($0.key) }
        for source in container.environmentSources {
            guard let object = find(source.resource, source.name) else {
                if source.isOptional { continue }
                throw Missing(description: "\(source.resource.kind) \(source.name) does not exist")
            }
            for (key, value) in Self.entries(of: object, source.resource) {
                let name = source.prefix + key
                // As in Kubernetes, a key that cannot be a variable is left out.
                if EnvironmentVariable.isName(name), !value.utf8.contains(0) { self.declared[name] = value }
            }
        }
        for variable in container.environment {
            guard let value = try self.value(of: variable, pod: pod, find: find) else { continue }
            guard !value.utf8.contains(0) else {
                throw Missing(description: "the value of \(variable.name) contains a NUL character")
            }
            self.declared[variable.name] = value
        }
    }

    private func value(
        of variable: EnvironmentVariable,
        pod: JSONValue,
        find: (APIResource, String) -> JSONValue?
    ) throws(Missing) -> String? {
        switch variable.value {
        case .literal(let text):
            return VariableExpansion.expand(text, with: self.declared)
        case .secretKey(let name, let key, let isOptional):
            return try Self.entry(key, of: name, .secrets, isOptional, find)
        case .configMapKey(let name, let key, let isOptional):
            return try Self.entry(key, of: name, .configMaps, isOptional, find)
        case .field(let path):
            return Self.field(path, of: pod)
        }
    }

    private static func entry(
        _ key: String,
        of name: String,
        _ resource: APIResource,
        _ isOptional: Bool,
        _ find: (APIResource, String) -> JSONValue?
    ) throws(Missing) -> String? {
        guard let object = find(resource, name) else {
            if isOptional { return nil }
            throw Missing(description: "\(resource.kind) \(name) does not exist")
        }
        if let value = Self.entries(of: object, resource)[key] { return value }
        if isOptional { return nil }
        throw Missing(description: "\(resource.kind) \(name) has no key \(key)")
    }

    private static func entries(of object: JSONValue, _ resource: APIResource) -> [String: String] {
        let data = object["data"]?.strings ?? [:]
        guard resource == .secrets else { return data }
        return data.compactMapValues { text in
            Data(base64Encoded: text).flatMap { String(bytes: $0, encoding: .utf8) }
        }
    }

    private static func field(_ path: String, of pod: JSONValue) -> String {
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace
        case "metadata.uid": return pod.uid
        default:
            let key = path.drop { $0 != "'" }.dropFirst().dropLast(2)
            let entries = path.hasPrefix("metadata.labels") ? pod.labels : pod.annotations
            return entries[String(key)] ?? ""
        }
    }
}
