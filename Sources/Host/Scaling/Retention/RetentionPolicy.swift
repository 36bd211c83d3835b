/// Which finished Jobs of one ScaledJob are kept: as many as the two limits say, and none beyond an age.
///
/// Beyond a limit the oldest go first, by the time of the condition.
package struct RetentionPolicy: Sendable, Equatable {
    /// What either limit means when it is not set.
    package static let defaultLimit = 100

    package var successful: Int
    package var failed: Int
    /// Seconds after their end; nil for no such limit.
    ///
    /// A Job's own `ttlSecondsAfterFinished` stands in its place.
    package var longest: Int64?

    package init(successful: Int? = nil, failed: Int? = nil, longest: Int64? = nil) {
        self.successful = successful ?? Self.defaultLimit
        self.failed = failed ?? Self.defaultLimit
        self.longest = longest
    }

    /// Keeps whatever no other rule deletes: for limits that cannot be read.
    package static let unlimited = RetentionPolicy(successful: .max, failed: .max)

    /// When a Job is too old, in Unix seconds; nil for never, and where nobody knows when it ended.
    ///
    /// `grace` is what the cluster's own controller has to delete a Job whose time to live is over.
    func expiry(of job: FinishedJob, grace: Int64) -> Int64? {
        guard job.endedAt > 0 else { return nil }
        if let timeToLive = job.timeToLive { return job.endedAt.adding(Int64(timeToLive)).adding(grace) }
        return self.longest.map { job.endedAt.adding($0) }
    }
}

extension Int64 {
    /// The sum, or the nearest number that there is.
    fileprivate func adding(_ other: Int64) -> Int64 {
        let (sum, overflows) = self.addingReportingOverflow(other)
        return overflows ? (other > 0 ? .max : .min) : sum
    }
}
