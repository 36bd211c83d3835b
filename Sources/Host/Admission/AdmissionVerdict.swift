import Controller
package import Kubernetes

/// The answer to an ``AdmissionRequest``.
package struct AdmissionVerdict: Sendable, Equatable {
    /// Why not; nil to allow.
    package var refusal: String?
    package var warnings: [String]

    package init(refusal: String? = nil, warnings: [String] = []) {
        self.refusal = refusal
        self.warnings = warnings
    }

    /// Weighs what was found.
    package init(_ findings: [Finding], policy: AdmissionPolicy) {
        let refusals = findings.filter { finding in
            switch finding.weight {
            case .refusal: true
            case .mistake: policy.isStrict
            case .unchecked: policy.failure == .closed
            case .advice: false
            }
        }
        self.refusal = refusals.isEmpty ? nil : refusals.map(\.problem.description).joined(separator: "; ")
        self.warnings = findings.filter { !refusals.contains($0) }.map(\.problem.description)
    }

    /// The `AdmissionReview` that says so.
    package func review(of request: AdmissionRequest) -> JSONValue {
        var response: JSONValue = ["uid": .string(request.uid), "allowed": .bool(self.refusal == nil)]
        if let refusal {
            response["status"] = [
                "code": 403, "reason": "Forbidden", "message": .string(Self.line(refusal, limit: 4_000)),
            ]
        }
        if !self.warnings.isEmpty {
            response["warnings"] = .array(self.warnings.prefix(16).map { .string(Self.line($0, limit: 250)) })
        }
        return ["apiVersion": .string(request.apiVersion), "kind": "AdmissionReview", "response": response]
    }

    /// One line that the API server passes on whole: it drops control characters' lines and cuts long ones.
    private static func line(_ text: String, limit: Int) -> String {
        let plain = text.unicodeScalars.lazy.map { $0.properties.generalCategory == .control ? " " : $0 }
        var line = ""
        for scalar in plain {
            guard line.utf8.count + UTF8.width(scalar) <= limit - 3 else { return "\(line)…" }
            line.unicodeScalars.append(scalar)
        }
        return line
    }
}

/// How admission decides where the rules leave it open.
package struct AdmissionPolicy: Sendable {
    /// What to answer when something cannot be checked.
    package enum Failure: String, Sendable, CaseIterable {
        /// Allow, with a warning.
        case open
        /// Refuse.
        case closed
    }

    package var failure: Failure
    /// Whether a trigger that cannot work as written is refused instead of warned about.
    package var isStrict: Bool

    package init(failure: Failure = .open, isStrict: Bool = false) {
        self.failure = failure
        self.isStrict = isStrict
    }
}
