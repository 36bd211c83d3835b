import Kubernetes
import Pace
import PluginHost
import Scaling

extension ControllerMachine {
    // MARK: - ScaledJobs

    mutating func handle(_ change: Reflection<ScaledJob>, scope: String?, at moment: Moment) {
        switch change {
        case .replaced(let scaledJobs, let startedAt):
            let entry: Entry = self.synced.contains(.scaledJobs, scope) ? .appeared : .listed
            self.synced.insert(.scaledJobs, scope)
            let listed = Set(scaledJobs.map(\.uid))
            for (uid, record) in self.records where !listed.contains(uid) {
                if scope == nil || record.key.namespace == scope { self.disappeared(uid, at: moment) }
            }
            for scaledJob in scaledJobs {
                self.upsert(scaledJob, entry, at: moment)
                self.records[scaledJob.uid]?.status.listed(scaledJob.status, since: startedAt)
                self.touched.insert(scaledJob.uid)
            }
            self.authenticationUses.markAll(at: moment.instant)
        case .upserted(let scaledJob): self.upsert(scaledJob, .appeared, at: moment)
        case .deleted(let scaledJob): self.disappeared(scaledJob.uid, at: moment)
        case .interrupted: break
        }
    }

    private mutating func upsert(_ scaledJob: ScaledJob, _ entry: Entry, at moment: Moment) {
        let uid = scaledJob.uid
        guard !uid.isEmpty else { return }
        if scaledJob.metadata.deletionTimestamp != nil { return self.remove(uid, at: moment) }
        if let former = self.uids.updateValue(uid, forKey: scaledJob.key), former != uid {
            self.remove(former, at: moment)
        }
        self.uids[scaledJob.key] = uid
        let label = WellKnown.labelValue(scaledJob.key.name)
        if label != scaledJob.key.name {
            self.cutNames.set(uid, to: [ObjectKey(namespace: scaledJob.key.namespace, name: label)])
        }

        guard var record = self.records[uid] else {
            var record = self.newRecord(scaledJob, at: moment)
            self.enter(&record, entry, at: moment.instant)
            self.understand(&record, at: moment)
            self.records[uid] = record
            self.keepAll(of: uid)
            self.cleaning.deleting.beginAnew(uid)
            self.touched.insert(uid)
            return
        }
        let before = record.object
        record.object = scaledJob
        let isSame =
            before.spec == scaledJob.spec && before.metadata.labels == scaledJob.metadata.labels
            && before.metadata.annotations == scaledJob.metadata.annotations
            && before.metadata.generation == scaledJob.metadata.generation
        if !isSame {
            self.understand(&record, at: moment)
            self.touched.insert(uid)
        }
        self.records[uid] = record
    }

    private func newRecord(_ scaledJob: ScaledJob, at moment: Moment) -> ScaledJobRecord {
        let status = StatusRecord(scaledJob.status)
        var names = JobNames(
            scaledJob: scaledJob.metadata.name,
            uid: scaledJob.uid,
            lastNumber: status.written.lastJobNumber
        )
        for name in (self.trackers[scaledJob.uid]?.observed ?? [:]).keys { names.saw(name) }
        return ScaledJobRecord(
            object: scaledJob,
            names: names,
            schedule: PollSchedule(interval: .seconds(30), now: moment.instant),
            window: CreationWindow(
                initial: self.configuration.initialCreationWindow,
                largest: self.configuration.largestCreationsUnderWay
            ),
            status: status
        )
    }

    /// Reads the specification anew and drops what no longer follows from it.
    private mutating func understand(_ record: inout ScaledJobRecord, at moment: Moment) {
        let wasPaused = record.isPaused
        record.isPaused = WellKnown.isPaused(record.object.metadata.annotations)
        self.renewRetention(&record, at: moment)
        let formerTriggers = record.specification?.triggers
        switch ScaledJobSpecification.parse(record.object.spec, annotations: record.object.metadata.annotations) {
        case .success(let specification):
            record.specification = specification
            record.problems = []
            record.schedule.change(interval: specification.pollingInterval, now: moment.instant)
            self.renewTemplate(&record, specification)
        case .failure(let invalid):
            record.specification = nil
            record.problems = invalid.problems
            record.template = nil
        }
        self.noteShare(&record)
        self.advise(&record)
        record.needsDecision = true
        self.pauseChanged(&record, wasPaused: wasPaused, at: moment)
        self.reviewRollout(&record)
        self.reviewItems(&record, formerTriggers: formerTriggers)
        if !record.mayCreate { self.withdrawAll(&record) }
        self.resolveTriggers(&record)
        self.noteReferences(of: record, at: moment)
        Self.describeTriggers(&record)
    }

