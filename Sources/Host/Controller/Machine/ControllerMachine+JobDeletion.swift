import Kubernetes
import Pace
import Scaling

extension ControllerMachine {
    /// Hands free places for deletions to the ScaledJobs in turn, one Job each.
    mutating func dispatchDeletions() {
        while self.deletionsUnderWay < self.configuration.largestDeletionsUnderWay,
            let uid = self.deletionTurns.next()
        {
            guard let mayRollOut = self.records[uid].map({ $0.rollout.doomed.isEmpty || self.mayRollOut($0) }) else {
                continue
            }
            // In place: a record that is taken out and changed would take a copy of all its deletions along.
            guard let name = self.records[uid]?.nextDeletion(mayRollOut: mayRollOut),
                let reference = self.records[uid]?.reference(name)
            else { continue }
            if let job = self.trackers[uid]?.observed[name] {
                let isDoomed = self.records[uid]?.rollout.doomed.contains(name) ?? false
                let propagation = self.records[uid]?.specification?.rollout.propagation ?? .background
                let deletion =
                    isDoomed ? JobDeletion(uid: job.uid, propagation: propagation) : JobDeletion(uid: job.uid)
                self.records[uid]?.deletions[name] = .calling
                self.deletionsUnderWay += 1
                self.actions.append(.deleteJob(reference, deletion))
            } else {
                self.records[uid]?.deletions[name] = nil
                self.records[uid]?.rollout.doomed.remove(name)
            }
            self.deletionTurns.add(uid)
        }
    }

    mutating func deleted(_ job: JobReference, _ outcome: ControllerInput.Outcome<Void>, at moment: Moment) {
        self.deletionsUnderWay -= 1
        guard self.records[job.owner]?.deletions[job.key.name] != nil,
            var record = self.records.removeValue(forKey: job.owner)
        else { return }
        switch outcome {
        case .success:
            record.deletions[job.key.name] = .done
            record.cleaningBackoff.reset()
        case .failure(let error) where error.code == .notFound:
            record.deletions[job.key.name] = .done
        case .failure(let error):
            var pause = record.cleaningBackoff.next(using: &self.random)
            if case .after(let asked) = error.retry { pause = Swift.max(pause, asked) }
            let retryAt = moment.instant + pause
            record.deletions[job.key.name] = .failed(retryAt: retryAt)
            record.deletionRetryAt = Swift.min(record.deletionRetryAt ?? retryAt, retryAt)
            if record.rollout.doomed.contains(job.key.name) {
                self.rolloutDeletionFailed(job.key.name, error, &record, at: moment)
            }
            self.actions.append(
                .log(
                    LogRecord(
                        level: .debug,
                        message: "deleting a Job failed; trying again",
                        facts: ["job": job.key.description, "error": error.description]
                    )
                )
            )
        }
        self.records[job.owner] = record
        self.touched.insert(job.owner)
    }
}
