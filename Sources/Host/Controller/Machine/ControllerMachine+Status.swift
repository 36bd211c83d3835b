import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

extension ControllerMachine {
    /// Brings the wanted status in line with what is known.
    mutating func describe(_ record: inout ScaledJobRecord, at moment: Moment) {
        self.noteWait(&record)
        // This happens several times for each poll: text is made only of what is new.
        if let decision = record.decision, record.toldDecision.map(decision.readsLike) != true {
            record.status.wanted.lastDecision = decision.reason + self.quotaNote(decision.wait)
            record.toldDecision = decision
        }
        Self.describeMetrics(&record)
        self.noteWatching(&record, at: moment)
        self.noteCreations(&record, at: moment)
        self.describePause(&record, at: moment)
        guard let ready = self.readiness(of: record) else { return }
        // A source that fails says nothing about what waits there: Active stays as it was, if it was anything.
        if ready.isTriggerError, record.decision?.isActive == nil {
            let isActive = self.isActive(record)
            let before = record.status.condition(.active)
            // What became unknown was known before, and nothing has been read since.
            if isActive || (before.status == .unknown && before.reason.isEmpty) {
                self.set(active: isActive, &record, at: moment)
            }
        }
        let before = record.status.condition(.ready)
        guard ready != before else { return }
        _ = record.status.set(ready)
        if ready.status == .yes {
            if before.status != .yes { self.note(.normal, .scaledJobReady, ready.message, &record, at: moment) }
        } else if ready.reason == "ScaledJobCheckFailed" {
            _ = record.status.set(Condition(.active, .unknown, "UnknownState"))
            self.note(.warning, .scaledJobCheckFailed, ready.message, &record, at: moment)
            let unresolved = Self.faults(of: record).unresolved
            if !unresolved.isEmpty { self.note(.warning, .scalerFailed, Self.list(unresolved), &record, at: moment) }
        } else if ready.isTriggerError {
            self.note(.warning, .scalerFailed, ready.message, &record, at: moment)
        }
    }

    /// What the status says of the specification alone.
    static func describeTriggers(_ record: inout ScaledJobRecord) {
        let triggers = record.specification?.triggers ?? []
        record.status.wanted.triggersTypes = Self.distinct(triggers.map(\.type))
        record.status.wanted.authenticationsTypes = Self.distinct(triggers.compactMap(\.authentication?.name))
    }

    // MARK: - Ready and Active

    /// What keeps the triggers of a ScaledJob from being read.
    private struct Faults {
        /// What the manifest, or what it refers to, must be mended for.
        var unresolved: [Problem] = []
        var failed: [TriggerFault] = []
        var isUnderWay = false
    }

    private static func faults(of record: ScaledJobRecord) -> Faults {
        var faults = Faults()
        let names = record.specification?.triggers.map(\.name) ?? []
        for (index, trigger) in record.triggers.enumerated() {
            let name = names.indices.contains(index) ? names[index] : nil
            switch trigger.state {
            case .unresolved(let problems): faults.unresolved += problems
            case .waiting, .opening: faults.isUnderWay = true
            case .failed(let failure):
                let fault = TriggerFault(
                    index: index,
                    name: name,
                    parameter: failure.parameter,
                    message: failure.message
                )
                if failure.code == .invalidParameter {
                    faults.unresolved.append(Problem(fault.field, failure.message))
                } else {
                    faults.failed.append(fault)
                }
            case .opened:
                guard let failure = trigger.readingFailure else { continue }
                faults.failed.append(TriggerFault(index: index, name: name, message: failure))
            }
        }
        return faults
    }

    /// The Ready condition; nil while something is still under way, so that a restart doesn't make it flicker.
    private func readiness(of record: ScaledJobRecord) -> Condition? {
        func failed(_ message: String) -> Condition { Condition(.ready, .no, "ScaledJobCheckFailed", message) }
        guard record.problems.isEmpty else { return failed(Self.list(record.problems)) }
        var faults = Self.faults(of: record)
        if let problem = self.podsProblem(of: record) { faults.unresolved.append(problem) }
        if let problem = self.limitsProblem { faults.unresolved.append(problem) }
        guard faults.unresolved.isEmpty else { return failed(Self.list(faults.unresolved)) }
        switch record.trial {
        case .refused(let message, _): return failed("spec.jobTargetRef: the API server refuses the Job: \(message)")
        case .untried, .trying, .unanswered: if record.refusal == nil { faults.isUnderWay = true }
        case .accepted: break
        }
        if let refusal = record.refusal {
            return Condition(.ready, .no, "KEDAJobCreateFailed", "the API server refuses the Job: \(refusal)")
        }
        if faults.failed.isEmpty {
            if record.isPaused { return Condition(.ready, .yes, "ScaledJobReady", "ScaledJob is paused") }
            if faults.isUnderWay { return nil }
        }
        return .ready(faults: faults.failed, triggers: record.triggers.count, isActive: self.isActive(record))
    }