    private func renewTemplate(_ record: inout ScaledJobRecord, _ specification: ScaledJobSpecification) {
        do {
            let template = try JobTemplate(
                for: record.object,
                jobTargetRef: specification.jobTargetRef,
                version: self.configuration.version,
                carriesItems: specification.items != nil
            )
            guard template != record.template else { return }
            record.template = template
            record.templateRevision += 1
            record.trial = .untried
            record.trialBackoff.reset()
            record.refusal = nil
            record.creationsHeldUntil = nil
            record.creationBackoff.reset()
        } catch {
            record.template = nil
            record.problems = [Problem("spec.jobTargetRef", "cannot be written as JSON")]
        }
    }

    /// With a selector, what the watch calls deleted may only have other labels now.
    private mutating func disappeared(_ uid: String, at moment: Moment) {
        self.remove(uid, isKnownDeleted: self.configuration.scaledJobSelector == nil, at: moment)
    }

    private mutating func remove(_ uid: String, isKnownDeleted: Bool = true, at moment: Moment) {
        guard let record = self.records.removeValue(forKey: uid) else { return }
        if isKnownDeleted {
            self.noteDeletion(of: record, at: moment)
        } else {
            self.noteLeaving(of: record)
            self.noteReferences(of: record, isGone: true, at: moment)
            self.totals.jobs += record.counters
        }
        if self.uids[record.key] == uid { self.uids[record.key] = nil }
        for trigger in record.triggers where trigger.specification != nil {
            self.actions.append(.removeTrigger(trigger.id))
        }
        // Its Jobs go by their owner reference; calls under way end by themselves.
        self.trackers[uid]?.releaseAllButCalls()
        self.forgetTrackerIfEmpty(uid)
        self.noteDemand(of: uid, at: moment.instant)
        self.touched.remove(uid)
        self.items[uid] = nil
        self.follow(ParameterResolver.Needs(), for: uid)
        self.cleaning.forget(uid)
        self.cutNames.set(uid, to: [])
    }

    // MARK: - Jobs

    mutating func handle(_ change: JobsChange, scope: String?, at moment: Moment) {
        switch change {
        case .replaced(let jobs, let startedAt):
            self.synced.insert(.jobs, scope)
            self.replace(jobs, listedAt: startedAt, scope: scope, at: moment)
        case .upserted(let job):
            guard let owner = job.owner else { return self.releaseJob(job, at: moment) }
            self.records[owner]?.names.saw(job.key.name)
            self.namespaces[owner] = job.key.namespace
            self.owners[job.observed.uid] = owner
            let before = self.trackers[owner]?.observed[job.key.name]
            let change = self.trackers[owner, default: JobTracker()].upserted(job.observed, now: moment.instant)
            self.keep(job, of: owner, before: before)
            self.jobsChanged(of: owner, change, at: moment)
        case .deleted(let job):
            self.owners[job.observed.uid] = nil
            guard let owner = job.owner else { return }
            self.forgetDeletion(of: job.key.name, owner: owner)
            self.dropKept(job.key.name, of: owner)
            let change = self.trackers[owner, default: JobTracker()].deleted(job.key.name, now: moment.instant)
            self.jobsChanged(of: owner, change, at: moment)
        case .interrupted: break
        }
    }

