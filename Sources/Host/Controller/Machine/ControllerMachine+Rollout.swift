import Kubernetes
import Scaling

extension ControllerMachine {
    /// Whether Jobs of an older template may be deleted now: asked for, and the new template is known to work.
    func mayRollOut(_ record: ScaledJobRecord) -> Bool {
        guard record.specification?.rollout.strategy == .immediate, !record.isPaused, record.template != nil,
            record.leftAloneUntil == nil
        else { return false }
        return record.trial == .accepted && record.rollout.provenRevision == record.templateRevision
            && self.synced.covers(.jobs, record.key.namespace)
    }

    /// Takes back every deletion that was not sent yet: what is old is found anew, by what holds now.
    mutating func reviewRollout(_ record: inout ScaledJobRecord) {
        for name in record.rollout.doomed {
            switch record.deletions[name] {
            case .calling, .done: continue
            case .queued, .failed, nil:
                record.deletions[name] = nil
                record.rollout.doomed.remove(name)
                self.keep(name, of: record)
            }
        }
        if let hash = record.template?.hash, hash != record.rollout.hash {
            record.rollout.hash = hash
            record.rollout.comparisons = [:]
            record.rollout.leftAlone = []
        }
        record.rollout.needsLook = true
    }

    /// Finds the Jobs of an older template and has them deleted.
    mutating func rollOut(_ record: inout ScaledJobRecord, at moment: Moment) {
        for (uid, comparison) in record.rollout.comparisons {
            guard case .failed(let retryAt) = comparison, retryAt <= moment.instant else { continue }
            record.rollout.comparisons[uid] = .queued
        }
        self.reviewRetries(&record, at: moment.instant)
        if record.rollout.doomed.isEmpty, record.specification?.rollout.strategy == .gradual {
            record.rollout.isUnderWay = false
        }
        guard record.rollout.needsLook, self.mayRollOut(record) else { return }
        record.rollout.needsLook = false
        let tracker = self.trackers[record.uid] ?? JobTracker()
        var found = 0
        for job in tracker.observed.values where !job.isDeleting && record.deletions[job.name] == nil {
            // While a call for its name is under way, deleting it could have it created once more.
            guard !tracker.isCalling(job.name), !tracker.mayArrive(job.name, now: moment.instant),
                self.isOld(job, &record)
            else { continue }
            record.queueDeletion(of: job.name)
            self.dropKept(job.name, of: record.uid)
            record.rollout.doomed.insert(job.name)
            found += 1
        }
        self.forgetComparisons(&record, tracker)
        self.describeRollout(&record, found: found, at: moment)
    }

    /// Drops deletions that failed and that nothing asks for any more.
    ///
    /// A call that was under way when the template changed could not be taken back; it can be left at that one attempt.
    private mutating func reviewRetries(_ record: inout ScaledJobRecord, at now: ContinuousClock.Instant) {
        for name in record.rollout.doomed {
            guard case .failed(let retryAt) = record.deletions[name], retryAt <= now else { continue }
            if self.mayRollOut(record), let job = self.trackers[record.uid]?.observed[name], self.isOld(job, &record) {
                continue
            }
            record.deletions[name] = nil
            record.rollout.doomed.remove(name)
            record.rollout.needsLook = true
            self.keep(name, of: record)
        }
    }

    private mutating func isOld(_ job: JobTracker.Observed, _ record: inout ScaledJobRecord) -> Bool {
        if let hash = job.template.hash, CanonicalTemplate.isComparable(hash) { return hash != record.template?.hash }
        // Whoever made it made it of this very specification.
        if job.template.generation == record.object.metadata.generation { return false }
        switch record.rollout.comparisons[job.uid] {
        case nil:
            record.rollout.comparisons[job.uid] = .queued
            return false
        case .queued, .asking, .failed, .known(.same): return false
        case .known(.different): return true
        case .known(.unsure(let why)):
            self.leaveAlone(job, why, &record)
            return false
        }
    }

    private mutating func leaveAlone(_ job: JobTracker.Observed, _ why: String, _ record: inout ScaledJobRecord) {
        guard record.rollout.leftAlone.insert(job.uid).inserted else { return }
        let facts = ["scaledjob": record.key.description, "job": job.name, "reason": why]
        let message = "not certain that this Job has an older template; leaving it alone"
        self.actions.append(.log(LogRecord(level: .info, message: message, facts: facts)))
    }

    private func forgetComparisons(_ record: inout ScaledJobRecord, _ tracker: JobTracker) {
        guard !record.rollout.comparisons.isEmpty else { return }
        let living = Set(tracker.observed.values.map(\.uid))
        record.rollout.comparisons = record.rollout.comparisons.filter {
            living.contains($0.key) || $0.value == .asking
        }
        record.rollout.leftAlone.formIntersection(living)
    }

    // MARK: - Telling

    private mutating func describeRollout(_ record: inout ScaledJobRecord, found: Int, at moment: Moment) {
        if found > 0, !record.rollout.isUnderWay {
            record.rollout.isUnderWay = true
            record.rollout.deleted = 0
            let note = "Deleting \(Self.jobs(found)) of an older template, because rollout.strategy is immediate"
            self.note(.normal, .rolloutCleanupStarted, note, &record, isOwn: true, at: moment)
        }
        guard record.rollout.isUnderWay, record.rollout.doomed.isEmpty else { return }
        record.rollout.isUnderWay = false
        let note = "Deleted \(Self.jobs(record.rollout.deleted)) of an older template"
        self.note(.normal, .rolloutCleanupCompleted, note, &record, isOwn: true, at: moment)
        // What they worked on waits again: read it now rather than with the next poll.
        for index in record.triggers.indices { record.triggers[index].isDirty = true }
        record.mayFillBase = true
        record.needsDecision = true
    }

    private static func jobs(_ count: Int) -> String { "\(count) \(count == 1 ? "Job" : "Jobs")" }

    mutating func templateIsUnproven(
        _ error: KubernetesError,
        _ record: inout ScaledJobRecord,
        at moment: Moment
    ) {
        guard record.specification?.rollout.strategy == .immediate else { return }
        let note = "Jobs of an older template run on, because the new one could not be tried: \(error.message)"
        self.note(.warning, .rolloutCleanupFailed, note, &record, at: moment)
    }

    mutating func rolloutDeletionFailed(
        _ name: String,
        _ error: KubernetesError,
        _ record: inout ScaledJobRecord,
        at moment: Moment
    ) {
        // Without the name, which the log has: Jobs that fail alike are one Event with a count.
        let message = error.message.replacing(" \"\(name)\"", with: "")
        let note = "Deleting a Job of an older template failed, trying again: \(message)"
        self.note(.warning, .rolloutCleanupFailed, note, &record, at: moment)
    }
}
