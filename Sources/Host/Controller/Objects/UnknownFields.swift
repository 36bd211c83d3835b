package import Kubernetes

/// Fields of a ScaledJob that have no effect, because nobody knows them.
///
/// The API server drops them in silence; a limit that was misspelt is no limit.
package enum UnknownFields {
    /// One piece of advice for each field of a `spec` that is not known; the Job template is the API server's to judge.
    package static func advice(on spec: JSONValue?) -> [Problem] {
        guard let members = spec?.objectValue else { return [] }
        var advice = self.unknown(in: members, known: self.fields, path: "spec") { name in
            self.scaledObjectFields.contains(name)
                ? "belongs to ScaledObjects and has no effect here; leave it out" : nil
        }
        advice += self.unknown(in: spec?["rollout"], known: ["strategy", "propagationPolicy"], path: "spec.rollout")
        advice += self.unknown(
            in: spec?["scalingStrategy"],
            known: self.strategyFields,
            path: "spec.scalingStrategy"
        )
        for (index, trigger) in (spec?["triggers"]?.arrayValue ?? []).enumerated() {
            let path = "spec.triggers[\(index)]"
            advice += self.unknown(in: trigger, known: self.triggerFields, path: path)
            advice += self.unknown(
                in: trigger["authenticationRef"],
                known: ["name", "kind"],
                path: "\(path).authenticationRef"
            )
        }
        return advice
    }

    /// One piece of advice for each field of a JobBudget's `spec` that is not known.
    package static func advice(onBudget spec: JSONValue?) -> [Problem] {
        let limits = [
            "maxRunningJobs", "maxJobsPerBatch", "maxJobsPerSecond", "maxResources", "maxFinishedJobs",
        ]
        let selectors = ["matchLabels", "matchExpressions"]
        var advice = self.unknown(in: spec, known: ["selector", "sharing"] + limits, path: "spec")
        let kinds = ["namespaces", "namespaceSelector", "scaledJobSelector"]
        advice += self.unknown(in: spec?["selector"], known: kinds, path: "spec.selector")
        for kind in kinds.dropFirst() {
            let selector = spec?[path: "selector", kind]
            advice += self.unknown(in: selector, known: selectors, path: "spec.selector.\(kind)")
        }
        return advice + self.unknown(in: spec?["sharing"], known: ["by", "label", "weights"], path: "spec.sharing")
    }

    /// What to say about a name that nobody reads, with the one that was perhaps meant.
    package static func message(for name: String, known: some Collection<String>) -> String {
        guard let close = self.closest(to: name, of: known) else {
            return "is not known and has no effect; leave it out"
        }
        return "is not known and has no effect; write \(close), or leave it out"
    }

    private static let fields: [String] = [
        "jobTargetRef", "pollingInterval", "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "rolloutStrategy",
        "rollout", "envSourceContainerName", "minReplicaCount", "maxReplicaCount", "scalingStrategy", "triggers",
    ]
    private static let strategyFields: [String] = [
        "strategy", "customScalingQueueLengthDeduction", "customScalingRunningJobPercentage", "pendingPodConditions",
        "multipleScalersCalculation",
    ]
    private static let triggerFields: [String] = [
        "type", "name", "metadata", "authenticationRef", "useCachedMetrics", "metricType",
    ]
    private static let scaledObjectFields: Set<String> = [
        "advanced", "cooldownPeriod", "fallback", "idleReplicaCount", "initialCooldownPeriod", "scaleTargetRef",
    ]

    private static func unknown(
        in value: JSONValue?,
        known: [String],
        path: String
    ) -> [Problem] {
        self.unknown(in: value?.objectValue ?? [:], known: known, path: path) { _ in nil }
    }

    private static func unknown(
        in members: [String: JSONValue],
        known: [String],
        path: String,
        saying special: (String) -> String?
    ) -> [Problem] {
        members.keys.filter { !known.contains($0) }.sorted().prefix(self.most).map { name in
            Problem("\(path).\(name.prefix(100))", special(name) ?? self.message(for: name, known: known))
        }
    }

    /// More than that is no typing mistake.
    private static let most = 20

    private static func closest(to name: String, of known: some Collection<String>) -> String? {
        let wanted = Array(name.lowercased().utf8)
        guard wanted.count <= 60 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in known {
            let letters = Array(candidate.lowercased().utf8)
            let distance = self.distance(wanted, letters)
            let common = zip(wanted, letters).prefix { $0 == $1 }.count
            let isClose = distance <= letters.count / 4 || common * 5 >= max(wanted.count, letters.count) * 3
            if isClose, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// How many letters to add, drop or change.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let changed = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