    /// Whether the ScaledJob counts as active: by its decision, else by the triggers that can be read.
    private func isActive(_ record: ScaledJobRecord) -> Bool {
        if let isActive = record.decision?.isActive { return isActive }
        if let bounds = record.specification?.bounds, bounds.base > 0 { return true }
        return record.triggers.contains { trigger in
            if case .known(let backlog, _) = trigger.standing { backlog.isActive } else { false }
        }
    }

    private mutating func describePause(_ record: inout ScaledJobRecord, at moment: Moment) {
        record.status.wanted.isPaused = record.isPaused
        let before = record.status.condition(.paused)
        if record.isPaused, before.status != .yes {
            _ = record.status.set(Condition(.paused, .yes, "ScaledJobPaused", "ScaledJob is paused"))
            self.note(.normal, .scaledJobPaused, "ScaledJob is paused", &record, isOwn: true, at: moment)
        } else if !record.isPaused, before.status == .yes {
            _ = record.status.set(Condition(.paused, .no, "ScaledJobUnpaused", "ScaledJob is no longer paused"))
            self.note(.normal, .scaledJobUnpaused, "ScaledJob is no longer paused", &record, isOwn: true, at: moment)
        }
    }

    mutating func noteActivity(_ decision: ScalingDecision, _ record: inout ScaledJobRecord, at moment: Moment) {
        guard let isActive = decision.isActive else { return }
        self.set(active: isActive, &record, at: moment)
    }

    private mutating func set(active isActive: Bool, _ record: inout ScaledJobRecord, at moment: Moment) {
        let before = record.status.condition(.active)
        guard record.status.set(.active(isActive)) else { return }
        if isActive {
            self.note(.normal, .scaledJobActive, "A trigger became active", &record, at: moment)
        } else if before.status == .yes {
            self.note(.normal, .scaledJobInactive, "No trigger is active any more", &record, at: moment)
        }
    }

    // MARK: - Metrics in the status

    /// Which metrics there are, and which of them are active.
    ///
    /// A trigger that cannot be read now keeps what was last known of it, and so does one that is not open yet.
    private static func describeMetrics(_ record: inout ScaledJobRecord) {
        let before = record.status.wanted
        var activity: [String: Bool] = [:]
        var names: [String] = []
        for trigger in record.triggers {
            guard let metric = trigger.metric else {
                let prefix = MetricName.indexed(trigger.id.index, "")
                activity.merge(before.triggersActivity.filter { $0.key.hasPrefix(prefix) }) { $1 }
                names += before.externalMetricNames.filter { $0.hasPrefix(prefix) }
                continue
            }
            names.append(metric)
            if case .known(let backlog, _) = trigger.standing {
                activity[metric] = backlog.isActive
            } else {
                activity[metric] = before.triggersActivity[metric]
            }
        }
        record.status.wanted.triggersActivity = activity
        record.status.wanted.externalMetricNames = names
    }

    // MARK: - Writing

    mutating func dispatchStatusWrites(_ moment: Moment) {
        while self.statusWritesUnderWay < self.configuration.largestStatusWritesUnderWay,
            let uid = self.statusTurns.next()
        {
            guard var record = self.records[uid], let due = record.status.dueAt(moment.instant),
                due <= moment.instant
            else { continue }
            let patch = record.status.beginWrite(moment.instant)
            self.statusWritesUnderWay += 1
            self.actions.append(.writeStatus(owner: uid, record.key, patch))
            self.records[uid] = record
        }
    }

    mutating func statusWritten(_ owner: String, _ outcome: ControllerInput.Outcome<Void>, at moment: Moment) {
        self.statusWritesUnderWay -= 1
        guard let record = self.records[owner] else { return }
        switch outcome {
        case .success:
            self.totals.statusWritten(.scaledJob, true)
            self.records[owner]?.status.endWrite(true, now: moment.instant)
        case .failure(let error):
            self.totals.statusWritten(.scaledJob, false)
            var record = record
            record.status.endWrite(false, now: moment.instant)
            if error.mayHaveHappened {
                record.status.unanswered(until: moment.instant + self.configuration.longestCreation)
            }
            // An API server that did not answer would not take the Event either, and an object that is gone needs none.
            if error.isRefusal, error.code != .notFound {
                self.note(.warning, .scaledJobUpdateFailed, error.message, &record, at: moment)
            }
            self.records[owner] = record
            let facts = ["scaledjob": record.key.description, "error": error.description]
            let message = "the status could not be written; trying again"
            self.actions.append(.log(LogRecord(level: .debug, message: message, facts: facts)))
        }
        self.touched.insert(owner)
    }

    static func list(_ problems: [Problem]) -> String {
        problems.map(\.description).joined(separator: "; ")
    }

    private static func distinct(_ values: [String]) -> String {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }.joined(separator: ",")
    }
}

extension Condition {
    /// Whether it says that triggers cannot be read.
    fileprivate var isTriggerError: Bool { self.reason == "TriggerError" || self.reason == "PartialTriggerError" }
}
