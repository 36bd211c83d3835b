import Controller
import Kubernetes
import PluginProtocol

/// Pods: a Job takes its document when its Pod starts, and the host hears of that some time later.
extension ModelCluster {
    /// Documents that Jobs work on.
    var claimed: Set<Int> { Set(self.jobs.values.compactMap { $0.isFinished ? nil : $0.document }) }

    /// What the source counts.
    var waiting: Int {
        self.countsUntilClaimed ? self.documents.subtracting(self.claimed).count : self.documents.count
    }

    /// What the source says now.
    var reading: Reading {
        Reading(waiting: Double(self.waiting), inFlight: self.saysInFlight ? Double(self.claimed.count) : nil)
    }

    var pods: [Pod] { self.jobs.filter(\.value.isStarted).map { Self.pod($0.key, $0.value) } }

    mutating func startJob(_ name: String) {
        guard var job = self.jobs[name], !job.isFinished, !job.isStarted else { return }
        job.isStarted = true
        job.claimsAt = self.now + self.claimDelay
        self.jobs[name] = job
        self.unseenPods?.append(.upserted(Self.pod(name, job)))
        self.claimDue()
    }

    /// Jobs whose time has come take their documents.
    mutating func claimDue() {
        for (name, job) in self.jobs.sorted(by: { $0.key < $1.key }) {
            if let due = job.claimsAt, due <= self.now { self.claim(name) }
        }
    }

    mutating func claim(_ name: String) {
        guard var job = self.jobs[name], job.claimsAt != nil, !job.isFinished else { return }
        job.claimsAt = nil
        job.document = self.documents.subtracting(self.claimed).min()
        if job.document == nil { self.surplusJobs += 1 }
        self.jobs[name] = job
    }

    mutating func showNextPod() {
        guard let next = self.unseenPods?.first else { return }
        self.unseenPods?.removeFirst()
        self.take(.pods(next, scope: nil))
    }

    static func pod(_ job: String, _ state: ModelJob) -> Pod {
        Pod(
            metadata: ObjectMetadata(
                name: "\(job)-pod",
                namespace: Self.key.namespace,
                labels: ["job-name": job, WellKnown.nameLabel: Self.key.name],
                ownerReferences: [
                    OwnerReference(
                        apiVersion: "batch/v1",
                        kind: "Job",
                        name: job,
                        uid: "uid-\(job)",
                        controller: true
                    )
                ]
            ),
            phase: state.isFinished ? "Succeeded" : "Running"
        )
    }
}
