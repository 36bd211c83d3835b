import Controller
import Kubernetes

/// What a manifest says that is accepted and hardly meant.
struct QuietTraps {
    let object: JSONValue

    var findings: [Finding] {
        UnknownFields.advice(on: self.object["spec"]).map { Finding(.advice, $0) } + self.emptyChoices
            + self.strategy + self.annotations
    }

    /// The schema lists the values, and an empty one is not among them.
    private var emptyChoices: [Finding] {
        let choices: [(field: String, value: JSONValue?, allowed: String)] = [
            ("rolloutStrategy", self.object[path: "spec", "rolloutStrategy"], "gradual or immediate"),
            ("rollout.strategy", self.object[path: "spec", "rollout", "strategy"], "gradual or immediate"),
            (
                "rollout.propagationPolicy", self.object[path: "spec", "rollout", "propagationPolicy"],
                "background or foreground"
            ),
            (
                "scalingStrategy.strategy", self.object[path: "spec", "scalingStrategy", "strategy"],
                "default, custom, accurate or eager"
            ),
        ]
        return choices.filter { $0.value == "" }
            .map { Finding(.refusal, "spec.\($0.field)", "is empty; write \($0.allowed), or leave it out") }
    }

    private var strategy: [Finding] {
        guard let strategy = self.object[path: "spec", "scalingStrategy"]?.objectValue else { return [] }
        let custom = ["customScalingQueueLengthDeduction", "customScalingRunningJobPercentage"]
        guard strategy["strategy"] == "custom" else {
            return custom.filter { strategy[$0].map { $0 != .null } ?? false }
                .map {
                    Finding(.advice, "spec.scalingStrategy.\($0)", "counts for the strategy custom only; leave it out")
                }
        }
        guard case .success(let specification) = ScaledJobSpecification.parse(self.object["spec"]),
            let warning = specification.strategyWarning
        else { return [] }
        return [Finding(.advice, "spec.scalingStrategy", "\(warning); write a number in quotes, such as \"0.5\"")]
    }

    private var annotations: [Finding] {
        let annotations = self.object[path: "metadata", "annotations"]?.objectValue ?? [:]
        var findings: [Finding] = []
        if let text = annotations[WellKnown.pausedAnnotation]?.stringValue,
            WellKnown.isPaused([WellKnown.pausedAnnotation: text]), !Self.truths.contains(text)
        {
            let message = "\"\(text.prefix(40))\" pauses it; write \"true\", or take the annotation away to run it"
            findings.append(Finding(.advice, "metadata.annotations.\(WellKnown.pausedAnnotation)", message))
        }
        if let text = annotations[WellKnown.excludedLabelsAnnotation]?.stringValue, text.contains(where: \.isWhitespace)
        {
            let mend = text.filter { !$0.isWhitespace }.prefix(100)
            let message = "has blanks, which are taken for a part of the label; write \"\(mend)\""
            findings.append(Finding(.advice, "metadata.annotations.\(WellKnown.excludedLabelsAnnotation)", message))
        }
        return findings
    }

    private static let truths: Set<String> = ["1", "t", "T", "TRUE", "true", "True"]
}
