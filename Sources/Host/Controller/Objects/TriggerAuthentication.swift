package import Kubernetes

/// Where a TriggerAuthentication takes its parameters from.
package struct AuthenticationSpecification: Sendable, Equatable {
    /// One parameter from one key of a Secret.
    package struct SecretTarget: Sendable, Equatable {
        package var parameter: String
        package var name: String
        package var key: String
    }

    package var secretTargets: [SecretTarget]
    package var problems: [Problem]

    /// Understands a `spec`.
    ///
    /// Sources that this version does not offer are problems: to leave them out silently would open the trigger without
    /// its credentials.
    package init(parsing spec: JSONValue?) {
        var reader = FieldReader(spec ?? .object([:]), path: "spec")
        var targets: [SecretTarget] = []
        for (index, value) in (reader.present("secretTargetRef")?.arrayValue ?? []).enumerated() {
            var target = FieldReader(value, path: "spec.secretTargetRef[\(index)]")
            let parameter = target.string("parameter") ?? ""
            let name = target.string("name") ?? ""
            let key = target.string("key") ?? ""
            if parameter.isEmpty { target.note("parameter", "is missing; write the parameter of the trigger") }
            if name.isEmpty { target.note("name", "is missing; write the name of a Secret") }
            if key.isEmpty { target.note("key", "is missing; write a key of the Secret") }
            reader.add(target.problems)
            targets.append(SecretTarget(parameter: parameter, name: name, key: key))
        }
        for source in reader.members.keys.sorted() where source != "secretTargetRef" {
            if Self.isHarmless(source, reader.members[source]) { continue }
            reader.note(source, "is not offered by this version; put the values into a Secret and use secretTargetRef")
        }
        self.secretTargets = targets
        self.problems = reader.problems
    }

    private static func isHarmless(_ source: String, _ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null: true
        case .array(let elements): elements.isEmpty
        case .object(let members): source == "podIdentity" && members["provider"] == "none"
        default: false
        }
    }
}

/// A TriggerAuthentication as the API server holds it.
package struct TriggerAuthentication: KubernetesObject, Sendable, Equatable {
    package static let resource = APIResource.triggerAuthentications

    package let metadata: ObjectMetadata
    package let spec: JSONValue?
    package let status: JSONValue?

    package init(metadata: ObjectMetadata, spec: JSONValue?, status: JSONValue? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// A ClusterTriggerAuthentication as the API server holds it.
package struct ClusterTriggerAuthentication: KubernetesObject, Sendable, Equatable {
    package static let resource = APIResource.clusterTriggerAuthentications

    package let metadata: ObjectMetadata
    package let spec: JSONValue?
    package let status: JSONValue?

    package init(metadata: ObjectMetadata, spec: JSONValue?, status: JSONValue? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}
