package import Kubernetes
package import Scaling

/// Everything that the metrics say, at one moment.
///
/// Metrics are made of what exists now. So the series of a deleted ScaledJob, or of a trigger that was taken out, are gone
/// with it, without anybody removing them.
package struct MetricsSnapshot: Sendable {
    /// One trigger.
    package struct Trigger: Sendable, Equatable {
        package var scaledJob: ObjectKey
        package var index: Int
        package var scaler: String
        /// `s<index>-<name>`.
        package var metric: String
        package var state: TriggerState
        /// Nil while it is not known.
        package var value: Double?
        package var isActive: Bool?
        package var latency: Duration?
        package var errors: Int
    }

    package enum TriggerState: String, Sendable, CaseIterable { case waiting, unresolved, opening, open, failed }

    /// One ScaledJob.
    package struct ScaledJobFigures: Sendable, Equatable {
        package var key: ObjectKey
        package var counters: JobCounters
        /// Triggers that could not be read, once for each poll.
        package var errors: Int
        package var unfinished: Int
        /// Jobs whose deletion does not come to an end.
        package var stuckDeleting: Int
        /// Nil while it is not known.
        package var queueLength: Int?
        /// How late its last poll was; nil before the first one.
        package var pollLateness: Duration?
        /// Items that still wait after their last attempt; nil where there isn't one Job per item.
        package var exhaustedItems: Int?
    }

    package struct ResourceCount: Sendable, Hashable {
        package var type: String
        package var namespace: String
    }

    package var version: String
    package var triggers: [Trigger] = []
    package var scaledJobs: [ScaledJobFigures] = []
    /// Triggers of each type.
    package var triggerTypes: [String: Int] = [:]
    package var resources: [ResourceCount: Int] = [:]
    /// Whether each plugin that ever registered is connected.
    package var plugins: [String: Bool] = [:]
    /// The limits that ScaledJobs share.
    package var admission: [AdmissionFigures] = []
    package var totals = ControllerTotals()
    package var calls = APICallCounts()
    /// Nil where nothing paces calls.
    package var flow: FlowFigures?
    package var validations = ValidationCounts()

    package init(version: String) { self.version = version }
}

/// What became of the Jobs of one ScaledJob, or of all.
package struct JobCounters: Sendable, Equatable {
    package var created = 0
    package var succeeded = 0
    package var failed = 0
    package var cleaned = 0
    /// Creations that the API server refused.
    package var refused = 0

    package init() {}

    static func += (left: inout JobCounters, right: JobCounters) {
        left.created += right.created
        left.succeeded += right.succeeded
        left.failed += right.failed
        left.cleaned += right.cleaned
        left.refused += right.refused
    }
}

/// What one host has done since it started.
package struct ControllerTotals: Sendable, Equatable {
    package enum StatusKind: String, Sendable, CaseIterable { case scaledJob = "scaledjob", authentication }

    private struct StatusWrite: Hashable {
        let kind: StatusKind
        let succeeded: Bool
    }

    /// Jobs of all ScaledJobs, deleted ones included.
    package var jobs = JobCounters()
    package var decisions: [ScalingDecision.Limit: Int] = [:]
    package var events: [EventReason: Int] = [:]
    /// Events that no budget was left for.
    package var droppedEvents = 0
    private var statusWrites: [StatusWrite: Int] = [:]

    package init() {}

    package func statusWrites(_ kind: StatusKind, succeeded: Bool) -> Int {
        self.statusWrites[StatusWrite(kind: kind, succeeded: succeeded)] ?? 0
    }

    mutating func statusWritten(_ kind: StatusKind, _ succeeded: Bool) {
        self.statusWrites[StatusWrite(kind: kind, succeeded: succeeded), default: 0] += 1
    }
}
