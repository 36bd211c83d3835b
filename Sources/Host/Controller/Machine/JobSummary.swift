package import Kubernetes
package import Scaling

/// What the controller needs to know of a Job.
package struct JobSummary: Sendable, Equatable {
    package let key: ObjectKey
    /// The UID of the controlling owner; nil when there is none.
    package let owner: String?
    package let observed: JobTracker.Observed

    package init(key: ObjectKey, owner: String?, observed: JobTracker.Observed) {
        self.key = key
        self.owner = owner
        self.observed = observed
    }
}
