import Kubernetes
import Pace
import Scaling

/// Has the API server look at a new template before the first event needs it.
extension ControllerMachine {
    /// Asks for a turn when a trial is due.
    mutating func wantTrial(_ record: ScaledJobRecord, at now: ContinuousClock.Instant) {
        // Before its Jobs are listed nothing can follow from a trial, and the list needs the server more.
        guard record.isTrialDue(at: now), self.synced.covers(.jobs, record.key.namespace) else { return }
        if self.lacksJobs(record) {
            self.urgentTrialTurns.add(record.uid)
        } else {
            self.trialTurns.add(record.uid)
        }
    }

    /// Whether more is known to wait than there are Jobs: such a ScaledJob is tried before those that have what they need.
    private func lacksJobs(_ record: ScaledJobRecord) -> Bool {
        let unfinished = self.trackers[record.uid]?.unfinished ?? 0
        if let minimum = record.specification?.bounds.minimum, unfinished < minimum { return true }
        return record.triggers.contains { trigger in
            guard case .known(let backlog, _) = trigger.standing else { return false }
            return backlog.jobs > Double(unfinished)
        }
    }

    /// Hands free places for trials to the ScaledJobs in turn.
    ///
    /// A start with many ScaledJobs would else send all of them at once, with everything else behind them.
    mutating func dispatchTrials(_ moment: Moment) {
        while self.trialsUnderWay < self.configuration.largestTrialsUnderWay,
            let owner = self.urgentTrialTurns.next() ?? self.trialTurns.next()
        {
            guard let record = self.records[owner], record.isTrialDue(at: moment.instant),
                let template = record.template
            else { continue }
            self.records[owner]?.trial = .trying
            self.trialsUnderWay += 1
            self.actions.append(
                .tryTemplate(
                    owner: owner,
                    revision: record.templateRevision,
                    record.reference(record.names.trial).key,
                    template
                )
            )
        }
    }

    mutating func templateTried(
        _ owner: String,
        _ revision: UInt64,
        _ outcome: ControllerInput.Outcome<Void>,
        at moment: Moment
    ) {
        self.trialsUnderWay -= 1
        guard var record = self.records[owner], record.templateRevision == revision, record.trial == .trying else {
            return
        }
        switch outcome {
        case .success:
            self.accepted(revision, &record)
            record.refusal = nil
            record.window.reset(initial: self.configuration.initialCreationWindow)
        case .failure(let error) where error.isQuota:
            // How much of it is left when the first Job is needed, that Job's creation tells.
            self.accepted(revision, &record)
            record.window.reset(initial: 1)
        case .failure(let error) where error.status == 400 && error.message.contains("dry run"):
            // A webhook that cannot take part in a dry run says nothing about the template.
            record.trial = .accepted
            self.templateIsUnproven(error, &record, at: moment)
        case .failure(let error) where error.isRefusal:
            record.trial = .refused(error.message, retryAt: moment.instant + self.pauseOfTrial(&record))
        case .failure:
            record.trial = .unanswered(retryAt: moment.instant + self.pauseOfTrial(&record))
        }
        record.needsDecision = true
        record.mayFillBase = true
        self.records[owner] = record
        self.touched.insert(owner)
    }

    /// The server finds nothing wrong with the template itself.
    private func accepted(_ revision: UInt64, _ record: inout ScaledJobRecord) {
        record.trial = .accepted
        record.rollout.provenRevision = revision
        record.rollout.needsLook = true
        record.trialBackoff.reset()
    }

    private mutating func pauseOfTrial(_ record: inout ScaledJobRecord) -> Duration {
        Swift.min(record.trialBackoff.next(using: &self.random), record.longestPause)
    }
}

extension ScaledJobRecord {
    /// Whether its template has to be tried now.
    fileprivate func isTrialDue(at now: ContinuousClock.Instant) -> Bool {
        guard self.template != nil else { return false }
        switch self.trial {
        case .untried: return true
        case .refused(_, let retryAt), .unanswered(let retryAt): return retryAt <= now
        case .trying, .accepted: return false
        }
    }
}
