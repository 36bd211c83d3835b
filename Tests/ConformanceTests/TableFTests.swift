import Controller
import Kubernetes
import Scaling
import Testing

/// F: the decision with a minimum.
@Suite struct TableFTests {
    struct Row: ConformanceRow {
        let id: String
        let minimum: Int
        let maximum: Int
        let running: Int
        let pending: Int
        /// What the only trigger reports, with a target of 1.
        let waiting: Double
        let strategy: JSONValue
        let effective: Int
        let scaleTo: Int
    }

    static let rows: [Row] = [
        Row(
            id: "F1",
            minimum: 2,
            maximum: 100,
            running: 0,
            pending: 0,
            waiting: 0,
            strategy: "default",
            effective: 2,
            scaleTo: 2
        ),
        Row(
            id: "F3",
            minimum: 1,
            maximum: 100,
            running: 1,
            pending: 0,
            waiting: 2,
            strategy: "default",
            effective: 2,
            scaleTo: 2
        ),
        Row(
            id: "F4",
            minimum: 5,
            maximum: 100,
            running: 2,
            pending: 0,
            waiting: 50,
            strategy: "default",
            effective: 3,
            scaleTo: 3
        ),
        Row(
            id: "F6",
            minimum: 3,
            maximum: 10,
            running: 8,
            pending: 0,
            waiting: 7,
            strategy: "default",
            effective: 2,
            scaleTo: 7
        ),
        Row(
            id: "F7",
            minimum: 2,
            maximum: 10,
            running: 2,
            pending: 2,
            waiting: 4,
            strategy: "accurate",
            effective: 2,
            scaleTo: 4
        ),
    ]

    @Test(arguments: rows) func theBaseComesFirst(row: Row) throws {
        let sketch = SituationSketch(
            triggers: [(row.waiting, 1, row.waiting > 0)],
            maximum: row.maximum,
            minimum: row.minimum,
            strategy: ["strategy": row.strategy],
            running: row.running,
            pending: row.pending
        )
        let decision = try sketch.tried().decision
        #expect(decision.numbers?.effectiveMaxScale == row.effective)
        #expect(decision.numbers?.scaleTo == row.scaleTo)
        #expect(decision.create == Swift.min(row.effective, row.scaleTo))
    }
}
