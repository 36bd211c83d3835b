import Kubernetes
import Scaling

/// Finished Jobs: which rules hold, and which Jobs the ledger knows.
extension ControllerMachine {
    // MARK: - Rules

    /// Reads what holds for the finished Jobs of a ScaledJob, also of one whose specification is wrong elsewhere.
    ///
    /// What cannot be read deletes nothing.
    mutating func renewRetention(_ record: inout ScaledJobRecord, at moment: Moment) {
        var policy = ScaledJobSpecification.retention(of: record.object.spec) ?? .unlimited
        switch FinishedJobsAge.of(record.object) {
        case .unset: policy.longest = self.configuration.cleaning.longest
        case .seconds(let seconds): policy.longest = seconds
        case .invalid(let problem):
            self.note(.warning, .scaledJobRetentionInvalid, problem.description, &record, at: moment)
        }
        self.cleaning.ledger.set(policy, of: record.uid)
        // What was to be deleted by other rules is looked at anew.
        for (name, deletion) in record.deletions where !record.rollout.doomed.contains(name) {
            switch deletion {
            case .queued, .failed:
                record.deletions[name] = nil
                self.keep(name, of: record)
            case .calling, .done: continue
            }
        }
    }

    /// Says how many finished Jobs the ScaledJobs of a scope may keep together; nil for no limit.
    mutating func setFinishedTotal(_ limit: Int?, of scope: AdmissionScope) {
        self.cleaning.ledger.set(total: limit, of: scope)
    }

    /// Says for whose totals the finished Jobs of a ScaledJob count, besides the host's.
    mutating func setFinishedScopes(_ scopes: [AdmissionScope], of scaledJob: String) {
        self.cleaning.ledger.set(scopes: scopes, of: scaledJob)
    }

    // MARK: - Jobs

    /// Brings the ledger up to date with a Job that was shown.
    mutating func keep(_ job: JobSummary, of owner: String, before: JobTracker.Observed?) {
        let name = job.key.name
        if let before, before != job.observed {
            if before.uid != job.observed.uid { self.forgetDeletion(of: name, owner: owner) }
            if let former = FinishedJob(before) { self.cleaning.ledger.remove(former, of: owner) }
        }
        if before?.isFinished == false, job.observed.isFinished { self.cleaning.pace.finished() }
        self.cleaning.deleting.upsert(job, of: owner)
        if let record = self.records[owner] { self.keep(name, of: record) }
    }

    /// Adds a Job to the ledger, if it is one that may be deleted when the rules say so.
    mutating func keep(_ name: String, of record: ScaledJobRecord) {
        guard let job = self.cleanable(name, of: record) else { return }
        self.cleaning.ledger.add(job, of: record.uid)
    }

    /// Takes a Job out of the ledger that is gone, or is to go for another reason.
    mutating func dropKept(_ name: String, of owner: String) {
        self.cleaning.deleting.remove(name, of: owner)
        guard let job = self.trackers[owner]?.observed[name].flatMap({ FinishedJob($0) }) else { return }
        self.cleaning.ledger.remove(job, of: owner)
    }

    /// Gives the ledger all Jobs of a ScaledJob.
    mutating func keepAll(of owner: String) {
        guard let record = self.records[owner], let tracker = self.trackers[owner] else { return }
        self.cleaning.ledger.reset(
            owner,
            to: tracker.observed.keys.compactMap { self.cleanable($0, of: record) }
        )
    }

    /// A Job that is finished, and that no other step has in hand.
    private func cleanable(_ name: String, of record: ScaledJobRecord) -> FinishedJob? {
        // While a call for its name may still store it, deleting it could have it created once more.
        guard record.deletions[name] == nil, let observed = self.trackers[record.uid]?.observed[name],
            self.trackers[record.uid]?.isCalling(name) == false,
            self.trackers[record.uid]?.awaitsArrival(name) == false
        else { return nil }
        return FinishedJob(observed)
    }

    // MARK: - Jobs that stay

    /// Tells of Jobs that are being deleted and don't go, once for each ScaledJob, and of their end.
    mutating func tellStuckDeletions(_ moment: Moment) {
        for (owner, report) in self.cleaning.deleting.look(at: moment.unixSeconds) {
            guard var record = self.records[owner] else { continue }
            switch report {
            case .stuck(let count, let example, let finalizers):
                let note = self.stuckNote(count, example, finalizers)
                self.note(.warning, .scaledJobDeletionStuck, note, &record, isOwn: true, at: moment)
                self.records[owner] = record
            case .over:
                let facts = ["scaledjob": record.key.description]
                let message = "no Job is stuck in its deletion any more"
                self.actions.append(.log(LogRecord(level: .info, message: message, facts: facts)))
            }
        }
    }

    private func stuckNote(_ count: Int, _ example: String, _ finalizers: [String]) -> String {
        let number = count == 1 ? "1 Job has" : "\(count) Jobs have"
        let kept =
            finalizers.isEmpty
            ? "\(example) has no finalizer, so that the API server should have removed it"
            : "\(example) is kept by \(finalizers.joined(separator: ", ")); whoever set that must take it off"
        return "\(number) been in deletion for over \(self.cleaning.deleting.patience) seconds: \(kept)"
    }

    /// Notes when a Job becomes too old next, one counts as stuck, or a deletion may begin.
    mutating func planCleaning(_ moment: Moment) {
        var wakes: [ContinuousClock.Instant] = []
        for due in [self.cleaning.ledger.nextExpiry, self.cleaning.deleting.nextLook] {
            guard let due else { continue }
            let seconds = Swift.min(Swift.max(due, moment.unixSeconds) - moment.unixSeconds, Cleaning.longestSleep)
            wakes.append(moment.instant + .seconds(Swift.max(seconds, 1)))
        }
        if self.deletionTurns.count > 0, let room = self.cleaning.pace.nextRoom(at: moment.instant) {
            wakes.append(room)
        }
        self.cleaning.wakeAt = wakes.min()
    }
}
