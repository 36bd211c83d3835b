package import Kubernetes
package import Scaling

extension ScaledJobSpecification {
    /// Understands a `spec`, or says everything that is wrong with it.
    package static func parse(_ spec: JSONValue?) -> Result<ScaledJobSpecification, InvalidSpecification> {
        guard let spec else {
            return .failure(InvalidSpecification([Problem("spec", "is missing; write triggers and jobTargetRef")]))
        }
        var reader = FieldReader(spec, path: "spec")
        let interval = reader.integer("pollingInterval", atLeast: 1) ?? 30
        let bounds = ReplicaBounds(
            minimum: reader.integer("minReplicaCount", atLeast: 0),
            maximum: reader.integer("maxReplicaCount", atLeast: 1)
        )
        let retention = Self.retention(&reader)
        let scaling = Self.scalingStrategy(&reader)
        let triggers = Self.triggers(&reader)
        let container = reader.string("envSourceContainerName")
        let target = Self.jobTargetRef(&reader)
        let rollout = RolloutPolicy(&reader)
        guard reader.problems.isEmpty, let target else { return .failure(InvalidSpecification(reader.problems)) }
        return .success(
            ScaledJobSpecification(
                triggers: triggers,
                jobTargetRef: target,
                pollingInterval: .seconds(interval),
                bounds: bounds,
                combination: scaling.combination,
                strategy: scaling.choice,
                pendingRule: scaling.pendingRule,
                retention: retention,
                envSourceContainerName: container.flatMap { $0.isEmpty ? nil : $0 },
                rollout: rollout
            )
        )
    }

    /// How many finished Jobs are kept, also by a specification that is wrong elsewhere; nil when that cannot be read.
    package static func retention(of spec: JSONValue?) -> RetentionPolicy? {
        var reader = FieldReader(spec ?? .object([:]), path: "spec")
        let retention = Self.retention(&reader)
        return reader.problems.isEmpty ? retention : nil
    }

    private static func retention(_ reader: inout FieldReader) -> RetentionPolicy {
        RetentionPolicy(
            successful: reader.integer("successfulJobsHistoryLimit", atLeast: 0),
            failed: reader.integer("failedJobsHistoryLimit", atLeast: 0)
        )
    }

    private static func triggers(_ reader: inout FieldReader) -> [TriggerManifest] {
        guard let list = reader.present("triggers")?.arrayValue, !list.isEmpty else {
            reader.note("triggers", "must be a list with at least one trigger")
            return []
        }
        var triggers: [TriggerManifest] = []
        var names: Set<String> = []
        for (index, value) in list.enumerated() {
            var trigger = FieldReader(value, path: "spec.triggers[\(index)]")
            let type = trigger.string("type") ?? ""
            if type.isEmpty { trigger.note("type", "is missing; write the type of an event source") }
            let name = trigger.string("name")
            if let name, !name.isEmpty, !names.insert(name).inserted {
                trigger.note("name", "\"\(name)\" is used twice; give each trigger a name of its own")
            }
            if let metric = trigger.string("metricType"), !metric.isEmpty {
                trigger.note("metricType", "\"\(metric)\" has no meaning for a ScaledJob; leave it out")
            }
            let metadata = Self.metadata(&trigger)
            let authentication = Self.authentication(&trigger)
            reader.add(trigger.problems)
            triggers.append(
                TriggerManifest(type: type, name: name, metadata: metadata, authentication: authentication)
            )
        }
        return triggers
    }

    private static func metadata(_ trigger: inout FieldReader) -> [String: String] {
        guard let value = trigger.present("metadata") else { return [:] }
        // Any of them may be a secret.
        var reader = FieldReader(value, path: "\(trigger.path).metadata", hidesValues: true)
        var metadata: [String: String] = [:]
        for key in reader.members.keys.sorted() {
            if let text = reader.string(key) { metadata[key] = text }
        }
        trigger.add(reader.problems)
        return metadata
    }

    private static func authentication(_ trigger: inout FieldReader) -> TriggerManifest.AuthenticationReference? {
        guard let value = trigger.present("authenticationRef") else { return nil }
        var reader = FieldReader(value, path: "\(trigger.path).authenticationRef")
        let name = reader.string("name") ?? ""
        if name.isEmpty { reader.note("name", "is missing; write the name of a TriggerAuthentication") }
        let kind = reader.string("kind").flatMap { $0.isEmpty ? nil : $0 }
        let known = kind.map { TriggerManifest.AuthenticationKind(rawValue: $0) } ?? .namespaced
        if known == nil, let kind {
            reader.note(
                "kind",
                "\"\(kind)\" is not one of TriggerAuthentication, ClusterTriggerAuthentication"
            )
        }
        trigger.add(reader.problems)
        guard let known, !name.isEmpty else { return nil }
        return TriggerManifest.AuthenticationReference(kind: known, name: name)
    }

    private static func jobTargetRef(_ reader: inout FieldReader) -> JSONValue? {
        guard let target = reader.present("jobTargetRef") else {
            reader.note("jobTargetRef", "is missing; write the specification of the Jobs to create")
            return nil
        }
        guard target[path: "template", "spec"]?.objectValue != nil else {
            reader.note("jobTargetRef.template.spec", "is missing; write the Pod that each Job runs")
            return nil
        }
        return target
    }
}

/// Why a `spec` cannot be used: at least one problem.
package struct InvalidSpecification: Error, Sendable, Equatable {
    package let problems: [Problem]

    package init(_ problems: [Problem]) {
        self.problems = problems
    }
}

extension ScaledJobSpecification {
    /// The triggers of a ScaledJob; none when its specification cannot be used.
    package static func triggers(of scaledJob: ScaledJob) -> [TriggerManifest] {
        guard case .success(let specification) = self.parse(scaledJob.spec) else { return [] }
        return specification.triggers
    }
}
