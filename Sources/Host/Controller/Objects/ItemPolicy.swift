package import Kubernetes
import Scaling

/// What a ScaledJob asks for with `sluice.dev/one-job-per-item`.
package struct ItemPolicy: Sendable, Equatable {
    package static let annotation = "sluice.dev/one-job-per-item"
    package static let attemptsAnnotation = "sluice.dev/item-attempts"
    /// What `sluice.dev/item-attempts` means when it is not set.
    package static let defaultAttempts = 3
    package static let mostAttempts = 100

    /// How often an item is tried.
    package var attempts: Int

    package init(attempts: Int = Self.defaultAttempts) { self.attempts = attempts }

    /// Reads the annotations; nil where they don't ask for one Job per item, or say it wrongly.
    static func read(_ annotations: [String: String]?, _ problems: inout [Problem]) -> ItemPolicy? {
        let attempts = Self.attempts(annotations, &problems)
        guard let text = annotations?[Self.annotation] else { return nil }
        switch text {
        case "true": return attempts.map(ItemPolicy.init(attempts:))
        case "false": return nil
        default:
            let message =
                "\"\(text.prefix(40))\" is neither true nor false; write \"true\", or take the annotation away"
            problems.append(Problem("metadata.annotations.\(Self.annotation)", message))
            return nil
        }
    }

    private static func attempts(_ annotations: [String: String]?, _ problems: inout [Problem]) -> Int? {
        guard let text = annotations?[Self.attemptsAnnotation] else { return Self.defaultAttempts }
        if let attempts = Int(text), 1...Self.mostAttempts ~= attempts { return attempts }
        let message =
            "\"\(text.prefix(40))\" is not a whole number from 1 to \(Self.mostAttempts); write \"\(Self.defaultAttempts)\", "
            + "or take the annotation away"
        problems.append(Problem("metadata.annotations.\(Self.attemptsAnnotation)", message))
        return nil
    }

    /// What of a specification doesn't go together with one Job per item.
    static func problems(with specification: ScaledJobSpecification) -> [Problem] {
        var problems: [Problem] = []
        let off = "or take the annotation \(Self.annotation) away"
        if specification.triggers.count > 1 {
            let message =
                "are \(specification.triggers.count), and with one Job per item the items come from one; leave one, and "
                + "make a ScaledJob of its own for each other, \(off)"
            problems.append(Problem("spec.triggers", message))
        }
        if let minimum = specification.bounds.minimum, minimum > 0 {
            let message =
                "\(minimum) keeps Jobs running that no item waits for, and with one Job per item each has one; leave it out, "
                + off
            problems.append(Problem("spec.minReplicaCount", message))
        }
        if let seconds = specification.jobTargetRef["ttlSecondsAfterFinished"], seconds != .null {
            let message =
                "\(seconds.summary) has Kubernetes delete failed Jobs, which say how often an item was tried; leave it out: "
                + "successfulJobsHistoryLimit and failedJobsHistoryLimit see to the clean-up"
            problems.append(Problem("spec.jobTargetRef.ttlSecondsAfterFinished", message))
        }
        return problems
    }

    /// The trigger type cannot name its items.
    package static func unsupported(type: String, index: Int) -> Problem {
        Problem(
            "spec.triggers[\(index)].type",
            "\"\(type.prefix(100))\" does not name its items, so there cannot be one Job for each; take the annotation "
                + "\(Self.annotation) away, or use a trigger that does, such as mongodb"
        )
    }
}

extension ScaledJobSpecification {
    /// Understands a `spec` with the annotations that change what it means, or says everything that is wrong with them.
    package static func parse(
        _ spec: JSONValue?,
        annotations: [String: String]?
    ) -> Result<ScaledJobSpecification, InvalidSpecification> {
        var problems: [Problem] = []
        let items = ItemPolicy.read(annotations, &problems)
        switch Self.parse(spec) {
        case .failure(let invalid): return .failure(InvalidSpecification(invalid.problems + problems))
        case .success(var specification):
            if items != nil { problems = ItemPolicy.problems(with: specification) + problems }
            guard problems.isEmpty else { return .failure(InvalidSpecification(problems)) }
            specification.items = items
            return .success(specification)
        }
    }
}
