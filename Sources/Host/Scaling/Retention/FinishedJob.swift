/// A finished Job that could be deleted, as far as the rules of retention look at one.
package struct FinishedJob: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable, CaseIterable { case succeeded, failed }

    package let name: String
    package let outcome: Outcome
    /// When its condition became true, in Unix seconds.
    package let endedAt: Int64
    /// `ttlSecondsAfterFinished`.
    package let timeToLive: Int32?

    package init(name: String, outcome: Outcome, endedAt: Int64, timeToLive: Int32? = nil) {
        self.name = name
        self.outcome = outcome
        self.endedAt = endedAt
        self.timeToLive = timeToLive
    }

    /// Nil for a Job that is not finished, or is being deleted already.
    package init?(_ job: JobTracker.Observed) {
        guard !job.isDeleting else { return nil }
        switch job.phase {
        case .unfinished: return nil
        case .succeeded(let at):
            self.init(name: job.name, outcome: .succeeded, endedAt: at, timeToLive: job.timeToLive)
        case .failed(let at):
            self.init(name: job.name, outcome: .failed, endedAt: at, timeToLive: job.timeToLive)
        }
    }
}

extension FinishedJob: Comparable {
    /// Older ones first; those that ended within the same second go by name.
    package static func < (left: FinishedJob, right: FinishedJob) -> Bool {
        (left.endedAt, left.name) < (right.endedAt, right.name)
    }
}
