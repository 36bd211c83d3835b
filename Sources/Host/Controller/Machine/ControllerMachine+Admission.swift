import Kubernetes
import Scaling

/// What decides which of the Jobs that were decided on may be asked for now.
extension ControllerMachine {
    // MARK: - What is limited, and who shares it

    /// Sets the limits of a namespace or a budget, or takes them away.
    ///
    /// Those of the host are in ``ControllerConfiguration/hostLimits``, those of a ScaledJob in its claim.
    mutating func setLimits(_ limits: AdmissionLimits?, of scope: AdmissionScope) {
        self.admission.ledger.setLimits(limits, of: scope)
    }

    /// Sets what is said about a ScaledJob; nil for one about which nothing is said, which then counts with weight 1 in its
    /// namespace and the host.
    ///
    /// It may be set before the ScaledJob has any Job, and at any time afterwards.
    mutating func setClaim(_ claim: AdmissionClaim?, of uid: String) {
        self.admission.ledger.setClaim(claim, of: uid)
    }

    /// Holds all grants while something that limits follow from is not known: `JobBudgets`, `ResourceQuotas`.
    ///
    /// The text completes "waits until … are known".
    mutating func setUnknown(_ what: String, _ isUnknown: Bool) {
        self.admission.ledger.setUnknown(what, isUnknown)
    }

    /// How a scope stands: in use, limits, who waits and for what.
    func standing(of scope: AdmissionScope) -> AdmissionStanding { self.admission.ledger.standing(of: scope) }

    // MARK: - What the ledger is told

    /// Tells the ledger what each ScaledJob has whose Jobs may have changed.
    ///
    /// It follows from the tracker alone: no slot is counted along, so none can be left behind.
    mutating func noteUses(at now: ContinuousClock.Instant) {
        for uid in self.trackers.takeChanged() {
            self.admission.ledger.setUse(
                of: uid,
                namespace: self.records[uid]?.key.namespace ?? self.namespaces[uid],
                self.trackers[uid]?.use ?? AdmissionUse(),
                now: now
            )
        }
        if !self.admission.isComplete, self.synced.covers(.jobs, all: self.configuration.namespaces) {
            self.admission.isComplete = true
            self.admission.ledger.setComplete(true)
        }
        self.admission.ledger.wake(now: now)
    }

    /// Tells the ledger how many Jobs a ScaledJob wants that no server has heard of, and whether it may ask for one now.
    mutating func noteDemand(of uid: String, at now: ContinuousClock.Instant) {
        guard let record = self.records[uid] else { return self.admission.ledger.endDemand(of: uid, now: now) }
        let tracker = self.trackers[uid]
        let repeats = record.creations.prefix { tracker?.holdsSlot($0) ?? false }.count
        let isHeld = record.creationsHeldUntil.map { $0 > now } ?? false
        self.admission.ledger.setDemand(
            of: uid,
            namespace: record.key.namespace,
            jobs: record.mayCreate ? record.creations.count - repeats : 0,
            isReady: !isHeld && record.window.hasRoom,
            now: now
        )
    }

    // MARK: - What people are told

    /// Brings the last decision in line with what its Jobs wait for.
    ///
    /// Numbers alone are no news: they are brought up to date with each decision.
    func noteWait(_ record: inout ScaledJobRecord) {
        guard let decision = record.decision else { return }
        let wait = self.admission.ledger.wait(of: record.uid)
        if let wait, let before = decision.wait, wait.isAlike(before) { return }
        guard wait != decision.wait else { return }
        record.decision = decision.waiting(for: wait)
    }

    /// Tells of those that wait for something else than before.
    mutating func tellWaits(_ moment: Moment) {
        let changed = self.admission.ledger.takeChangedWaits()
        guard !changed.isEmpty else { return }
        for uid in changed {
            guard let record = self.records[uid] else { continue }
            self.touched.insert(uid)
            guard let wait = self.admission.ledger.wait(of: uid), record.decision?.wait?.isAlike(wait) != true else {
                continue
            }
            let facts = [
                "scaledjob": record.key.description, "limit": wait.decisionLimit.rawValue, "reason": wait.sentence,
            ]
            self.actions.append(.log(LogRecord(level: .debug, message: "waits", facts: facts)))
        }
        self.reconcileTouched(moment)
        // What was decided on the way has its turn as well; what it waits for is told with the next input.
        self.dispatchCreations(moment)
    }
}

/// What the machine keeps for admission.
struct AdmissionState: Sendable {
    var ledger = AdmissionLedger()
    /// Whether the Jobs of all namespaces were listed.
    var isComplete = false

    init(hostLimits: AdmissionLimits) {
        self.ledger.setLimits(hostLimits, of: .host)
        self.ledger.setComplete(false)
    }
}
