import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

extension ControllerMachine {
    /// Brings the wanted status in line with what is known.
    mutating func describe(_ record: inout ScaledJobRecord, at moment: Moment) {
        let triggers = record.specification?.triggers ?? []
        record.status.wanted.triggersTypes = Self.distinct(triggers.map(\.type))
        record.status.wanted.authenticationsTypes = Self.distinct(triggers.compactMap(\.authentication?.name))
        if let decision = record.decision { record.status.wanted.lastDecision = decision.reason }
        self.describePause(&record)
        guard let ready = self.readiness(of: record) else { return }
        let before = record.status.condition(.ready)
        guard ready != before else { return }
        _ = record.status.set(ready)
        switch (ready.status, ready.reason) {
        case (.yes, _):
            if before.status != .yes { self.note(.normal, "ScaledJobReady", ready.message, &record) }
        case (_, "ScaledJobCheckFailed"):
            _ = record.status.set(Condition(.active, .unknown, "UnknownState"))
            self.note(.warning, "ScaledJobCheckFailed", ready.message, &record)
        case (_, "TriggerError"), (_, "PartialTriggerError"):
            self.note(.warning, "KEDAScalerFailed", ready.message, &record)
        default: break
        }
    }

    /// The Ready condition; nil while something is still under way, so that a restart doesn't make it flicker.
    private func readiness(of record: ScaledJobRecord) -> Condition? {
        func failed(_ message: String) -> Condition { Condition(.ready, .no, "ScaledJobCheckFailed", message) }
        guard record.problems.isEmpty else { return failed(Self.list(record.problems)) }
        var unresolved: [Problem] = []
        var failures: [String] = []
        var isUnderWay = false
        for (index, trigger) in record.triggers.enumerated() {
            switch trigger.state {
            case .unresolved(let problems): unresolved += problems
            case .waiting, .opening: isUnderWay = true
            case .failed(let failure):
                let field = "spec.triggers[\(index)]" + (failure.parameter.map { ".metadata.\($0)" } ?? "")
                if failure.code == .invalidParameter {
                    unresolved.append(Problem(field, failure.message))
                } else {
                    failures.append("\(field): \(failure.message)")
                }
            case .opened:
                if let failure = trigger.readingFailure { failures.append("spec.triggers[\(index)]: \(failure)") }
            }
        }
        if let problem = self.podsProblem(of: record) { unresolved.append(problem) }
        guard unresolved.isEmpty else { return failed(Self.list(unresolved)) }
        switch record.trial {
        case .refused(let message, _): return failed("spec.jobTargetRef: the API server refuses the Job: \(message)")
        case .untried, .trying, .unanswered: if record.refusal == nil { isUnderWay = true }
        case .accepted: break
        }
        if let refusal = record.refusal {
            return Condition(.ready, .no, "KEDAJobCreateFailed", "the API server refuses the Job: \(refusal)")
        }
        if let error = Condition.triggerError(failures, isActive: record.decision?.isActive) { return error }
        if isUnderWay && !record.isPaused { return nil }
        return Condition.ready(isPaused: record.isPaused)
    }

    private mutating func describePause(_ record: inout ScaledJobRecord) {
        let before = record.status.condition(.paused)
        if record.isPaused, before.status != .yes {
            _ = record.status.set(Condition(.paused, .yes, "ScaledJobPaused", "ScaledJob is paused"))
            self.note(.normal, "ScaledJobPaused", "ScaledJob is paused", &record, always: true)
        } else if !record.isPaused, before.status == .yes {
            _ = record.status.set(Condition(.paused, .no, "ScaledJobUnpaused", "ScaledJob is no longer paused"))
            self.note(.normal, "ScaledJobUnpaused", "ScaledJob is no longer paused", &record, always: true)
        }
    }

    mutating func noteActivity(_ decision: ScalingDecision, _ record: inout ScaledJobRecord) {
        guard let isActive = decision.isActive, let condition = Condition.activity(isActive) else { return }
        let before = record.status.condition(.active)
        guard record.status.set(condition) else { return }
        if isActive {
            self.note(.normal, "ScaledJobActive", "A trigger became active", &record, always: true)
        } else if before.status == .yes {
            self.note(.normal, "ScaledJobInactive", "No trigger is active any more", &record, always: true)
        }
    }

    // MARK: - Events

    /// Records an Event; the same words for the same reason only once, unless asked for `always`.
    mutating func note(
        _ kind: EventRecord.Kind,
        _ reason: String,
        _ note: String,
        _ record: inout ScaledJobRecord,
        always: Bool = false
    ) {
        if !always, record.status.eventNotes[reason] == note { return }
        record.status.eventNotes[reason] = note
        let event = EventRecord(
            kind: kind,
            reason: reason,
            note: String(note.prefix(1_000)),
            scaledJob: record.key,
            uid: record.uid
        )
        self.actions.append(.recordEvent(event))
        if kind == .warning {
            let facts = ["scaledjob": record.key.description, "reason": reason, "note": note]
            self.actions.append(.log(LogRecord(level: .warning, message: "ScaledJob has a problem", facts: facts)))
        }
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
            self.records[owner]?.status.endWrite(true, now: moment.instant)
        case .failure(let error):
            self.records[owner]?.status.endWrite(false, now: moment.instant)
            let facts = ["scaledjob": record.key.description, "error": error.description]
            let message = "the status could not be written; trying again"
            self.actions.append(.log(LogRecord(level: .debug, message: message, facts: facts)))
        }
        self.touched.insert(owner)
    }

    private static func list(_ problems: [Problem]) -> String {
        problems.map(\.description).joined(separator: "; ")
    }

    private static func distinct(_ values: [String]) -> String {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }.joined(separator: ",")
    }
}
