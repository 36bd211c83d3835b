import Kubernetes
import Pace
import Scaling

extension ControllerMachine {
    /// Hands free places for deletions to the ScaledJobs in turn, one Job each.
    mutating func dispatchDeletions() {
        while self.deletionsUnderWay < self.configuration.largestDeletionsUnderWay,
            let uid = self.deletionTurns.next()
        {
            guard var record = self.records[uid],
                let name = record.deletions.first(where: { $0.value == .queued })?.key
            else { continue }
            record.deletions[name] = .calling
            self.deletionsUnderWay += 1
            self.actions.append(.deleteJob(record.reference(name)))
            self.records[uid] = record
            self.deletionTurns.add(uid)
        }
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
            self.actions.append(
                .log(
                    LogRecord(
                        level: .debug,
                        message: "deleting a finished Job failed; trying again",
                        facts: ["job": job.key.description, "error": error.description]
                    )
                )
            )
        }
        self.records[job.owner] = record
        self.touched.insert(job.owner)
    }
}
