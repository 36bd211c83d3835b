import Kubernetes
import Scaling

/// What a budget comes to at one moment.
struct BudgetStanding: Sendable, Equatable {
    struct Waiting: Sendable, Equatable {
        var scaledJob: String
        /// Jobs that it wants and may not have now.
        var jobs: Int
        var reason: String
    }

    var runningJobs = 0
    /// Of the resources that the budget limits, in thousandths.
    var resources: [String: Int128] = [:]
    /// How many ScaledJobs wait.
    var waitingScaledJobs = 0
    /// The first of them.
    var waiting: [Waiting] = []
}

/// What the status of a JobBudget should say, what it says, and when it may be written again.
struct BudgetStatusRecord: Sendable {
    /// The most ScaledJobs that are named.
    static let mostNames = 10
    /// The least time between two looks, and so between two writes.
    static let spacing = Duration.seconds(3)

    private(set) var written: JSONValue?
    private var writing: JSONValue?
    private var lookAt: ContinuousClock.Instant
    private var failures = 0

    init(_ status: JSONValue?, now: ContinuousClock.Instant) {
        self.written = status
        self.lookAt = now
    }

    var isWriting: Bool { self.writing != nil }

    /// When to look next; nil while a write is under way.
    var nextLook: ContinuousClock.Instant? {
        self.isWriting ? nil : self.lookAt
    }

    /// The patch that brings the status up to date; nil where it is.
    mutating func look(_ wanted: JSONValue, at now: ContinuousClock.Instant) -> JSONValue? {
        self.lookAt = now + Self.spacing * (1 << self.failures)
        guard !self.isWriting, let patch = Self.difference(from: self.written ?? [:], to: wanted) else { return nil }
        self.writing = wanted
        return ["status": patch]
    }

    mutating func endWrite(_ succeeded: Bool) {
        if succeeded {
            self.written = self.writing
            self.failures = 0
        } else {
            self.failures = Swift.min(self.failures + 1, 4)
            self.lookAt += Self.spacing * (1 << self.failures)
        }
        self.writing = nil
    }

    /// The merge patch from one object to another; nil where they are equal.
    private static func difference(from old: JSONValue, to new: JSONValue) -> JSONValue? {
        guard let before = old.objectValue, let after = new.objectValue else { return old == new ? nil : new }
        var patch: [String: JSONValue] = [:]
        for (key, value) in after {
            if let former = before[key] {
                patch[key] = Self.difference(from: former, to: value)
            } else {
                patch[key] = value
            }
        }
        for key in before.keys where after[key] == nil { patch[key] = .null }
        return patch.isEmpty ? nil : .object(patch)
    }
}

extension BudgetBook.Budget {
    /// The status that says all of it.
    func status(_ standing: BudgetStanding, extra: Problem?) -> JSONValue {
        let limits = self.specification.limits
        var inUse: JSONValue = ["jobs": .integer(Int64(clamping: standing.runningJobs))]
        var limit: JSONValue = [:]
        if let most = limits.runningJobs { limit["jobs"] = .integer(Int64(clamping: most)) }
        if !limits.resources.isEmpty {
            inUse["resources"] = .object(
                limits.resources.keys.reduce(into: [:]) { amounts, name in
                    amounts[name] = .string(Quantity.text(thousandths: standing.resources[name] ?? 0))
                }
            )
            limit["resources"] = .object(limits.resources.mapValues { .string(Quantity.text(thousandths: $0)) })
        }
        let names = standing.waiting.map { waiting -> JSONValue in
            [
                "scaledJob": .string(waiting.scaledJob), "jobs": .integer(Int64(clamping: waiting.jobs)),
                "for": .string(waiting.reason),
            ]
        }
        let problems = self.problems + (extra.map { [$0] } ?? [])
        var ready: JSONValue = [
            "type": "Ready",
            "status": problems.isEmpty ? "True" : "False",
            "reason": problems.isEmpty ? "LimitsInForce" : "InvalidSpec",
        ]
        let words = problems.map(\.description).joined(separator: "; ").prefix(1_000)
        ready["message"] = .string(problems.isEmpty ? "its limits are in force" : "\(words)\(self.consequence)")
        var status: JSONValue = [
            "inUse": inUse,
            "limit": limit,
            "waiting": [
                "scaledJobs": .integer(Int64(clamping: standing.waitingScaledJobs)),
                "names": .array(names),
            ],
            "conditions": [ready],
        ]
        if let generation { status["observedGeneration"] = .integer(generation) }
        return status
    }

    /// What holds while something is wrong.
    private var consequence: String {
        guard !self.problems.isEmpty else { return "" }
        return self.isReadable
            ? "; the limits that were read last stay in force" : "; it limits nothing until it is mended"
    }
}
