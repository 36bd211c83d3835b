import Kubernetes
import Pace
import Scaling

extension ControllerMachine {
    /// Hands free places for deletions to the ScaledJobs in turn, one Job each.
    mutating func dispatchDeletions() {
        while self.deletionsUnderWay < self.configuration.largestDeletionsUnderWay,
            let uid = self.deletionTurns.next()
        {
            guard var record = self.records[uid], let name = self.nextDeletion(record) else { continue }
            if let job = self.trackers[uid]?.observed[name] {
                let propagation = record.specification?.rollout.propagation ?? .background
                let deletion =
                    record.rollout.doomed.contains(name)
                    ? JobDeletion(uid: job.uid, propagation: propagation) : JobDeletion(uid: job.uid)
                record.deletions[name] = .calling
                self.deletionsUnderWay += 1
                self.actions.append(.deleteJob(record.reference(name), deletion))
            } else {
                record.deletions[name] = nil
                record.rollout.doomed.remove(name)
            }
            self.records[uid] = record
            self.deletionTurns.add(uid)
        }
    }

    private func nextDeletion(_ record: ScaledJobRecord) -> String? {
        let mayRollOut = record.rollout.doomed.isEmpty || self.mayRollOut(record)
        return record.deletions.first { name, deletion in
            deletion == .queued && (mayRollOut || !record.rollout.doomed.contains(name))
        }?.key
    }

    mutating func deleted(_ job: JobReference, _ outcome: ControllerInput.Outcome<Void>, at moment: Moment) {
        self.deletionsUnderWay -= 1
        guard var record = self.records[job.owner], record.deletions[job.key.name] != nil else { return }
        switch outcome {
        case .success:
            record.deletions[job.key.name] = .done
            record.cleaningBackoff.reset()
        case .failure(let error) where error.code == .notFound:
            record.deletions[job.key.name] = .done
        case .failure(let error):
            var pause = record.cleaningBackoff.next(using: &self.random)
            if case .after(let asked) = error.retry { pause = Swift.max(pause, asked) }
            record.deletions[job.key.name] = .failed(retryAt: moment.instant + pause)
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
