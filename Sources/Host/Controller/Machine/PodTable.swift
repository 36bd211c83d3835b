package import Kubernetes
package import Scaling

/// The Pods of Jobs, by Job.
struct PodTable {
    private struct Entry {
        /// The UID of the Job; nil where the Pod names no owner.
        let job: String?
        let standing: PodStanding
    }

    private var entries: [ObjectKey: [String: Entry]] = [:]

    /// Takes a complete list of one scope.
    mutating func replace(_ pods: [Pod], in scope: String?) {
        if let scope {
            self.entries = self.entries.filter { $0.key.namespace != scope }
        } else {
            self.entries = [:]
        }
        for pod in pods { self.upsert(pod) }
    }

    mutating func upsert(_ pod: Pod) {
        guard let job = pod.job else { return }
        self.entries[job, default: [:]][pod.metadata.name] = Entry(job: pod.jobUID, standing: PodStanding(pod))
    }

    mutating func remove(_ pod: Pod) {
        guard let job = pod.job, var pods = self.entries[job] else { return }
        pods[pod.metadata.name] = nil
        self.entries[job] = pods.isEmpty ? nil : pods
    }

    /// What the pending rule looks at; Pods of an earlier Job of the same name are left out.
    func standings(of job: ObjectKey, uid: String?) -> [PodStanding] {
        guard let pods = self.entries[job] else { return [] }
        return pods.values.compactMap { entry in
            if let uid, let owner = entry.job, owner != uid { return nil }
            return entry.standing
        }
    }
}

extension PodStanding {
    package init(_ pod: Pod) {
        let phase: Phase =
            switch pod.phase {
            case "Running": .running
            case "Succeeded": .succeeded
            default: .other
            }
        self.init(phase: phase, conditions: pod.conditions)
    }
}
