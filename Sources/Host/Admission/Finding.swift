package import Controller

/// Something that a check found in an object, and how much it weighs.
package struct Finding: Sendable, Equatable {
    package enum Weight: Sendable, Equatable {
        /// The object can never work: refused, by KEDA as well or by what its documentation says.
        case refusal
        /// A trigger cannot work as written. KEDA accepts that and says so when it runs; so does admission, unless it is strict.
        case mistake
        /// It cannot be told now whether it works.
        case unchecked
        /// It works, but perhaps otherwise than was meant.
        case advice
    }

    package let weight: Weight
    package let problem: Problem

    package init(_ weight: Weight, _ field: String, _ message: String) {
        self.weight = weight
        self.problem = Problem(field, message)
    }

    package init(_ weight: Weight, _ problem: Problem) {
        self.weight = weight
        self.problem = problem
    }
}

/// The kinds that are checked.
package enum CheckedKind: String, Sendable, CaseIterable {
    case scaledJob = "ScaledJob"
    case triggerAuthentication = "TriggerAuthentication"
    case clusterTriggerAuthentication = "ClusterTriggerAuthentication"
    case scaledObject = "ScaledObject"
    case jobBudget = "JobBudget"

    /// Where the API server asks about this kind.
    package var path: String {
        let group = self == .jobBudget ? "sluice-dev" : "keda-sh"
        return "/validate-\(group)-v1alpha1-\(self.rawValue.lowercased())"
    }
}
