import DequeModule
import Kubernetes
import Pace
import Scaling

extension ControllerMachine {
    // MARK: - Sending

    /// Hands free places for calls to those that may ask for a Job.
    mutating func dispatchCreations(_ moment: Moment) {
        self.noteUses(at: moment.instant)
        self.dispatchRepeats(moment)
        self.dispatchAdmitted(moment)
    }

    /// Repeats the calls whose Jobs may exist, one for each ScaledJob in turn: their slots are taken already.
    private mutating func dispatchRepeats(_ moment: Moment) {
        var passes = self.creationTurns.count
        while self.creationsUnderWay < self.configuration.largestCreationsUnderWay, passes > 0,
            let uid = self.creationTurns.next()
        {
            passes -= 1
            guard self.records[uid]?.mayCreate ?? true else {
                self.lookUpInsteadOfCreating(uid, at: moment.instant)
                self.noteDemand(of: uid, at: moment.instant)
                continue
            }
            guard self.mustRepeat(uid) else { continue }
            // In place: a record that is taken out and changed would take a copy of its whole queue along.
            guard self.records[uid]?.template != nil,
                let name = self.records[uid]?.nextCreation(at: moment.instant),
                let job = self.records[uid]?.reference(name)
            else { continue }
            let template = self.records[uid].flatMap { self.template(for: name, of: $0) }
            // A name that the watch has shown meanwhile needs no call any more.
            if template == nil { self.lookUp(job) }
            if let template, self.trackers[uid]?.calling(name) == true {
                self.records[uid]?.window.began()
                self.creationsUnderWay += 1
                self.actions.append(.createJob(job, template))
            }
            self.noteUses(at: moment.instant)
            if self.mustRepeat(uid) {
                self.creationTurns.add(uid)
                passes += 1
            }
        }
    }

    /// Asks for the Jobs that the limits admit, each by the turn of its ScaledJob.
    private mutating func dispatchAdmitted(_ moment: Moment) {
        while self.creationsUnderWay < self.configuration.largestCreationsUnderWay,
            let uid = self.admission.ledger.next(now: moment.instant)
        {
            if self.records[uid]?.template != nil, self.records[uid]?.mayCreate == true,
                let name = self.records[uid]?.nextCreation(at: moment.instant),
                let job = self.records[uid]?.reference(name)
            {
                let template = self.records[uid].flatMap { self.template(for: name, of: $0) }
                if template == nil { self.lookUp(job) }
                // A name that the watch has shown meanwhile needs no call any more.
                if let template, self.trackers[uid]?.calling(name, cost: self.admission.ledger.cost(of: uid)) == true {
                    self.records[uid]?.window.began()
                    self.creationsUnderWay += 1
                    self.actions.append(.createJob(job, template))
                    self.admission.ledger.take(uid, now: moment.instant)
                    self.noteUses(at: moment.instant)
                }
            }
            self.noteDemand(of: uid, at: moment.instant)
        }
    }

    /// Whether the next name of a ScaledJob is one whose Job may exist; those stand before all others.
    ///
    /// Names that the watch has shown meanwhile are dropped: behind one of them a slot would wait for a slot.
    private mutating func mustRepeat(_ uid: String) -> Bool {
        while let name = self.records[uid]?.creations.first, self.trackers[uid]?.assumed[name] == nil {
            self.records[uid]?.creations.removeFirst()
        }
        guard let name = self.records[uid]?.creations.first else { return false }
        return self.trackers[uid]?.holdsSlot(name) ?? false
    }

    // MARK: - Outcomes

    mutating func created(_ job: JobReference, _ outcome: ControllerInput.Outcome<Void>, at moment: Moment) {
        self.creationsUnderWay -= 1
        let name = job.key.name
        guard var record = self.records[job.owner] else {
            self.trackers[job.owner]?.release(name)
            return self.forgetTrackerIfEmpty(job.owner)
        }
        switch outcome {
        case .success:
            if self.trackers[job.owner]?.assumed[name]?.wasShownGone == true { self.lookUp(job) }
            self.trackers[job.owner]?.confirmed(name, now: moment.instant)
            record.window.succeeded()
            record.creationBackoff.reset()
            record.counters.created += 1
            record.createdSinceEvent += 1
            record.refusal = nil
        case .failure(let error) where error.code == .alreadyExists:
            record.window.ended()
            self.trackers[job.owner]?.uncertain(name, mayExist: true)
            self.lookUp(job)
        case .failure(let error) where error.isRefusal:
            record.window.refused()
            self.refused(name, error, &record, at: moment)
        case .failure(let error):
            // Unknown or not sent: the slot stays taken, and the same name is asked for again.
            record.window.refused()
            self.trackers[job.owner]?.uncertain(name, mayExist: error.mayHaveHappened)
            let end = moment.instant + self.configuration.longestCreation
            if error.mayHaveHappened { self.trackers[job.owner]?.unanswered(name, until: end) }
            if self.trackers[job.owner]?.assumed[name]?.wasShownGone == true {
                // It was there and has served: a second one of its name is only looked for, never asked for.
                self.lookUp(job)
            } else if self.trackers[job.owner]?.assumed[name] != nil {
                self.queueAgain(name, &record)
            }
            self.hold(&record, error, at: moment)
        }
        if !record.mayCreate { self.withdrawAll(&record) }
        record.rollout.needsLook = true
        if record.isQueueCut, record.creations.isEmpty {
            record.isQueueCut = false
            record.needsDecision = true
            record.mayFillBase = true
        }
        // A Job that finished while its call was under way could not be cleaned before.
        self.keep(name, of: record)
        self.records[job.owner] = record
        self.touched.insert(job.owner)
    }

