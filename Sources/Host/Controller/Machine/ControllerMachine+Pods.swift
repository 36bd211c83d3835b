import Kubernetes
import PluginProtocol
import Scaling

extension ControllerMachine {
    // MARK: - What the watch shows

    mutating func handle(_ change: Reflection<Pod>, scope: String?, at moment: Moment) {
        switch change {
        case .replaced(let pods, _):
            self.pods.replace(pods, in: scope)
            self.synced.insert(.pods, scope)
            self.podFailures[scope] = nil
            self.redecide(in: scope)
        case .upserted(let pod):
            self.pods.upsert(pod)
            self.podChanged(pod)
        case .deleted(let pod):
            self.pods.remove(pod)
            self.podChanged(pod)
        case .interrupted(let error):
            // Pods that were listed before only make Jobs seem pending for longer. Without the right that is for ever.
            let isListed = scope.map { self.synced.covers(.pods, $0) } ?? self.synced.covers(.pods, "")
            let passes = isListed && error.code != .forbidden && error.code != .unauthorized
            guard !passes, self.podFailures.updateValue(error.message, forKey: scope) != error.message else { return }
            self.redecide(in: scope)
        }
    }

    private mutating func redecide(in scope: String?) {
        for (uid, record) in self.records where record.needsPods {
            guard scope == nil || record.key.namespace == scope else { continue }
            self.records[uid]?.needsDecision = true
            self.touched.insert(uid)
        }
    }

    /// Why the Pods that a ScaledJob's strategy needs cannot be listed; nil where they can or are not needed.
    func podsProblem(of record: ScaledJobRecord) -> Problem? {
        guard record.needsPods, let failure = self.podsFailure(record) else { return nil }
        return .unknownPods(failure)
    }

    private func podsFailure(_ record: ScaledJobRecord) -> String? {
        self.podFailures[self.configuration.namespaces == nil ? nil : record.key.namespace]
    }

    /// A Pod that starts or goes makes its Job pending or not, which changes the decision.
    private mutating func podChanged(_ pod: Pod) {
        guard let job = pod.job, let label = pod.metadata.labels?[WellKnown.nameLabel],
            let uid = self.owner(label, namespace: job.namespace), let record = self.records[uid], record.needsPods,
            let tracker = self.trackers[uid], tracker.contains(job.name)
        else { return }
        guard tracker.isStarted(job.name) == self.isPending(job.name, record, tracker.observed[job.name]?.uid) else {
            return
        }
        self.records[uid]?.needsDecision = true
        self.touched.insert(uid)
    }

    /// The ScaledJob of a label's value, which is cut where the name is too long for one.
    private func owner(_ label: String, namespace: String) -> String? {
        let key = ObjectKey(namespace: namespace, name: label)
        return self.uids[key] ?? self.cutNames.users(of: key).first
    }

    private func isPending(_ job: String, _ record: ScaledJobRecord, _ uid: String?) -> Bool {
        let rule = record.specification?.pendingRule ?? PendingRule()
        let key = ObjectKey(namespace: record.key.namespace, name: job)
        return rule.isPending(self.pods.standings(of: key, uid: uid))
    }

    // MARK: - What a decision needs

    /// The Jobs as the strategy needs them; asks for the Pods when it is the first to need them.
    mutating func jobs(
        _ record: inout ScaledJobRecord,
        _ strategy: ScalingStrategy,
        since askedAt: ContinuousClock.Instant?,
        at now: ContinuousClock.Instant
    ) -> ScalingPolicy.Jobs {
        record.needsPods = strategy.needsPending
        var pending: Int?
        if strategy.needsPending {
            self.watchPods(for: record.key.namespace)
            if self.synced.covers(.pods, record.key.namespace) {
                // Taken out, so that nothing but what changes is copied.
                var tracker = self.trackers.removeValue(forKey: record.uid) ?? JobTracker()
                let (known, shown) = (record, tracker.observed)
                pending = tracker.review(now: now) { self.isPending($0, known, shown[$0]?.uid) }
                self.trackers[record.uid] = tracker
            }
        }
        let why = pending == nil ? self.podsFailure(record) : nil
        let tracker = self.trackers[record.uid] ?? JobTracker()
        guard let askedAt else {
            return ScalingPolicy.Jobs(unfinished: tracker.unfinished, pending: pending, whyPendingIsUnknown: why)
        }
        let grace = self.claimGrace(record)
        return ScalingPolicy.Jobs(
            unfinished: tracker.unfinished,
            pending: pending,
            servedSinceReading: tracker.served(since: askedAt),
            createdSinceReading: strategy == .default ? 0 : tracker.begun(since: askedAt),
            pendingSinceReading: strategy == .accurate ? tracker.pending(since: askedAt, grace: grace) : nil,
            whyPendingIsUnknown: why
        )
    }

    /// How long a Job may take from the start of its Pod until it has claimed its item.
    ///
    /// Where the manifest says by which conditions a Pod is ready, none.
    private func claimGrace(_ record: ScaledJobRecord) -> Duration {
        record.specification?.pendingRule.conditions.isEmpty == false ? .zero : self.configuration.claimGrace
    }

    private mutating func watchPods(for namespace: String) {
        let scope = self.configuration.namespaces == nil ? nil : namespace
        guard self.podScopes.insert(scope).inserted else { return }
        self.actions.append(.watchPods(scope: scope))
    }

    // MARK: - Reading anew when Jobs have claimed

    /// Plans a reading for when the Jobs that have started will have claimed their items.
    ///
    /// Until then a reading cannot tell an item that nobody works on from one that is about to be claimed. With that
    /// reading, work is found at once that would else wait for the next poll.
    func planReading(_ record: inout ScaledJobRecord, _ decision: ScalingDecision, at now: ContinuousClock.Instant) {
        guard decision.strategy == .accurate, decision.isActive == true else {
            record.readsAgainAt = nil
            return
        }
        guard record.readsAgainAt == nil else { return }
        let settled = self.trackers[record.uid]?.settled(grace: self.claimGrace(record), now: now)
        record.readsAgainAt = settled.map { $0 + .milliseconds(1) }
    }

    /// Asks for that reading when it is due.
    func readAgain(_ record: inout ScaledJobRecord, at now: ContinuousClock.Instant) {
        guard let due = record.readsAgainAt, due <= now else { return }
        record.readsAgainAt = nil
        for index in record.triggers.indices { record.triggers[index].isDirty = true }
    }
}

extension Problem {
    /// The strategy needs Pods that cannot be listed.
    static func unknownPods(_ why: String) -> Problem {
        let mend = "allow the host to list and watch pods, or name another strategy"
        return Problem("spec.scalingStrategy", "needs to know which Jobs are pending (\(why)); \(mend)")
    }
}

extension TriggerBacklog.Counts {
    /// What a plugin says that it counts; nil where it cannot know.
    init?(_ counts: OpenedTrigger.Counts) {
        switch counts {
        case .unspecified: return nil
        case .untilFinished: self = .untilFinished
        case .untilClaimed: self = .untilClaimed
        }
    }
}
