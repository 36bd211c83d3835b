/// Where a limit holds.
package enum AdmissionScope: Sendable, Hashable {
    /// One ScaledJob, by its UID.
    case scaledJob(String)
    case namespace(String)
    /// A `JobBudget`, by its name.
    case budget(String)
    /// Everything that this host controls.
    case host
}

/// What a limit counts.
package enum AdmissionDimension: Sendable, Hashable {
    /// Jobs that are not finished.
    case runningJobs
    /// Jobs that one ScaledJob may create from one poll to the next.
    case jobsPerBatch
    case jobsPerSecond
    /// The sum of requests over unfinished Jobs of the resource of this name.
    case resource(String)
    /// Job objects, finished ones included: what a ResourceQuota of `count/jobs.batch` counts.
    case jobObjects
}

/// The limits of one scope; nil where there is none.
package struct AdmissionLimits: Sendable, Equatable {
    package var runningJobs: Int?
    package var jobsPerBatch: Int?
    /// Greater than 0.
    package var jobsPerSecond: Double?
    /// In thousandths, as ``ResourceAmounts`` has them; only the resources that are named are limited, also those whose
    /// limit is 0.
    package var resources: [String: Int128]
    package var jobObjects: Int?

    package init(
        runningJobs: Int? = nil,
        jobsPerBatch: Int? = nil,
        jobsPerSecond: Double? = nil,
        resources: [String: Int128] = [:],
        jobObjects: Int? = nil
    ) {
        self.runningJobs = runningJobs
        self.jobsPerBatch = jobsPerBatch
        self.jobsPerSecond = jobsPerSecond
        self.resources = resources
        self.jobObjects = jobObjects
    }
}

/// What one ScaledJob brings to the ledger besides its demand.
package struct AdmissionClaim: Sendable, Equatable {
    /// ScaledJobs that share as one before each of them gets its part.
    package struct Group: Sendable, Hashable {
        /// The `JobBudget` that says how to share.
        package let budget: String
        package let name: String

        package init(budget: String, name: String) {
            self.budget = budget
            self.name = name
        }
    }

    package var namespace: String
    /// The names of the budgets that select it, in order.
    package var budgets: [String]
    /// Higher first.
    package var priority: Int
    /// Its part among those of one priority: within its group, or, without a group, beside groups and others without
    /// one; greater than 0.
    package var weight: Double
    package var group: Group?
    /// The part of its group beside other groups and ScaledJobs without one; greater than 0, and without meaning where
    /// there is no group.
    package var groupWeight: Double
    /// What one of its Jobs requests: the sum over its Pods.
    package var cost: ResourceAmounts
    /// Its own limits besides `maxReplicaCount`.
    package var limits: AdmissionLimits

    package init(
        namespace: String,
        budgets: [String] = [],
        priority: Int = 0,
        weight: Double = 1,
        group: Group? = nil,
        groupWeight: Double = 1,
        cost: ResourceAmounts = ResourceAmounts(),
        limits: AdmissionLimits = AdmissionLimits()
    ) {
        self.namespace = namespace
        self.budgets = budgets
        self.priority = priority
        self.weight = weight
        self.group = group
        self.groupWeight = groupWeight
        self.cost = cost
        self.limits = limits
    }
}
