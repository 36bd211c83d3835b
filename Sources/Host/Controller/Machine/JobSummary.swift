package import Kubernetes
package import Scaling

/// What the controller needs to know of a Job.
package struct JobSummary: Sendable, Equatable {
    package let key: ObjectKey
    /// The UID of the controlling owner; nil when there is none.
    package let owner: String?
    package let observed: JobTracker.Observed
    /// Set on a Job that is being deleted.
    package let deletion: Deletion?
    /// What its cost follows from.
    package let needs: JobNeeds

    /// Why a Job that is being deleted is still there.
    package struct Deletion: Sendable, Equatable {
        /// `deletionTimestamp`, in Unix seconds.
        package let since: Int64
        package let finalizers: [String]

        package init(since: Int64, finalizers: [String]) {
            self.since = since
            self.finalizers = finalizers
        }
    }

    package init(
        key: ObjectKey,
        owner: String?,
        observed: JobTracker.Observed,
        deletion: Deletion? = nil,
        needs: JobNeeds = JobNeeds()
    ) {
        self.key = key
        self.owner = owner
        self.observed = observed
        self.deletion = deletion
        self.needs = needs
    }
}
