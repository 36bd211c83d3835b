import Kubernetes
import Pace
import Scaling

/// Jobs that KEDA made don't say which template they were made of: each is looked at once, and only when it matters.
extension ControllerMachine {
    /// Hands free places for comparisons to the ScaledJobs in turn, one Job each.
    mutating func dispatchComparisons() {
        while self.comparisonsUnderWay < self.configuration.largestComparisonsUnderWay,
            let owner = self.comparisonTurns.next()
        {
            guard var record = self.records[owner], self.mayRollOut(record), let template = record.template,
                let specification = record.specification,
                let uid = record.rollout.comparisons.first(where: { $0.value == .queued })?.key
            else { continue }
            let job = self.trackers[owner]?.observed.values.first { $0.uid == uid }
            record.rollout.comparisons[uid] = job == nil ? nil : .asking
            if let job {
                self.comparisonsUnderWay += 1
                self.actions.append(
                    .compareTemplate(
                        record.reference(job.name),
                        uid: uid,
                        trial: record.reference(record.names.trial).key,
                        template,
                        TemplateComparison(jobTargetRef: specification.jobTargetRef)
                    )
                )
            }
            self.records[owner] = record
            self.comparisonTurns.add(owner)
        }
    }

    mutating func compared(
        _ job: JobReference,
        uid: String,
        hash: String,
        _ outcome: ControllerInput.Outcome<TemplateComparison.Verdict>,
        at moment: Moment
    ) {
        self.comparisonsUnderWay -= 1
        guard var record = self.records[job.owner] else { return }
        // An answer about a template that is gone by now says nothing.
        guard record.rollout.hash == hash, record.rollout.comparisons[uid] == .asking else {
            self.touched.insert(job.owner)
            return
        }
        switch outcome {
        case .success(let verdict):
            record.rollout.comparisons[uid] = .known(verdict)
            record.rollout.needsLook = true
        case .failure(let error):
            var pause = record.comparisonBackoff.next(using: &self.random)
            if case .after(let asked) = error.retry { pause = Swift.max(pause, asked) }
            record.rollout.comparisons[uid] = .failed(retryAt: moment.instant + pause)
        }
        self.records[job.owner] = record
        self.touched.insert(job.owner)
    }
}