    private mutating func refused(
        _ name: String,
        _ error: KubernetesError,
        _ record: inout ScaledJobRecord,
        at moment: Moment
    ) {
        if self.trackers[record.uid]?.assumed[name]?.mayExist == true {
            // An earlier attempt may have been stored before this refusal.
            self.trackers[record.uid]?.uncertain(name, mayExist: true)
            self.lookUp(record.reference(name))
        } else {
            self.trackers[record.uid]?.release(name)
        }
        // Without the name of the Job, so that what happens to each of them is told once.
        let message = error.message(without: name)
        record.refusal = message
        record.counters.refused += 1
        self.withdrawAll(&record)
        self.hold(&record, error, at: moment)
        record.needsDecision = true
        // Whether the template itself is at fault, a dry run tells; a quota is looked at last, when all else is well.
        if !error.isQuota { record.trial = .unanswered(retryAt: record.creationsHeldUntil ?? moment.instant) }
        self.note(.warning, .jobCreateFailed, message, &record, at: moment)
    }

    /// Puts creations off; calls that fail while they are put off already are the same failure.
    private mutating func hold(_ record: inout ScaledJobRecord, _ error: KubernetesError, at moment: Moment) {
        var held = record.creationsHeldUntil ?? moment.instant
        if held <= moment.instant {
            let pause = record.creationBackoff.next(using: &self.random)
            held = moment.instant + Swift.min(pause, record.longestPause)
        }
        if case .after(let asked) = error.retry { held = Swift.max(held, moment.instant + asked) }
        record.creationsHeldUntil = held
    }

    /// Queues a name before those that were not sent yet, and one whose Job may exist before those whose Jobs don't: it holds
    /// a slot, which another may wait for.
    private func queueAgain(_ name: String, _ record: inout ScaledJobRecord) {
        let tracker = self.trackers[record.uid]
        let index =
            tracker?.holdsSlot(name) == true
            ? 0 : record.creations.firstIndex { tracker?.holdsSlot($0) != true } ?? record.creations.endIndex
        record.creations.insert(name, at: index)
    }

    /// Takes back every Job that was not sent yet.
    mutating func withdrawAll(_ record: inout ScaledJobRecord) {
        guard !record.creations.isEmpty else { return }
        let withdrawn = Set(self.trackers[record.uid]?.withdraw(record.creations.count) ?? [])
        record.creations.removeAll { withdrawn.contains($0) }
    }

    // MARK: - Looking up

    mutating func lookedUp(_ job: JobReference, _ outcome: ControllerInput.Outcome<JobSummary?>, at moment: Moment) {
        let name = job.key.name
        self.lookUpsUnderWay.remove(job)
        // While a call for the name is under way, only the call's answer tells.
        guard let tracker = self.trackers[job.owner], tracker.assumed[name] != nil, !tracker.isCalling(name) else {
            return
        }
        var change = JobTracker.Change()
        switch outcome {
        case .success(let found?) where found.owner == job.owner:
            change = self.trackers[job.owner]?.upserted(found.observed, now: moment.instant) ?? change
            self.owners[found.observed.uid] = job.owner
            self.keep(found, of: job.owner, before: nil)
        case .success(let found):
            // An attempt that nobody waits for may still store it: it is looked for again when none can.
            if found == nil, tracker.mayArrive(name, now: moment.instant) {
                self.trackers[job.owner]?.uncertain(name, mayExist: true)
                self.touched.insert(job.owner)
                return
            }
            // Gone already, or somebody else's: either way this name is not a Job of ours.
            if found != nil { self.records[job.owner]?.names.saw(name) }
            if found != nil { self.items[job.owner]?.book.occupy(name) }
            self.trackers[job.owner]?.ended(name, now: moment.instant)
            self.trackers[job.owner]?.release(name)
            self.records[job.owner]?.needsDecision = true
        case .failure(let error):
            guard var record = self.records[job.owner] else { return }
            self.trackers[job.owner]?.uncertain(name, mayExist: true)
            if tracker.assumed[name]?.wasShownGone == true {
                let again = moment.instant + self.configuration.longestCreation
                self.trackers[job.owner]?.unanswered(name, until: again)
            } else if !record.creations.contains(name) {
                self.queueAgain(name, &record)
            }
            self.hold(&record, error, at: moment)
            self.records[job.owner] = record
        }
        self.jobsChanged(of: job.owner, change, at: moment)
        self.touched.insert(job.owner)
    }
}
