import Kubernetes
import Scaling

extension ControllerMachine {
    /// Does whatever is due for one ScaledJob, from what is known now.
    mutating func reconcile(_ uid: String, at moment: Moment) {
        guard var record = self.records[uid] else { return }
        let now = moment.instant
        self.work.reconciled += 1
        self.endHandOver(&record, at: now)
        self.reviewArrivals(&record, at: now)
        self.wantTrial(record, at: now)
        self.rollOut(&record, at: moment)
        self.poll(&record, at: now)
        self.readAgain(&record, at: now)
        self.measureChanged(&record, at: now)
        self.decide(&record, at: moment)
        self.releaseKeptForItems(record)
        self.retryDeletions(&record, at: moment)
        self.describe(&record, at: moment)
        self.noteBudgetUse(uid)
        self.records[uid] = record
        self.noteDemand(of: uid, at: now)
        if !record.creations.isEmpty { self.creationTurns.add(uid) }
        if self.hasDeletions(record, at: now) { self.deletionTurns.add(uid) }
        if record.rollout.comparisons.values.contains(.queued) { self.comparisonTurns.add(uid) }
        if let due = record.status.dueAt(now), due <= now { self.statusTurns.add(uid) }
        self.schedule(uid, at: self.nextWake(of: record, now: now))
        self.schedulePoll(uid, at: self.mayPoll(record) ? Swift.max(record.schedule.next, now) : nil)
    }

    private func nextWake(of record: ScaledJobRecord, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        var wakes: [ContinuousClock.Instant] = []
        if let until = record.leftAloneUntil { wakes.append(until) }
        if let due = record.readsAgainAt, self.mayPoll(record) { wakes.append(due) }
        if let held = record.creationsHeldUntil, held > now, !record.creations.isEmpty { wakes.append(held) }
        if let held = record.pushesHeldUntil, held > now, record.triggers.contains(where: \.isDirty) {
            wakes.append(held)
        }
        switch record.trial {
        // Without a template there is nothing to try, and what is due has its turn already.
        case .refused(_, let retryAt), .unanswered(let retryAt):
            if record.template != nil, retryAt > now { wakes.append(retryAt) }
        case .untried, .trying, .accepted: break
        }
        if let due = record.deletionRetryAt { wakes.append(due) }
        if let held = record.deletionHold.until, held > now { wakes.append(held) }
        if let due = self.trackers[record.uid]?.nextArrival { wakes.append(due) }
        for case .failed(let retryAt) in record.rollout.comparisons.values { wakes.append(retryAt) }
        if let due = self.createdEventDue(record, now), due > now { wakes.append(due) }
        if let due = record.status.dueAt(now), due > now { wakes.append(due) }
        return wakes.min().map { Swift.max($0, now) }
    }

    // MARK: - Polling

    /// Whether its triggers may be read.
    ///
    /// Not before its Jobs are listed: an item that is counted while in work, and whose Job has finished by the time of
    /// the list, would look like one without a Job.
    func mayPoll(_ record: ScaledJobRecord) -> Bool {
        record.specification != nil && !record.isPaused && record.leftAloneUntil == nil
            && self.synced.covers(.jobs, record.key.namespace)
    }

    private mutating func poll(_ record: inout ScaledJobRecord, at now: ContinuousClock.Instant) {
        guard self.mayPoll(record), record.schedule.next <= now + self.configuration.pollSlack else { return }
        self.countPoll(&record, at: now)
        record.schedule.polled(at: now, using: &self.random)
        record.mayFillBase = true
        self.admission.ledger.startBatch(of: record.uid)
        for index in record.triggers.indices where record.triggers[index].opened != nil {
            self.measure(&record.triggers[index], at: now)
        }
        self.forgetFreedSlots(of: record, at: now)
        // Without a trigger to wait for, the poll itself is the occasion: base Jobs don't depend on readings.
        if !record.triggers.contains(where: \.isMeasuring) { record.needsDecision = true }
        self.lookUpOverdue(record, at: now)
    }

    /// Measures the triggers that reported a change, unless nothing could follow from it now.
    private mutating func measureChanged(_ record: inout ScaledJobRecord, at now: ContinuousClock.Instant) {
        guard self.mayPoll(record), let specification = record.specification else { return }
        if let held = record.pushesHeldUntil {
            guard held <= now else { return }
            record.pushesHeldUntil = nil
        }
        let unfinished = self.trackers[record.uid]?.unfinished ?? 0
        for index in record.triggers.indices where record.triggers[index].isDirty {
            let trigger = record.triggers[index]
            guard trigger.opened != nil, !trigger.isMeasuring else { continue }
            // A full ScaledJob measures when a slot comes free; its first reading it takes at once.
            let hasReading = if case .known = trigger.standing { true } else { false }
            guard unfinished < specification.bounds.mostUnfinished || !hasReading else { continue }
            self.measure(&record.triggers[index], at: now)
        }
    }

