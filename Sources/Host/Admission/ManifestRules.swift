package import Controller
package import Kubernetes
package import PluginHost
import PluginProtocol

/// What may be in an object of one kind: the rules of admission and of `sluice validate`.
///
/// Pure: an object and the trigger types on offer go in, findings in the order of the manifest come out. Whatever an object
/// refers to is not looked at.
package struct ManifestRules: Sendable {
    /// The trigger types on offer, as far as they are known.
    package var offers: [String: TriggerTypeOffer]
    /// Nil where plugins connect by themselves.
    package var survey: PluginAnswers?

    package init(offers: [String: TriggerTypeOffer] = [:], survey: PluginAnswers? = nil) {
        self.offers = offers
        self.survey = survey
    }

    package func findings(in object: JSONValue, of kind: CheckedKind) -> [Finding] {
        guard object.objectValue != nil else { return [Finding(.refusal, kind.rawValue, "is not an object")] }
        switch kind {
        case .scaledJob: return self.scaledJob(object)
        case .triggerAuthentication, .clusterTriggerAuthentication:
            return AuthenticationRules(isForCluster: kind == .clusterTriggerAuthentication).findings(in: object["spec"])
        case .jobBudget: return BudgetRules.findings(in: object["spec"])
        case .scaledObject:
            return [
                Finding(
                    .advice,
                    kind.rawValue,
                    "is accepted but not run: Sluice runs ScaledJobs; keep KEDA for this one"
                )
            ]
        }
    }

    private func scaledJob(_ object: JSONValue) -> [Finding] {
        var findings: [Finding] = []
        let annotations = object[path: "metadata", "annotations"]?.objectValue?.compactMapValues(\.stringValue)
        let parsed = ScaledJobSpecification.parse(object["spec"], annotations: annotations)
        if case .failure(let invalid) = parsed {
            findings += invalid.problems.map { Finding(.refusal, $0) }
        }
        findings += Self.finishedJobsAge(object[path: "metadata", "annotations"])
        var share: [Problem] = []
        _ = JobShare(annotations, problems: &share)
        findings += share.map { Finding(.refusal, $0) }
        if case .success(let specification) = parsed, specification.items != nil {
            findings += self.itemSources(specification)
        }
        findings += Self.name(object[path: "metadata", "name"])
        findings += Self.bounds(object["spec"])
        findings += QuietTraps(object: object).findings
        for (index, trigger) in (object[path: "spec", "triggers"]?.arrayValue ?? []).enumerated() {
            findings += Self.cachedMetrics(trigger, index)
            findings += self.parameters(trigger, index)
        }
        return findings
    }

    /// The host deletes nothing by an age that it cannot read, and goes on with all else.
    private static func finishedJobsAge(_ annotations: JSONValue?) -> [Finding] {
        guard let text = annotations?[WellKnown.finishedJobsAgeAnnotation]?.stringValue,
            case .invalid(let problem) = FinishedJobsAge(annotation: text)
        else { return [] }
        return [Finding(.refusal, problem)]
    }

    /// Whether the trigger can name its items, as far as its type is known.
    private func itemSources(_ specification: ScaledJobSpecification) -> [Finding] {
        specification.triggers.enumerated().compactMap { index, trigger in
            guard let offer = self.offers[trigger.type], !offer.declaration.capabilities.items else { return nil }
            return Finding(.mistake, ItemPolicy.unsupported(type: trigger.type, index: index))
        }
    }

    private static func name(_ value: JSONValue?) -> [Finding] {
        guard let length = value?.stringValue?.utf8.count, length > 63 else { return [] }
        let message =
            "has \(length) characters; a label holds 63, so Jobs carry the name cut short; choose a shorter one"
        return [Finding(.advice, "metadata.name", message)]
    }

    private static func bounds(_ spec: JSONValue?) -> [Finding] {
        guard let minimum = spec?["minReplicaCount"]?.integerValue,
            let maximum = spec?["maxReplicaCount"]?.integerValue,
            minimum > maximum
        else { return [] }
        let message = "\(minimum) is more than maxReplicaCount, \(maximum); at most \(maximum) Jobs will run"
        return [Finding(.advice, "spec.minReplicaCount", message)]
    }

    private static func cachedMetrics(_ trigger: JSONValue, _ index: Int) -> [Finding] {
        let field = "spec.triggers[\(index)].useCachedMetrics"
        guard let value = trigger["useCachedMetrics"], value != .null else { return [] }
        guard let isCached = value.boolValue else {
            return [Finding(.refusal, field, "must be true or false, without quotes; leave it out")]
        }
        guard isCached else { return [] }
        if let type = trigger["type"]?.stringValue, ["cpu", "memory", "cron"].contains(type) {
            return [Finding(.refusal, field, "true is not possible for the type \(type); leave it out")]
        }
        return [Finding(.advice, field, "has no meaning for a ScaledJob and is passed over")]
    }

    private func parameters(_ trigger: JSONValue, _ index: Int) -> [Finding] {
        guard let type = trigger["type"]?.stringValue, !type.isEmpty else { return [] }
        guard let offer = self.offers[type] else {
            let message = UnknownTriggerType(
                type: String(type.prefix(100)),
                offered: self.offers.keys.sorted(),
                survey: self.survey
            ).message
            return [Finding(.unchecked, "spec.triggers[\(index)].type", message)]
        }
        let parameters = DeclaredParameters(offer.declaration)
        return parameters.problems(in: trigger, index: index).map { Finding(.mistake, $0) }
            + parameters.unread(in: trigger, index: index).map { Finding(.advice, $0) }
    }
}
