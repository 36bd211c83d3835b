/// When a Job is pending: `pendingPodConditions`.
package struct PendingRule: Sendable, Equatable {
    /// Without any, a Job is pending until a Pod of it runs or has succeeded.
    ///
    /// A set: a condition that is listed twice is one.
    package let conditions: Set<String>

    package init(_ conditions: [String] = []) {
        self.conditions = Set(conditions)
    }

    /// Whether one of a Job's Pods is enough for the Job not to be pending; one that satisfies a part is not.
    package func isPending(_ pods: some Sequence<PodStanding>) -> Bool {
        for pod in pods where self.isSatisfied(by: pod) { return false }
        return true
    }

    private func isSatisfied(by pod: PodStanding) -> Bool {
        guard !self.conditions.isEmpty else { return pod.phase == .running || pod.phase == .succeeded }
        return self.conditions.isSubset(of: pod.conditions)
    }
}

/// What the pending rule looks at in a Pod.
package struct PodStanding: Sendable, Equatable {
    package enum Phase: Sendable, Equatable {
        case running
        case succeeded
        /// Pending, failed, unknown: work has not started, or will start anew.
        case other
    }

    package let phase: Phase
    /// The types of the conditions that are true.
    package let conditions: Set<String>

    package init(phase: Phase, conditions: Set<String> = []) {
        self.phase = phase
        self.conditions = conditions
    }
}
