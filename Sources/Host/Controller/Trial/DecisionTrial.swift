package import Kubernetes
package import Scaling

/// One decision, made outside of any cluster: a situation in, what the controller would do out.
///
/// It uses the controller's own rules, so what it answers is what happens.
package struct DecisionTrial: Sendable {
    package let decision: ScalingDecision
    /// What was read otherwise than written, for people.
    package let notes: [String]
    private let conditions: [Condition]

    /// Tries a situation in JSON or YAML.
    package static func run(_ bytes: [UInt8]) -> Result<DecisionTrial, InvalidSpecification> {
        func refuse(_ message: String) -> Result<DecisionTrial, InvalidSpecification> {
            .failure(InvalidSpecification([Problem("situation", message)]))
        }
        guard bytes.count <= Self.largest else { return refuse("is larger than \(Self.largest) bytes") }
        // JSON knows escapes that YAML refuses.
        if let value = try? JSONValue(parsing: bytes) { return Self.run(value) }
        guard let text = String(validating: bytes, as: UTF8.self) else { return refuse("is not UTF-8 text") }
        do {
            let documents = try YAML.documents(text)
            guard let document = documents.first else { return refuse("is empty; write scaledJob, triggers and jobs") }
            guard documents.count == 1 else { return refuse("has \(documents.count) documents; write one") }
            return Self.run(document.value)
        } catch {
            return refuse("cannot be read: \(error)")
        }
    }

    /// Tries a situation.
    package static func run(_ value: JSONValue) -> Result<DecisionTrial, InvalidSpecification> {
        Situation.parse(value).map(DecisionTrial.init)
    }

    /// The largest text that is read.
    package static let largest = 4 << 20

    init(_ situation: Situation) {
        let specification = situation.specification
        let strategy = specification.strategy.strategy(for: situation.triggers)
        let policy = ScalingPolicy(
            bounds: specification.bounds,
            strategy: strategy,
            warning: specification.strategy.warning
        )
        // No reading at all is not a failed one: nothing is counted, so nothing waits.
        let backlog =
            situation.triggers.isEmpty
            ? .known(.nothing(askedAt: Situation.moment))
            : specification.combination.combine(
                situation.triggers,
                demandCeiling: specification.bounds.demandCeiling,
                countsInFlight: strategy == .inFlight
            )
        if situation.isPaused {
            self.decision = policy.paused()
        } else {
            switch situation.jobs {
            case .known(let jobs): self.decision = policy.decide(backlog, jobs)
            case .unknown(let why): self.decision = policy.decide(backlog, jobsUnknown: why)
            }
        }
        self.notes = situation.notes
        self.conditions = Self.conditions(self.decision, situation)
    }

    private static func conditions(_ decision: ScalingDecision, _ situation: Situation) -> [Condition] {
        guard !situation.isPaused else {
            return [
                Condition(.ready, .yes, "ScaledJobReady", "ScaledJob is paused"),
                Condition(.active, .unknown, "UnknownState"),
                Condition(.paused, .yes, "ScaledJobPaused", "ScaledJob is paused"),
            ]
        }
        let isActive = decision.isActive ?? false
        if let problem = situation.podsProblem(decision.strategy) {
            return [Condition(.ready, .no, "ScaledJobCheckFailed", problem.description), .active(isActive)]
        }
        return [
            .ready(faults: situation.faults, triggers: situation.triggers.count, isActive: isActive),
            .active(isActive),
        ]
    }

    /// The answer; what is not known is null.
    package var json: JSONValue {
        func number(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
        var conditions: [String: JSONValue] = [:]
        for condition in self.conditions {
            conditions[condition.kind.rawValue] = [
                "status": .string(condition.status.rawValue),
                "reason": .string(condition.reason),
            ]
            if !condition.message.isEmpty {
                conditions[condition.kind.rawValue]?["message"] = .string(condition.message)
            }
        }
        return [
            "create": number(self.decision.create),
            // What was never known to be active counts as inactive, as with a new ScaledJob in a cluster.
            "active": self.decision.limit == .paused ? .null : .bool(self.decision.isActive ?? false),
            "queueLength": number(self.decision.numbers?.queueLength),
            "maxScale": number(self.decision.numbers?.maxScale),
            "effectiveMaxScale": number(self.decision.numbers?.effectiveMaxScale),
            "strategy": .string(self.decision.strategy.name),
            "limit": .string(self.decision.limit.rawValue),
            "reason": .string(self.decision.reason),
            "conditions": .object(conditions),
        ]
    }
}
