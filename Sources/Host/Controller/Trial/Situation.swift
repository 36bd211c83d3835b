import Scaling

/// A ScaledJob, what its triggers report and which Jobs exist: all that a decision follows from.
struct Situation {
    /// The Jobs, or why they are not known.
    enum Jobs {
        case known(ScalingPolicy.Jobs)
        case unknown(String)
    }

    var specification: ScaledJobSpecification
    var isPaused: Bool
    var triggers: [TriggerStanding]
    /// One for each trigger that could not be read.
    var faults: [TriggerFault]
    var jobs: Jobs
    /// What was read otherwise than written, for people.
    var notes: [String]

    /// What a host in a cluster says of Pods that it cannot list; nil where they are not needed.
    func podsProblem(_ strategy: ScalingStrategy) -> Problem? {
        guard strategy.needsPending, case .known(let jobs) = self.jobs else { return nil }
        return jobs.whyPendingIsUnknown.map(Problem.unknownPods)
    }

    /// The moment of all readings; only differences of moments count, and here there are none.
    static let moment = ContinuousClock.now
}
