package import Kubernetes
package import Scaling

/// What a JobBudget's `spec` says, understood.
package struct BudgetSpecification: Sendable, Equatable {
    /// Which ScaledJobs a budget counts.
    package struct Selector: Sendable, Equatable {
        /// By name; a namespace that is named is selected whatever its labels are.
        package var namespaces: Set<String> = []
        package var namespaceLabels: ObjectSelector?
        package var scaledJobLabels: ObjectSelector?
    }

    /// Who shares with whom before each ScaledJob gets its part.
    package struct Sharing: Sendable, Equatable {
        /// The label whose values are the groups; nil where namespaces are.
        package var label: String?
        package var weights: [String: Double] = [:]

        /// The group of a ScaledJob; nil for one without the label, which is on its own.
        package func group(namespace: String, labels: [String: String]) -> String? {
            self.label.map { labels[$0] } ?? namespace
        }
    }

    package var selector = Selector()
    package var limits = AdmissionLimits()
    package var sharing: Sharing?
    /// The most finished Jobs that are kept over all ScaledJobs that it selects.
    package var mostFinishedJobs: Int?

    package init() {}

    /// What works, but hardly as it was meant.
    package var advice: [Problem] {
        if self.limits == AdmissionLimits(), self.mostFinishedJobs == nil, self.sharing == nil {
            let limits = "maxRunningJobs, maxJobsPerBatch, maxJobsPerSecond or maxResources"
            return [Problem("spec", "sets no limit; write \(limits)")]
        }
        guard self.limits.runningJobs == 0 else { return [] }
        return [Problem("spec.maxRunningJobs", "0 lets no Job begin; those that run go on")]
    }
}

extension BudgetSpecification {
    /// A `spec` as far as it can be read, and everything that is wrong with it.
    package struct Reading: Sendable, Equatable {
        /// Nil where it cannot be told which ScaledJobs are meant.
        package var specification: BudgetSpecification?
        package var problems: [Problem] = []
    }

    private enum SharingKind: String, CaseIterable { case namespace, label }

    package static func read(_ spec: JSONValue?) -> Reading {
        var reader = FieldReader(spec ?? .object([:]), path: "spec")
        guard reader.problems.isEmpty else { return Reading(problems: reader.problems) }
        var specification = BudgetSpecification()
        let selector = Self.selector(&reader)
        specification.limits = AdmissionLimits(
            runningJobs: reader.integer("maxRunningJobs", atLeast: 0),
            jobsPerBatch: reader.integer("maxJobsPerBatch", atLeast: 1),
            jobsPerSecond: reader.positiveNumber("maxJobsPerSecond"),
            resources: reader.amounts("maxResources")
        )
        specification.mostFinishedJobs = reader.integer("maxFinishedJobs", atLeast: 0)
        specification.sharing = Self.sharing(&reader)
        guard let selector else { return Reading(problems: reader.problems) }
        specification.selector = selector
        return Reading(specification: specification, problems: reader.problems)
    }

    /// Nil where it cannot be read.
    private static func selector(_ reader: inout FieldReader) -> Selector? {
        guard var fields = reader.reader("selector") else { return Selector() }
        var selector = Selector()
        selector.namespaces = Set(fields.strings("namespaces") ?? [])
        selector.namespaceLabels = Self.labels("namespaceSelector", &fields)
        selector.scaledJobLabels = Self.labels("scaledJobSelector", &fields)
        reader.add(fields.problems)
        return fields.problems.isEmpty ? selector : nil
    }

    private static func labels(_ key: String, _ reader: inout FieldReader) -> ObjectSelector? {
        guard var fields = reader.reader(key) else { return nil }
        let selector = ObjectSelector(&fields)
        reader.add(fields.problems)
        return selector
    }

    private static func sharing(_ reader: inout FieldReader) -> Sharing? {
        guard var fields = reader.reader("sharing") else { return nil }
        defer { reader.add(fields.problems) }
        var sharing = Sharing()
        let label = fields.string("label").flatMap { $0.isEmpty ? nil : $0 }
        let kind = fields.choice("by", of: SharingKind.self)
        switch kind {
        case .label?:
            guard let label else {
                fields.note("label", "is missing; write the key of the label whose values share")
                return nil
            }
            sharing.label = label
        case .namespace?:
            if label != nil { fields.note("label", "counts with by: label only; write that, or leave label out") }
        case nil:
            if fields.problems.isEmpty { fields.note("by", "is missing; write namespace or label") }
            return nil
        }
        if var weights = fields.reader("weights") {
            for name in weights.members.keys.sorted() { sharing.weights[name] = weights.positiveNumber(name) }
            fields.add(weights.problems)
        }
        return sharing
    }
}
