/// Every limit, what is in use of it, and who is next: the slot of a Job is taken here before the call that creates it.
package struct AdmissionLedger: Sendable {
    package init() {}

    package mutating func setLimits(_ limits: AdmissionLimits?, of scope: AdmissionScope) {}
    package mutating func setClaim(_ claim: AdmissionClaim?, of uid: String) {}
    package mutating func setUnknown(_ what: String, _ isUnknown: Bool) {}
    package func standing(of scope: AdmissionScope) -> AdmissionStanding { AdmissionStanding() }
}
