import Controller
import Foundation
import Kubernetes
import Scaling
import Testing

/// Table I: which Jobs are finished.
@Suite struct FinishedJobTests {
    enum Bucket: Sendable { case none, completed, failed }

    struct Row: ConformanceRow {
        let id: String
        let conditions: [(type: String, status: String)]
        let bucket: Bucket
    }

    static let rows: [Row] = [
        Row(id: "I1", conditions: [], bucket: .none),
        Row(id: "I3", conditions: [("Failed", "True")], bucket: .failed),
        Row(id: "I4", conditions: [("Complete", "False")], bucket: .none),
        Row(id: "I6", conditions: [("SuccessCriteriaMet", "True")], bucket: .none),
        Row(id: "I7", conditions: [("FailureTarget", "True")], bucket: .none),
    ]

    /// The rule beyond the rows: only Complete and Failed count, and the first that is true decides.
    static let others: [Row] = [
        Row(id: "Complete", conditions: [("Complete", "True")], bucket: .completed),
        Row(id: "Failed=False", conditions: [("Failed", "False")], bucket: .none),
        Row(id: "Unknown", conditions: [("Complete", "Unknown")], bucket: .none),
        Row(id: "Suspended", conditions: [("Suspended", "True")], bucket: .none),
        Row(id: "target, then end", conditions: [("FailureTarget", "True"), ("Failed", "True")], bucket: .failed),
        Row(id: "resumed", conditions: [("Suspended", "False"), ("Complete", "True")], bucket: .completed),
        Row(id: "both", conditions: [("Complete", "True"), ("Failed", "True")], bucket: .completed),
    ]

    @Test(arguments: rows + others)
    func onlyCompleteAndFailedFinishAJob(row: Row) throws {
        let observed = try Self.observed(row.conditions)
        switch row.bucket {
        case .none: #expect(!observed.isFinished)
        case .completed: #expect(observed.phase == .succeeded(at: 1_767_225_600))
        case .failed: #expect(observed.phase == .failed(at: 1_767_225_600))
        }
    }

    /// Jobs that a queue holds back, and Jobs that are being deleted, hold their slots and are no history.
    @Test(arguments: [(true, false), (false, true), (true, true)])
    func suspendedAndTerminatingJobsAreUnfinished(isSuspended: Bool, isTerminating: Bool) throws {
        let observed = try Self.observed([], isSuspended: isSuspended, isTerminating: isTerminating)
        var tracker = JobTracker()
        _ = tracker.upserted(observed, now: .now)
        #expect(tracker.unfinished == 1)
        #expect(HistoryTests.excess(of: [observed], RetentionPolicy(successful: 0, failed: 0)) == [])
    }

    static func observed(
        _ conditions: [(type: String, status: String)],
        isSuspended: Bool = false,
        isTerminating: Bool = false
    ) throws -> JobTracker.Observed {
        var metadata: JSONValue = ["name": "job", "namespace": "test", "uid": "1"]
        if isTerminating { metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z" }
        let job: JSONValue = [
            "metadata": metadata,
            "spec": ["suspend": .bool(isSuspended)],
            "status": [
                "conditions": .array(
                    conditions.map { condition in
                        [
                            "type": .string(condition.type), "status": .string(condition.status),
                            "lastTransitionTime": "2026-01-01T00:00:00Z",
                        ]
                    }
                )
            ],
        ]
        return JobSummary(try JSONDecoder().decode(Job.self, from: Data(job.encoded()))).observed
    }
}
