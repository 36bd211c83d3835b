import Kubernetes
import Scaling

extension ControllerMachine {
    /// Says once that a ScaledJob is gone or going.
    mutating func noteDeletion(of scaledJob: ObjectKey, uid: String) {
        let event = EventRecord(
            kind: .warning,
            reason: "ScaledJobDeleted",
            note: "ScaledJob was deleted",
            scaledJob: scaledJob,
            uid: uid
        )
        self.actions.append(.recordEvent(event))
        let facts = ["scaledjob": scaledJob.description]
        self.actions.append(.log(LogRecord(level: .info, message: "the ScaledJob was deleted", facts: facts)))
    }

    /// A Job without an owner may have had one: it is nobody's from now on.
    mutating func releaseJob(_ job: JobSummary, at moment: Moment) {
        for (owner, tracker) in self.trackers
        where tracker.observed[job.key.name]?.uid == job.observed.uid && self.namespaces[owner] == job.key.namespace {
            self.records[owner]?.deletions[job.key.name] = nil
            self.records[owner]?.rollout.doomed.remove(job.key.name)
            let change = self.trackers[owner]?.deleted(job.key.name, now: moment.instant) ?? JobTracker.Change()
            self.jobsChanged(of: owner, change, at: moment)
        }
    }
}
