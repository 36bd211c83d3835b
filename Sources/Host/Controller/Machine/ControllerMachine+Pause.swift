import DequeModule
import Kubernetes
import Scaling

/// The annotation `autoscaling.keda.sh/paused`.
extension ControllerMachine {
    /// Stops everything that leads to a Job, or starts it anew.
    ///
    /// The triggers are closed while it lasts, so that a source can be taken down, and so that no reading from before can
    /// be taken for one from afterwards.
    mutating func pauseChanged(_ record: inout ScaledJobRecord, wasPaused: Bool, at moment: Moment) {
        guard record.isPaused != wasPaused else { return }
        if record.isPaused {
            record.decision = ScalingPolicy(bounds: record.specification?.bounds ?? ReplicaBounds()).paused()
        } else if let specification = record.specification {
            record.schedule = PollSchedule(interval: specification.pollingInterval, now: moment.instant)
            record.pushesHeldUntil = nil
        }
    }

    /// Closes the triggers; what was read of them is forgotten.
    mutating func closeTriggers(_ record: inout ScaledJobRecord) {
        for index in record.triggers.indices {
            record.triggers[index].state = .waiting("paused")
            record.triggers[index].readingFailure = nil
            record.triggers[index].becomeUnknown("paused")
            guard record.triggers[index].specification != nil else { continue }
            record.triggers[index].specification = nil
            self.actions.append(.removeTrigger(record.triggers[index].id))
        }
    }

    /// Looks for the Jobs whose creation has an unknown outcome, where it may not be repeated.
    mutating func lookUpInsteadOfCreating(_ uid: String, at now: ContinuousClock.Instant) {
        guard let record = self.records[uid] else { return }
        if let held = record.creationsHeldUntil, held > now { return }
        self.records[uid]?.creationsHeldUntil = nil
        self.records[uid]?.creations = []
        for name in record.creations { self.lookUps.add(record.reference(name)) }
    }
}

extension ScaledJobRecord {
    /// Whether a Job may be asked for.
    var mayCreate: Bool { self.template != nil && !self.isPaused }
}
