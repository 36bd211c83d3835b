package import Kubernetes
import Scaling

/// One ScaledJob at a glance, for the terminal and for `explain`.
package struct ScaledJobSnapshot: Sendable, Equatable {
    package let key: ObjectKey
    /// The combined backlog, less the Jobs that finished since it was read; nil while it is not known.
    package let waiting: Int?
    package let unfinished: Int
    package let created: Int
    package let succeeded: Int
    package let failed: Int
    package let cleaned: Int
    /// Jobs that exist in the cluster, finished ones included.
    package let existing: Int
    /// The last decision, or what keeps one from being made.
    package let explanation: String
}

extension ControllerMachine {
    /// All ScaledJobs, ordered by namespace and name.
    package func snapshots() -> [ScaledJobSnapshot] {
        self.records.values.map { record in
            let tracker = self.trackers[record.uid] ?? JobTracker()
            let ready = record.status.condition(.ready)
            let isHeldUp = ready.status != .yes && !ready.message.isEmpty
            return ScaledJobSnapshot(
                key: record.key,
                waiting: record.decision?.queueLength.map { Swift.max(0, $0 - Self.finishedSince(record, tracker)) },
                unfinished: tracker.unfinished,
                created: record.counters.created,
                succeeded: record.counters.succeeded,
                failed: record.counters.failed,
                cleaned: record.counters.cleaned,
                existing: tracker.observed.count,
                explanation: isHeldUp ? ready.message : record.decision?.reason ?? "no decision yet"
            )
        }
        .sorted { $0.key < $1.key }
    }

    private static func finishedSince(_ record: ScaledJobRecord, _ tracker: JobTracker) -> Int {
        // Where items count until they are claimed, a Job that finished was no part of what waits.
        guard record.decision?.strategy == .default else { return 0 }
        let asked = record.triggers.compactMap { trigger -> ContinuousClock.Instant? in
            guard case .known(_, let askedAt) = trigger.standing else { return nil }
            return askedAt
        }
        return asked.min().map { tracker.served(since: $0) - tracker.unfinished } ?? 0
    }
}