    private mutating func measure(_ trigger: inout TriggerRecord, at now: ContinuousClock.Instant) {
        guard !trigger.isMeasuring else { return }
        trigger.measuringSince = now
        trigger.isDirty = false
        self.measures.append(trigger.id)
    }

    /// Asks for Jobs that were created long ago and never shown.
    private mutating func lookUpOverdue(_ record: ScaledJobRecord, at now: ContinuousClock.Instant) {
        for name in self.trackers[record.uid]?.overdue(before: now - .seconds(60)) ?? [] {
            self.lookUp(record.reference(name))
        }
    }

    // MARK: - Deciding

    private func mayDecide(_ record: ScaledJobRecord) -> Bool {
        record.specification != nil && !record.isPaused && record.leftAloneUntil == nil
            && self.synced.covers(.jobs, record.key.namespace)
            && record.trial == .accepted
            && self.limitsAreKnown(for: record)
    }

    private mutating func decide(_ record: inout ScaledJobRecord, at moment: Moment) {
        guard record.needsDecision, self.mayDecide(record), let specification = record.specification else { return }
        let needsAll = specification.combination == .min || specification.combination == .avg
        if needsAll, record.triggers.contains(where: \.isMeasuring) { return }
        record.needsDecision = false
        let standings = record.triggers.map(\.standing)
        let strategy = specification.strategy.strategy(for: standings)
        let policy = ScalingPolicy(
            bounds: specification.bounds,
            strategy: strategy,
            warning: specification.strategy.warning
        )
        let backlog = specification.combination.combine(
            standings,
            demandCeiling: specification.bounds.demandCeiling,
            countsInFlight: strategy == .inFlight
        )
        var askedAt: ContinuousClock.Instant?
        if case .known(let amount) = backlog { askedAt = amount.askedAt }
        // Below the minimum, demand is looked at in a second step, with the base Jobs in place.
        for _ in 0..<2 {
            let decision = policy.decide(backlog, self.jobs(&record, strategy, since: askedAt, at: moment.instant))
            let fillsBase = decision.fillsBase
            if fillsBase && !record.mayFillBase { return }
            self.apply(decision, to: &record, at: moment)
            guard fillsBase else { break }
            record.mayFillBase = false
        }
    }

    private mutating func apply(_ asked: ScalingDecision, to record: inout ScaledJobRecord, at moment: Moment) {
        let chosen = self.chooseItems(asked, &record, at: moment)
        let decision = (chosen?.decision ?? asked).waiting(for: self.admission.ledger.wait(of: record.uid))
        var orders = chosen?.orders[...]
        if decision.isActive == true { record.status.becameActive(at: moment.unixSeconds) }
        self.noteActivity(decision, &record, at: moment)
        self.totals.decisions[decision.limit, default: 0] += 1
        if decision.create > 0 || decision.limit != record.decision?.limit {
            self.actions.append(
                .log(
                    LogRecord(
                        // The start of a batch is news; that freed slots are filled again is not.
                        level: decision.create > 0 && record.decision?.create ?? 0 == 0 ? .info : .debug,
                        message: "decided",
                        facts: [
                            "scaledjob": record.key.description, "create": "\(decision.create)",
                            "limit": decision.limit.rawValue, "reason": decision.reason,
                        ]
                    )
                )
            )
        }
        record.decision = decision
        // Nothing waits that could be refused.
        if decision.isActive == false, decision.create == 0 { record.refusal = nil }
        self.planReading(&record, decision, at: moment.instant)
        // In place: a tracker that is taken out and changed would take a copy of all its Jobs along.
        let withdrawn = Set(self.trackers[record.uid, default: JobTracker()].withdraw(decision.withdraw))
        if !withdrawn.isEmpty { record.creations.removeAll { withdrawn.contains($0) } }
        var missing = Swift.min(
            decision.create,
            Swift.max(0, self.configuration.longestCreationQueue - record.creations.count)
        )
        record.isQueueCut = missing < decision.create
        while missing > 0 {
            guard let name = orders == nil ? record.names.next() : orders?.popFirst()?.name else { break }
            guard self.trackers[record.uid, default: JobTracker()].assume(name, now: moment.instant) else { continue }
            record.creations.append(name)
            missing -= 1
        }
        record.status.wanted.lastJobNumber = record.names.lastNumber
    }
}
