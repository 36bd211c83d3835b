import Controller
import Kubernetes
import Scaling
import Testing

/// H: whether one unfinished Job is pending.
@Suite struct TableHTests {
    struct Row: ConformanceRow {
        /// What is known of the Job's Pods.
        enum Pods: Sendable {
            case known([Pod])
            case podsUnknown
            case jobsUnknown
        }

        let id: String
        let conditions: [String]
        let pods: Pods
        /// Nil: not known, so the decision holds.
        let pending: Int?
        var difference: String?
    }

    static let wanted = ["Ready", "PodScheduled"]
    static let ready = pod("Pending", "Ready")
    static let scheduled = pod("Pending", "PodScheduled")
    static let both = pod("Pending", "Ready", "PodScheduled")
    static let bare = pod("Running")

    static func pod(_ phase: String, _ conditions: String...) -> Pod {
        Pod(metadata: ObjectMetadata(name: "any"), phase: phase, conditions: Set(conditions))
    }

    static let rows: [Row] = [
        Row(id: "H1", conditions: [], pods: .known([pod("Succeeded")]), pending: 0),
        Row(id: "H3", conditions: [], pods: .known([pod("Failed")]), pending: 1),
        Row(id: "H4", conditions: [], pods: .known([pod("Pending")]), pending: 1),
        Row(id: "H6", conditions: wanted, pods: .known([bare]), pending: 1),
        Row(id: "H7", conditions: wanted, pods: .known([ready]), pending: 1),
        Row(id: "H9", conditions: wanted, pods: .known([both]), pending: 0),
        Row(id: "H10", conditions: wanted, pods: .known([both, both]), pending: 0),
        Row(id: "H12", conditions: wanted, pods: .known([ready, scheduled]), pending: 1),
        Row(id: "H13", conditions: wanted, pods: .known([ready, both, bare]), pending: 0),
        Row(
            id: "H15",
            conditions: [],
            pods: .known([pod("Running", "Ready")]),
            pending: 0
        ),
        Row(id: "H16", conditions: [], pods: .known([]), pending: 1),
        Row(
            id: "H18",
            conditions: wanted,
            pods: .podsUnknown,
            pending: nil,
            difference: "a failed list of Pods is unknown and holds; KEDA counts the Job as pending"
        ),
        Row(
            id: "H19",
            conditions: ["Ready", "Ready"],
            pods: .known([ready]),
            pending: 0,
            difference: "a condition that is listed twice is one; with KEDA the Job is pending for ever"
        ),
        Row(
            id: "H21",
            conditions: [],
            pods: .jobsUnknown,
            pending: nil,
            difference: "a failed list of Jobs is unknown and holds; KEDA counts no Job as pending"
        ),
    ]

    @Test(arguments: rows) func aJobIsPendingUntilOnePodSatisfies(row: Row) throws {
        var situation = SituationSketch(
            triggers: [(4, 1, true)],
            maximum: 10,
            strategy: ["strategy": "accurate"],
            running: 1
        )
        switch row.pods {
        case .known(let pods):
            let pending = PendingRule(row.conditions).isPending(pods.map(PodStanding.init)) ? 1 : 0
            #expect(pending == row.pending)
            situation.pending = pending
        case .podsUnknown: situation.pending = nil
        case .jobsUnknown: situation.jobsFailure = "the API server is away"
        }
        let decision = try situation.tried().decision
        #expect(decision.create == (row.pending.map { 4 - $0 } ?? 0))
        #expect((decision.limit == .unknown) == (row.pending == nil))
    }
}
