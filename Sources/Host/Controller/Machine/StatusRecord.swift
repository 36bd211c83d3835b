import Kubernetes

/// What the status of a ScaledJob should say, what it says, and when it may be written again.
struct StatusRecord {
    /// The content of the status that the host writes.
    struct Content: Equatable {
        var conditions: [Condition]
        var triggersTypes = ""
        var authenticationsTypes = ""
        /// The names of the triggers' metrics, in the order of the triggers.
        var externalMetricNames: [String] = []
        /// Whether each trigger is active, by the name of its metric.
        var triggersActivity: [String: Bool] = [:]
        var isPaused = false
        /// Unix seconds, coarsened; nil when it was never active.
        var lastActiveTime: Int64?
        var lastDecision = ""
        var lastJobNumber: UInt64 = 0
        /// The selector of the shard that serves it; empty for a host that serves all.
        var shard = ""

        /// Whether the part is the same whose change is written at once.
        func isCalm(beside other: Content) -> Bool {
            self.conditions == other.conditions && self.triggersTypes == other.triggersTypes
                && self.authenticationsTypes == other.authenticationsTypes
                && self.externalMetricNames == other.externalMetricNames && self.shard == other.shard
        }
    }

    /// The least time between two writes of one object.
    static let urgentInterval = Duration.milliseconds(100)
    static let calmInterval = Duration.seconds(5)
    /// How exactly `lastActiveTime` is kept.
    static let activeTimeSteps: Int64 = 30

    var wanted: Content
    var written: Content
    var isWriting = false
    /// What the write under way holds.
    var writing: Content?
    var lastWriteAt: ContinuousClock.Instant?
    var retryAt: ContinuousClock.Instant?
    var failures = 0
    /// When the status is written once more: an attempt without an answer may have come after a later one.
    private var rewriteAt: ContinuousClock.Instant?
    private var lastEndAt: ContinuousClock.Instant?
    /// Keys of `triggersActivity` that the stored object may have: a merge patch has to name what it takes out.
    private var storedActivity: Set<String>

    init(_ status: JSONValue?) {
        let conditions = (status?["conditions"]?.arrayValue ?? []).compactMap(Condition.init)
        self.written = Content(
            conditions: conditions,
            triggersTypes: status?["triggersTypes"]?.stringValue ?? "",
            authenticationsTypes: status?["authenticationsTypes"]?.stringValue ?? "",
            externalMetricNames: status?["externalMetricNames"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            triggersActivity: status?["triggersActivity"]?.objectValue?.mapValues { $0["isActive"] == true } ?? [:],
            isPaused: status?["Paused"] == "true",
            lastActiveTime: status?["lastActiveTime"]?.stringValue.flatMap { KubernetesTime($0)?.secondsSinceEpoch },
            lastDecision: status?["lastDecision"]?.stringValue ?? "",
            lastJobNumber: UInt64(exactly: status?["lastJobNumber"]?.integerValue ?? 0) ?? 0,
            shard: status?["shard"]?.stringValue ?? ""
        )
        self.wanted = self.written
        self.storedActivity = Set(self.written.triggersActivity.keys)
        self.wanted.conditions = Condition.Kind.allCases.map { kind in
            conditions.first { $0.kind == kind } ?? Condition(kind, kind == .paused ? .no : .unknown)
        }
    }

    func condition(_ kind: Condition.Kind) -> Condition {
        self.wanted.conditions.first { $0.kind == kind } ?? Condition(kind, .unknown)
    }

    /// Sets a condition; true when its status changed.
    mutating func set(_ condition: Condition) -> Bool {
        guard let index = self.wanted.conditions.firstIndex(where: { $0.kind == condition.kind }) else { return false }
        let before = self.wanted.conditions[index]
        self.wanted.conditions[index] = condition
        return before.status != condition.status
    }

    mutating func becameActive(at seconds: Int64) {
        if let last = self.wanted.lastActiveTime, seconds - last < Self.activeTimeSteps, seconds >= last { return }
        self.wanted.lastActiveTime = seconds
    }

    /// Notes a write that the server may still make until then, whatever is written meanwhile.
    mutating func unanswered(until end: ContinuousClock.Instant) { self.rewriteAt = end }

    /// Takes what a list shows: somebody may have changed it, or the cluster may have lost it.
    mutating func listed(_ status: JSONValue?, since startedAt: ContinuousClock.Instant) {
        guard !self.isWriting, self.lastEndAt.map({ $0 < startedAt }) ?? false else { return }
        let stored = StatusRecord(status)
        self.written = stored.written
        self.storedActivity.formUnion(stored.storedActivity)
    }

    /// When the next write is due; nil when there is nothing to write or a write is under way.
    func dueAt(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard !self.isWriting else { return nil }
        guard self.wanted != self.written else { return self.rewriteAt }
        let spacing = self.wanted.isCalm(beside: self.written) ? Self.calmInterval : Self.urgentInterval
        let due = self.lastWriteAt.map { $0 + spacing } ?? now
        return self.retryAt.map { Swift.max($0, due) } ?? due
    }

    mutating func beginWrite(_ now: ContinuousClock.Instant) -> JSONValue {
        self.isWriting = true
        self.writing = self.wanted
        self.lastWriteAt = now
        self.retryAt = nil
        if let due = self.rewriteAt, due <= now { self.rewriteAt = nil }
        var status: JSONValue = [
            "conditions": .array(self.wanted.conditions.map(\.json)),
            "triggersTypes": Self.text(self.wanted.triggersTypes),
            "authenticationsTypes": Self.text(self.wanted.authenticationsTypes),
            "lastDecision": Self.text(self.wanted.lastDecision),
            "lastJobNumber": .integer(Int64(clamping: self.wanted.lastJobNumber)),
        ]
        if let seconds = self.wanted.lastActiveTime {
            status["lastActiveTime"] = .string(KubernetesTime(secondsSinceEpoch: seconds).description)
        }
        if self.wanted.shard != self.written.shard { status["shard"] = Self.text(self.wanted.shard) }
        status["Paused"] = self.wanted.isPaused ? "true" : .null
        let names = self.wanted.externalMetricNames
        status["externalMetricNames"] = names.isEmpty ? .null : .array(names.map(JSONValue.string))
        if let activity = self.activityPatch() { status["triggersActivity"] = activity }
        return ["status": status]
    }

    /// The whole of what is active, with nothing in the place of what is no longer there.
    private mutating func activityPatch() -> JSONValue? {
        var patch = self.wanted.triggersActivity.mapValues { JSONValue.object(["isActive": .bool($0)]) }
        for gone in self.storedActivity where patch[gone] == nil { patch[gone] = .null }
        // Whether this write happens is known only later.
        self.storedActivity.formUnion(self.wanted.triggersActivity.keys)
        return patch.isEmpty ? nil : .object(patch)
    }

    /// Nothing rather than an empty text, which some API servers refuse as null where a schema wants text.
    private static func text(_ value: String) -> JSONValue { value.isEmpty ? .null : .string(value) }

    mutating func endWrite(_ succeeded: Bool, now: ContinuousClock.Instant) {
        self.isWriting = false
        self.lastEndAt = now
        if succeeded, let writing {
            self.written = writing
            self.storedActivity = Set(writing.triggersActivity.keys)
            self.failures = 0
        } else {
            self.failures = Swift.min(self.failures + 1, 6)
            self.retryAt = now + .milliseconds(500) * (1 << self.failures)
        }
        self.writing = nil
    }
}
