import Controller
import Scaling
import Testing

/// C: one trigger.
@Suite struct TableCTests {
    struct Row: ConformanceRow {
        let id: String
        let value: Double
        let target: Double
        var isActive = true
        var minimum: Int?
        let active: Bool
        let scaleTo: Int
        let maxScale: Int
    }

    static let rows: [Row] = [
        Row(id: "C1", value: 20, target: 2, minimum: 1, active: true, scaleTo: 20, maxScale: 10),
        Row(id: "C3", value: 5, target: 5, active: true, scaleTo: 5, maxScale: 1),
        Row(id: "C4", value: 6, target: 5, active: true, scaleTo: 6, maxScale: 2),
        Row(id: "C6", value: 1000, target: 5, active: true, scaleTo: 1000, maxScale: 100),
        Row(id: "C7", value: 7.5, target: 1, active: true, scaleTo: 8, maxScale: 8),
        Row(id: "C9", value: 2, target: 0.5, active: true, scaleTo: 2, maxScale: 4),
        Row(id: "C10", value: 10, target: 0, active: true, scaleTo: 10, maxScale: 0),
        Row(id: "C12", value: 0, target: 1, active: false, scaleTo: 0, maxScale: 0),
        Row(id: "C13", value: 10, target: 1, isActive: false, active: false, scaleTo: 0, maxScale: 0),
    ]

    @Test(arguments: rows) func oneTriggerIsWorthThatMuch(row: Row) throws {
        let sketch = SituationSketch(
            triggers: [(row.value, row.target, row.isActive)],
            maximum: 100,
            minimum: row.minimum,
            running: row.minimum ?? 0
        )
        let decision = try sketch.tried().decision
        #expect(decision.isActive == row.active)
        #expect(decision.numbers?.queueLength == row.scaleTo)
        #expect(decision.numbers?.maxScale == row.maxScale)
    }
}
