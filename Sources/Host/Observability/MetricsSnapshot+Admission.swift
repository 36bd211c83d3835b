import Controller
import Scaling

extension MetricsSnapshot {
    /// The most scopes that have series; the host and budgets come first.
    static let mostScopes = 500

    /// The limits that ScaledJobs share.
    func writeAdmission(_ text: inout MetricsText) {
        let scopes = self.admission.sorted { $0.scope.order < $1.scope.order }.prefix(Self.mostScopes)
        func write(_ family: MetricFamily, _ value: (AdmissionFigures, AdmissionDimension) -> Double?) {
            text.begin(family)
            for figures in scopes {
                let (_, scope, name) = figures.scope.order
                for dimension in figures.limits.dimensions {
                    guard let value = value(figures, dimension) else { continue }
                    text.sample(family, .init(family, scope, name, dimension.label), value)
                }
            }
        }
        write(.admissionInUse) { $0.inUse.amount(of: $1) }
        write(.admissionLimit) { $0.limits.amount(of: $1) }
        write(.admissionWaiting) { Double($0.waiting[$1] ?? 0) }
    }
}

extension AdmissionScope {
    fileprivate var order: (Int, String, String) {
        switch self {
        case .host: (0, "host", "")
        case .budget(let name): (1, "budget", name)
        case .namespace(let name): (2, "namespace", name)
        case .scaledJob(let uid): (3, "scaledjob", uid)
        }
    }
}

extension AdmissionDimension {
    fileprivate var label: String {
        switch self {
        case .runningJobs: "jobs"
        case .jobsPerBatch: "jobs_per_batch"
        case .jobsPerSecond: "jobs_per_second"
        case .resource(let name): name
        case .jobObjects: "job_objects"
        }
    }
}

extension AdmissionLimits {
    /// Those that are limited, in order.
    fileprivate var dimensions: [AdmissionDimension] {
        var dimensions: [AdmissionDimension] = []
        if self.runningJobs != nil { dimensions.append(.runningJobs) }
        if self.jobObjects != nil { dimensions.append(.jobObjects) }
        if self.jobsPerBatch != nil { dimensions.append(.jobsPerBatch) }
        if self.jobsPerSecond != nil { dimensions.append(.jobsPerSecond) }
        return dimensions + self.resources.keys.sorted().map(AdmissionDimension.resource)
    }

    /// In Jobs, or in units of the resource.
    fileprivate func amount(of dimension: AdmissionDimension) -> Double? {
        switch dimension {
        case .runningJobs: self.runningJobs.map(Double.init)
        case .jobObjects: self.jobObjects.map(Double.init)
        case .jobsPerBatch: self.jobsPerBatch.map(Double.init)
        case .jobsPerSecond: self.jobsPerSecond
        case .resource(let name): self.resources[name].map { Double($0) / 1000 }
        }
    }
}

extension AdmissionUse {
    /// In Jobs, or in units of the resource; nil where nothing is held.
    fileprivate func amount(of dimension: AdmissionDimension) -> Double? {
        switch dimension {
        case .runningJobs: Double(self.jobs)
        case .jobObjects: Double(self.objects)
        case .jobsPerBatch, .jobsPerSecond: nil
        case .resource(let name): Double(self.resources[name]) / 1000
        }
    }
}
