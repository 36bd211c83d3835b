import Controller
import Kubernetes

/// What may be in the `spec` of a JobBudget.
enum BudgetRules {
    static func findings(in spec: JSONValue?) -> [Finding] {
        let reading = BudgetSpecification.read(spec)
        var findings = reading.problems.map { Finding(.refusal, $0) }
        findings += UnknownFields.advice(onBudget: spec).map { Finding(.advice, $0) }
        guard let specification = reading.specification, findings.isEmpty else { return findings }
        return specification.advice.map { Finding(.advice, $0) }
    }
}
