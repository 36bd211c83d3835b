/// Which finished Jobs are deleted: the oldest beyond `successfulJobsHistoryLimit` and `failedJobsHistoryLimit`.
package struct RetentionPolicy: Sendable, Equatable {
    /// What either limit means when it is not set.
    package static let defaultLimit = 100

    package let successful: Int
    package let failed: Int

    package init(successful: Int? = nil, failed: Int? = nil) {
        self.successful = successful ?? Self.defaultLimit
        self.failed = failed ?? Self.defaultLimit
    }

    /// Names to delete, oldest first by the time of the condition; equal times go by name.
    ///
    /// Jobs that are being deleted already count as gone.
    package func excess(of jobs: some Sequence<JobTracker.Observed>) -> [String] {
        var succeeded: [(at: Int64, name: String)] = []
        var failed: [(at: Int64, name: String)] = []
        for job in jobs where !job.isDeleting {
            switch job.phase {
            case .succeeded(let at): succeeded.append((at, job.name))
            case .failed(let at): failed.append((at, job.name))
            case .unfinished: break
            }
        }
        let doomed =
            Self.oldest(succeeded, beyond: self.successful) + Self.oldest(failed, beyond: self.failed)
        return doomed.sorted { ($0.at, $0.name) < ($1.at, $1.name) }.map(\.name)
    }

    private static func oldest(
        _ jobs: [(at: Int64, name: String)],
        beyond limit: Int
    ) -> ArraySlice<(at: Int64, name: String)> {
        guard jobs.count > limit else { return [] }
        return jobs.sorted { ($0.at, $0.name) < ($1.at, $1.name) }.prefix(jobs.count - limit)
    }
}
