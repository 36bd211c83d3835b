import Kubernetes

/// What happens to Jobs of an older template (`rollout`, and `rolloutStrategy` before it).
package struct RolloutPolicy: Sendable, Equatable {
    package enum Strategy: String, Sendable, CaseIterable {
        /// They run to their end.
        case gradual
        /// They are deleted, once the API server has accepted the new template.
        case immediate
    }

    package enum Propagation: String, Sendable, CaseIterable {
        /// The Job goes first, then its pods.
        case background
        /// The pods go first, then the Job.
        case foreground
    }

    /// KEDA's is `immediate` where the manifest says nothing; running work is not killed here unless somebody asks for it.
    package var strategy = Strategy.gradual
    package var propagation = Propagation.background

    package init() {}
}

extension RolloutPolicy {
    init(_ spec: inout FieldReader) {
        self.init()
        if let value = spec.present("rollout") {
            var rollout = FieldReader(value, path: "\(spec.path).rollout")
            self.strategy = rollout.filledChoice("strategy", of: Strategy.self) ?? self.strategy
            self.propagation = rollout.filledChoice("propagationPolicy", of: Propagation.self) ?? self.propagation
            spec.add(rollout.problems)
        }
        // Deprecated, and the stronger one.
        self.strategy = spec.filledChoice("rolloutStrategy", of: Strategy.self) ?? self.strategy
    }
}

extension FieldReader {
    /// A choice for which an empty text is the same as none.
    fileprivate mutating func filledChoice<Choice: RawRepresentable & CaseIterable>(
        _ key: String,
        of type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        self.members[key] == "" ? nil : self.choice(key, of: type)
    }
}

/// How one Job is deleted.
package struct JobDeletion: Sendable, Equatable {
    /// Only the Job of this UID is meant, not a later one of the same name.
    package let uid: String
    package let propagation: RolloutPolicy.Propagation

    package init(uid: String, propagation: RolloutPolicy.Propagation = .background) {
        self.uid = uid
        self.propagation = propagation
    }
}
