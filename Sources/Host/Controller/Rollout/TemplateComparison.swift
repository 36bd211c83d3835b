package import Kubernetes

/// Whether a Job that doesn't say which template it was made of was made of this one.
package struct TemplateComparison: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        case same
        /// The field whose value differs.
        case different(String)
        /// Such a Job is left alone.
        case unsure(String)
    }

    private let wanted: JSONValue

    package init(jobTargetRef: JSONValue) {
        self.wanted = CanonicalTemplate(jobTargetRef).value
    }

    /// Compares with the `spec` of a Job.
    ///
    /// Whatever the template sets must have an equal value in the Job; what a server or a webhook added doesn't count.
    /// `tried` is the `spec` of a Job that the server has just made of the template without storing it: where webhooks
    /// change what the template says, they changed it in both.
    package func verdict(on jobSpec: JSONValue, tried: JSONValue? = nil) -> Verdict {
        let actual = CanonicalTemplate(jobSpec).value
        let tried = tried.map { CanonicalTemplate($0).value }
        var changedSince: String?
        for key in (self.wanted.objectValue ?? [:]).keys.sorted() where key != "suspend" {
            guard
                let field = Self.difference(self.wanted[key], actual[key], tried?[key], at: key, isTried: tried != nil)
            else { continue }
            guard Self.changeable.contains(key) else { return .different(field) }
            changedSince = changedSince ?? field
        }
        return changedSince.map { .unsure("\($0) differs, which may have been changed on the Job itself") } ?? .same
    }

    /// Fields that people and queues may change on a Job that exists; `suspend` tells nothing at all.
    private static let changeable: Set<String> = [
        "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    ]

    /// The first field that differs; nil when there is none.
    private static func difference(
        _ wanted: JSONValue?,
        _ actual: JSONValue?,
        _ tried: JSONValue?,
        at path: String,
        isTried: Bool
    ) -> String? {
        guard let wanted else { return nil }
        if wanted == actual || (isTried && actual == tried) { return nil }
        switch (wanted, actual) {
        case (.object(let members), .object?):
            for key in members.keys.sorted() {
                let field = Self.difference(
                    members[key],
                    actual?[key],
                    tried?[key],
                    at: "\(path).\(key)",
                    isTried: isTried
                )
                if let field { return field }
            }
            return nil
        case (.array(let elements), .array(let others)?):
            return Self.difference(elements, others, tried?.arrayValue, at: path, isTried: isTried)
        default: return path
        }
    }

    private static func difference(
        _ wanted: [JSONValue],
        _ actual: [JSONValue],
        _ tried: [JSONValue]?,
        at path: String,
        isTried: Bool
    ) -> String? {
        let areNamed = (wanted + actual).allSatisfy { $0["name"]?.stringValue != nil }
        guard areNamed || wanted.count == actual.count else { return path }
        for (index, element) in wanted.enumerated() {
            let other = areNamed ? actual.first { $0["name"] == element["name"] } : actual[index]
            let attempt =
                areNamed
                ? tried?.first { $0["name"] == element["name"] }
                : tried.flatMap { $0.indices.contains(index) ? $0[index] : nil }
            let field = Self.difference(element, other, attempt, at: "\(path)[\(index)]", isTried: isTried)
            if let field { return field }
        }
        return nil
    }
}
