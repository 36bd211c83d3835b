import Kubernetes
import Scaling

extension ControllerMachine {
    /// Says that a ScaledJob is going that this host never had a record of.
    mutating func noteDeletion(of scaledJob: ObjectKey, uid: String) {
        let event = EventRecord(
            .warning,
            .scaledJobDeleted,
            "ScaledJob was deleted",
            regarding: EventRecord.Regarding(.scaledJobs, scaledJob, uid: uid),
            number: self.random.next()
        )
        self.totals.events[.scaledJobDeleted, default: 0] += 1
        self.actions.append(.recordEvent(event))
    }

    /// A Job without an owner may have had one: it is nobody's from now on.
    mutating func releaseJob(_ job: JobSummary, at moment: Moment) {
        guard let owner = self.owners.removeValue(forKey: job.observed.uid),
            self.trackers[owner]?.observed[job.key.name]?.uid == job.observed.uid
        else { return }
        self.records[owner]?.deletions[job.key.name] = nil
        self.records[owner]?.rollout.doomed.remove(job.key.name)
        let change = self.trackers[owner]?.deleted(job.key.name, now: moment.instant) ?? JobTracker.Change()
        self.jobsChanged(of: owner, change, at: moment)
    }
}
