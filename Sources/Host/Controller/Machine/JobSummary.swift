package import Kubernetes
package import Scaling

/// What the controller needs to know of a Job.
package struct JobSummary: Sendable, Equatable {
    package let key: ObjectKey
    /// The UID of the controlling owner; nil when there is none.
    package let owner: String?
    package let observed: JobTracker.Observed
    /// What its cost follows from.
    package let needs: JobNeeds

    package init(key: ObjectKey, owner: String?, observed: JobTracker.Observed, needs: JobNeeds = JobNeeds()) {
        self.key = key
        self.owner = owner
        self.observed = observed
        self.needs = needs
    }
}
