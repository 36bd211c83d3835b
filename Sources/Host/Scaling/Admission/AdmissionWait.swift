/// What a ScaledJob waits for that wants Jobs and is not granted one.
package struct AdmissionWait: Sendable, Equatable {
    package enum Cause: Sendable, Equatable {
        /// The limit is used up.
        case used
        /// One Job asks for more than the limit is: it can never run.
        case unsatisfiable
        /// What is free is kept for one whose larger Job has waited long.
        case held
        /// What counts is not known yet.
        case unknown(String)
    }

    package let scope: AdmissionScope
    package let dimension: AdmissionDimension
    /// In Jobs, or in thousandths of a resource.
    package let inUse: Int128
    /// In the same unit; Jobs in a thousand seconds where they are limited per second.
    package let limit: Int128
    /// What one Job needs, in the same unit.
    package let needed: Int128
    package let cause: Cause

    package init(
        scope: AdmissionScope,
        dimension: AdmissionDimension,
        inUse: Int128 = 0,
        limit: Int128 = 0,
        needed: Int128 = 1,
        cause: Cause = .used
    ) {
        self.scope = scope
        self.dimension = dimension
        self.inUse = inUse
        self.limit = limit
        self.needed = needed
        self.cause = cause
    }
}

/// How one scope stands: what its status and the metrics say.
package struct AdmissionStanding: Sendable, Equatable {
    /// One that waits for this scope.
    package struct Waiting: Sendable, Equatable {
        package let uid: String
        package let namespace: String
        /// Jobs that it wants now.
        package let jobs: Int
        package let wait: AdmissionWait
    }

    package var limits: AdmissionLimits
    package var inUse: AdmissionUse
    /// Those that wait, the first in turn first; at most ``longestList``.
    package var waiting: [Waiting]
    /// How many there are in all.
    package var waitingCount: Int

    package static let longestList = 50

    package init(
        limits: AdmissionLimits = AdmissionLimits(),
        inUse: AdmissionUse = AdmissionUse(),
        waiting: [Waiting] = [],
        waitingCount: Int = 0
    ) {
        self.limits = limits
        self.inUse = inUse
        self.waiting = waiting
        self.waitingCount = waitingCount
    }
}

extension AdmissionWait {
    /// The name under which decisions tell of it.
    package var decisionLimit: ScalingDecision.Limit {
        if case .unknown = self.cause { return .unknown }
        if case .namespace = self.scope {
            switch self.dimension {
            case .resource, .jobObjects: return .resourceQuota
            default: break
            }
        }
        switch self.dimension {
        case .runningJobs: return .maxRunningJobs
        case .jobsPerBatch: return .maxJobsPerBatch
        case .jobsPerSecond: return .maxJobsPerSecond
        case .resource: return .maxResources
        case .jobObjects: return .resourceQuota
        }
    }

    /// Whether it is the same limit that keeps it, in whatever numbers.
    package func isAlike(_ other: AdmissionWait) -> Bool {
        self.scope == other.scope && self.dimension == other.dimension && self.cause == other.cause
    }
}
