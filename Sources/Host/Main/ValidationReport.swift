import Admission
import Controller
import Kubernetes
import Standalone

/// What `sluice validate` says: a line for each problem and warning, and a last one when there is no problem.
struct ValidationReport {
    private(set) var problems = 0
    private var lines: [String] = []
    private var scaledJobs = 0
    private var authentications = 0

    mutating func add(_ problem: ManifestProblem) {
        self.problems += 1
        self.lines.append(problem.description)
    }

    mutating func warn(_ warning: ManifestProblem) {
        self.lines.append("warning: \(warning)")
    }

    /// A type that no plugin offers is a problem where plugins could be asked, and a warning where none was found.
    mutating func add(_ findings: [Finding], in manifest: Manifest, isTypeKnown: Bool) {
        if manifest.resource == .scaledJobs { self.scaledJobs += 1 } else { self.authentications += 1 }
        let name = "\(manifest.source): \(manifest.resource.kind) \(manifest.key)"
        for finding in findings {
            let isProblem =
                switch finding.weight {
                case .refusal, .mistake: true
                case .unchecked: isTypeKnown
                case .advice: false
                }
            if isProblem { self.problems += 1 }
            self.lines.append("\(name): \(isProblem ? "" : "warning: ")\(finding.problem)")
        }
    }

    func print() {
        for line in self.lines { Swift.print(line.plainLine) }
        guard self.problems == 0 else { return }
        let counts = [(self.scaledJobs, "ScaledJob"), (self.authentications, "authentication")].filter { $0.0 > 0 }
        let names = counts.map { "\($0) \($1)\($0 == 1 ? "" : "s")" }
        let isOne = counts.map(\.0).reduce(0, +) == 1
        Swift.print(
            names.isEmpty
                ? "nothing to check was found" : "\(names.joined(separator: " and ")) \(isOne ? "is" : "are") valid"
        )
    }
}
