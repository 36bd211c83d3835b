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
}

/// What the machine keeps for admission.
struct AdmissionState: Sendable {
    var ledger = AdmissionLedger()
}
