package import Kubernetes
import Scaling

extension JobSummary {
    package init(_ job: Job) {
        var phase = JobTracker.Observed.Phase.unfinished
        // The first condition that is true decides.
        for condition in job.status.conditions ?? [] where condition.status == "True" {
            // 0 where nobody says when: it is the oldest then, and has no age.
            let at = (condition.lastTransitionTime ?? job.status.completionTime)?.secondsSinceEpoch ?? 0
            if condition.type == "Complete" {
                phase = .succeeded(at: at)
                break
            }
            if condition.type == "Failed" {
                phase = .failed(at: at)
                break
            }
        }
        self.init(
            key: job.key,
            owner: job.metadata.ownerReferences?.first(where: \.isScaledJobInControl)?.uid,
            observed: JobTracker.Observed(
                name: job.metadata.name,
                uid: job.metadata.uid ?? "",
                phase: phase,
                isDeleting: job.metadata.deletionTimestamp != nil,
                template: TemplateMark(
                    hash: job.metadata.annotations?[WellKnown.templateHashAnnotation],
                    generation: job.metadata.annotations?[WellKnown.generationAnnotation].flatMap { Int64($0) }
                ),
                timeToLive: job.spec.ttlSecondsAfterFinished
                    ?? job.metadata.annotations?[WellKnown.timeToLiveAnnotation].flatMap { Int32($0) }.flatMap {
                        $0 < 0 ? nil : $0
                    },
                item: job.metadata.annotations?[WellKnown.itemKeyAnnotation].map { key in
                    ItemMark(
                        key: key,
                        attempt: job.metadata.annotations?[WellKnown.itemAttemptAnnotation].flatMap { Int($0) }
                    )
                }
            ),
            deletion: job.metadata.deletionTimestamp.flatMap { KubernetesTime($0) }.map {
                Deletion(since: $0.secondsSinceEpoch, finalizers: job.metadata.finalizers ?? [])
            },
            // What has finished costs nothing, and there may be many.
            needs: phase == .unfinished ? JobNeeds(job) : JobNeeds()
        )
    }
}

extension OwnerReference {
    /// Jobs of CronJobs and of others are watched as well: a label could be taken off a Job that still runs.
    fileprivate var isScaledJobInControl: Bool {
        self.controller == true && self.kind == ScaledJob.resource.kind
            && self.apiVersion.hasPrefix("\(ScaledJob.resource.group)/")
    }
}

extension JobsChange {
    init(_ change: Reflection<Job>) {
        switch change {
        case .replaced(let jobs, let startedAt): self = .replaced(jobs.map(JobSummary.init), startedAt: startedAt)
        case .upserted(let job): self = .upserted(JobSummary(job))
        case .deleted(let job): self = .deleted(JobSummary(job))
        case .interrupted(let error): self = .interrupted(error)
        }
    }
}
