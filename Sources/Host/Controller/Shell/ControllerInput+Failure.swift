import Kubernetes

extension ControllerInput {
    /// Why the call failed that this answers; nil where it did not, or where this answers none.
    var failure: KubernetesError? {
        func failure<Value>(_ outcome: Outcome<Value>) -> KubernetesError? {
            if case .failure(let error) = outcome { error } else { nil }
        }
        return switch self {
        case .jobCreated(_, let outcome), .jobDeleted(_, let outcome), .templateTried(_, _, let outcome),
            .finalizerRemoved(_, let outcome), .statusWritten(_, let outcome),
            .authenticationStatusWritten(_, _, let outcome), .budgetStatusWritten(_, let outcome):
            failure(outcome)
        case .jobLookedUp(_, let outcome): failure(outcome)
        case .templateCompared(_, _, _, let outcome): failure(outcome)
        case .scaledJobs, .jobs, .pods, .authentications, .clusterAuthentications, .budgets, .quotas,
            .limitRanges, .namespaces, .secret, .configMap, .credential,
            .plugin, .tick:
            nil
        }
    }
}