    private mutating func replace(
        _ jobs: [JobSummary],
        listedAt: ContinuousClock.Instant,
        scope: String?,
        at moment: Moment
    ) {
        self.owners = scope == nil ? [:] : self.owners.filter { self.namespaces[$0.value] != scope }
        var byOwner: [String: [JobSummary]] = [:]
        for job in jobs {
            guard let owner = job.owner else { continue }
            byOwner[owner, default: []].append(job)
            self.owners[job.observed.uid] = owner
            self.namespaces[owner] = job.key.namespace
        }
        // Trackers without a record belong to ScaledJobs that are gone or not listed yet; a relist covers them as well.
        for owner in Set(self.trackers.keys).union(byOwner.keys).union(self.records.keys) {
            let namespace = self.records[owner]?.key.namespace ?? self.namespaces[owner]
            if let scope, namespace != scope { continue }
            let listed = byOwner[owner] ?? []
            for job in listed { self.records[owner]?.names.saw(job.key.name) }
            let names = Set(listed.map(\.key.name))
            for name in (self.records[owner]?.deletions ?? [:]).keys where !names.contains(name) {
                self.forgetDeletion(of: name, owner: owner)
            }
            for job in listed
            where self.trackers[owner]?.observed[job.key.name]?.uid ?? job.observed.uid != job.observed.uid {
                self.forgetDeletion(of: job.key.name, owner: owner)
            }
            // One that was deleted and is there may have come back: with a cluster that was restored, or by a late call.
            for job in listed where !job.observed.isDeleting && self.records[owner]?.deletions[job.key.name] == .done {
                self.records[owner]?.deletions[job.key.name] = nil
                self.records[owner]?.rollout.doomed.remove(job.key.name)
                self.records[owner]?.rollout.needsLook = true
            }
            let change = self.trackers[owner, default: JobTracker()].replaced(
                with: listed.map(\.observed),
                listedAt: listedAt,
                now: moment.instant
            )
            self.keepAll(of: owner)
            self.cleaning.deleting.reset(owner, to: listed)
            self.jobsChanged(of: owner, change, at: moment)
        }
    }

    /// A Job without an owner may have had one: it is nobody's from now on.
    mutating func releaseJob(_ job: JobSummary, at moment: Moment) {
        guard let owner = self.owners.removeValue(forKey: job.observed.uid),
            self.trackers[owner]?.observed[job.key.name]?.uid == job.observed.uid
        else { return }
        self.records[owner]?.deletions[job.key.name] = nil
        self.records[owner]?.rollout.doomed.remove(job.key.name)
        self.dropKept(job.key.name, of: owner)
        let change = self.trackers[owner]?.deleted(job.key.name, now: moment.instant) ?? JobTracker.Change()
        self.jobsChanged(of: owner, change, at: moment)
    }

    /// Forgets the Jobs of a ScaledJob that is gone, once the last of them is.
    mutating func forgetTrackerIfEmpty(_ owner: String) {
        guard self.records[owner] == nil, self.trackers[owner]?.isEmpty ?? true else { return }
        self.trackers[owner] = nil
        self.namespaces[owner] = nil
        // Not before: Jobs that still run count where they counted.
        self.forgetShare(owner)
    }

    /// A Job that this host deleted is gone.
    mutating func forgetDeletion(of job: String, owner: String) {
        guard self.records[owner]?.deletions.removeValue(forKey: job) != nil else { return }
        self.records[owner]?.deletionHold.forget(job)
        if self.records[owner]?.rollout.doomed.remove(job) != nil {
            self.records[owner]?.rollout.deleted += 1
        } else {
            self.records[owner]?.counters.cleaned += 1
        }
    }

    mutating func jobsChanged(of owner: String, _ change: JobTracker.Change, at moment: Moment) {
        self.items[owner]?.kept = nil
        guard var record = self.records[owner] else {
            return self.forgetTrackerIfEmpty(owner)
        }
        record.counters.succeeded += change.succeeded
        record.counters.failed += change.failed
        if change.succeeded > 0 {
            record.failureStreak = 0
            record.pushesHeldUntil = nil
        } else if change.failed > 0 {
            record.failureStreak += change.failed
            if record.failureStreak > 1 {
                let pause = Duration.seconds(1) * (1 << Swift.min(record.failureStreak - 2, 6))
                let longest = record.specification?.pollingInterval ?? .seconds(30)
                record.pushesHeldUntil = moment.instant + Swift.min(pause, longest)
            }
        }
        if change.freedSlots > 0 { record.needsDecision = true }
        record.rollout.needsLook = true
        self.records[owner] = record
        self.touched.insert(owner)
    }
}
