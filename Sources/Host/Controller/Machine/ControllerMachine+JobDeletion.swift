import Kubernetes
import Scaling

extension ControllerMachine {
    /// Hands free places for deletions to the ScaledJobs in turn, one Job each.
    mutating func dispatchDeletions(_ moment: Moment) {
        for uid in self.cleaning.ledger.takeStirred() where self.records[uid] != nil { self.deletionTurns.add(uid) }
        while self.deletionsUnderWay < self.configuration.largestDeletionsUnderWay, self.deletionTurns.count > 0,
            self.cleaning.pace.nextRoom(at: moment.instant) == nil, let uid = self.deletionTurns.next()
        {
            guard self.records[uid]?.deletionHold.isHeld(at: moment.instant) == false,
                let (name, deletion) = self.nextDeletion(of: uid, at: moment),
                let reference = self.records[uid]?.reference(name)
            else { continue }
            self.records[uid]?.deletions[name] = .calling
            self.deletionsUnderWay += 1
            self.cleaning.pace.begin()
            self.actions.append(.deleteJob(reference, deletion))
            self.deletionTurns.add(uid)
        }
    }

    /// Whether a ScaledJob needs a turn.
    mutating func hasDeletions(_ record: ScaledJobRecord, at now: ContinuousClock.Instant) -> Bool {
        guard !record.deletionHold.isHeld(at: now) else { return false }
        return !record.deletionQueue.isEmpty || self.cleaning.ledger.hasExcess(record.uid)
    }

    /// The next Job of a ScaledJob to delete: in turn one that was never tried, and one from the queue.
    private mutating func nextDeletion(of uid: String, at moment: Moment) -> (String, JobDeletion)? {
        let isQueueFirst = self.records[uid]?.takesQueuedDeletion ?? false
        self.records[uid]?.takesQueuedDeletion = !isQueueFirst
        if isQueueFirst, let next = self.nextQueuedDeletion(of: uid) { return next }
        return self.nextExcess(of: uid, at: moment) ?? self.nextQueuedDeletion(of: uid)
    }

    private mutating func nextExcess(of uid: String, at moment: Moment) -> (String, JobDeletion)? {
        while let excess = self.cleaning.ledger.takeExcess(of: uid, at: moment.unixSeconds) {
            guard self.records[uid]?.deletions[excess.name] == nil,
                let job = self.trackers[uid]?.observed[excess.name], FinishedJob(job) == excess,
                self.trackers[uid]?.isCalling(excess.name) == false,
                self.trackers[uid]?.awaitsArrival(excess.name) == false, !self.isKeptForItems(excess.name, of: uid)
            else { continue }
            return (job.name, JobDeletion(uid: job.uid))
        }
        return nil
    }

    private mutating func nextQueuedDeletion(of uid: String) -> (String, JobDeletion)? {
        guard let mayRollOut = self.records[uid].map({ $0.rollout.doomed.isEmpty || self.mayRollOut($0) }) else {
            return nil
        }
        // In place: a record that is taken out and changed would take a copy of all its deletions along.
        while let name = self.records[uid]?.nextDeletion(mayRollOut: mayRollOut) {
            let isDoomed = self.records[uid]?.rollout.doomed.contains(name) ?? false
            // What is finished stays so; anything else is deleted by a rollout only.
            if let job = self.trackers[uid]?.observed[name], !job.isDeleting, isDoomed || job.isFinished {
                let propagation = self.records[uid]?.specification?.rollout.propagation ?? .background
                return (
                    name, isDoomed ? JobDeletion(uid: job.uid, propagation: propagation) : JobDeletion(uid: job.uid)
                )
            }
            if self.trackers[uid]?.observed[name]?.isDeleting == true {
                self.records[uid]?.deletions[name] = .done
            } else {
                self.records[uid]?.deletions[name] = nil
                self.records[uid]?.rollout.doomed.remove(name)
            }
        }
        return nil
    }

    mutating func deleted(_ job: JobReference, _ outcome: ControllerInput.Outcome<Void>, at moment: Moment) {
        self.deletionsUnderWay -= 1
        let name = job.key.name
        if case .success = outcome { self.records[job.owner]?.deletionHold.succeeded(name) }
        guard self.records[job.owner]?.deletions[name] != nil,
            var record = self.records.removeValue(forKey: job.owner)
        else { return }
        switch outcome {
        case .success: record.deletions[name] = .done
        case .failure(let error) where error.code == .notFound: record.deletions[name] = .done
        case .failure(let error): self.deletionFailed(name, error, &record, at: moment)
        }
        self.records[job.owner] = record
        self.touched.insert(job.owner)
    }

    private mutating func deletionFailed(
        _ name: String,
        _ error: KubernetesError,
        _ record: inout ScaledJobRecord,
        at moment: Moment
    ) {
        var asked: Duration?
        if case .after(let pause) = error.retry { asked = pause }
        let (retryAt, isNews) =
            record.deletionHold.failed(name, asked: asked, at: moment.instant, using: &self.random)
        record.deletions[name] = .failed(retryAt: retryAt)
        record.deletionRetryAt = Swift.min(record.deletionRetryAt ?? retryAt, retryAt)
        if record.rollout.doomed.contains(name) { self.rolloutDeletionFailed(name, error, &record, at: moment) }
        let facts = ["job": "\(record.key.namespace)/\(name)", "error": error.description]
        self.actions.append(
            .log(
                LogRecord(
                    level: isNews ? .warning : .debug,
                    message: isNews
                        ? "Jobs of a ScaledJob cannot be deleted; trying again" : "deleting a Job failed; trying again",
                    facts: isNews ? facts.merging(["scaledjob": record.key.description]) { $1 } : facts
                )
            )
        )
    }

    /// Queues the deletions that failed and are due again, unless the rules now keep the Job.
    mutating func retryDeletions(_ record: inout ScaledJobRecord, at moment: Moment) {
        for name in record.dueDeletions(at: moment.instant) {
            if record.rollout.doomed.contains(name) {
                record.queueDeletion(of: name)
                continue
            }
            guard let job = self.trackers[record.uid]?.observed[name] else {
                record.deletions[name] = nil
                continue
            }
            guard let finished = FinishedJob(job) else {
                // The call that failed did its work, and the Job is on its way out.
                record.deletions[name] = job.isDeleting ? .done : nil
                continue
            }
            if self.cleaning.ledger.isExcess(finished, of: record.uid, at: moment.unixSeconds) {
                record.queueDeletion(of: name)
            } else {
                record.deletions[name] = nil
                self.cleaning.ledger.add(finished, of: record.uid)
            }
        }
    }
}
