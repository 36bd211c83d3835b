import Controller
import Scaling
import Testing

/// D: several triggers.
@Suite struct TableDTests {
    struct Row: ConformanceRow {
        let id: String
        let mode: String?
        let triggers: [SituationSketch.Trigger]
        let maximum: Int
        let minimum: Int?
        let active: Bool
        let scaleTo: Int
        let maxScale: Int

        init(
            _ id: String,
            _ mode: String?,
            _ triggers: [SituationSketch.Trigger],
            maximum: Int = 100,
            minimum: Int? = nil,
            active: Bool,
            _ scaleTo: Int,
            _ maxScale: Int
        ) {
            self.id = id
            self.mode = mode
            self.triggers = triggers
            self.maximum = maximum
            self.minimum = minimum
            self.active = active
            self.scaleTo = scaleTo
            self.maxScale = maxScale
        }
    }

    static let four: [SituationSketch.Trigger] = [(20, 1, true), (10, 2, true), (5, 3, true), (7, 4, false)]

    static let rows: [Row] = [
        Row("D1", "max", four, active: true, 20, 20),
        Row("D3", "avg", four, active: true, 12, 9),
        Row("D4", "sum", four, active: true, 35, 27),
        Row("D6", nil, four, active: true, 20, 20),
        Row("D7", "max", four, maximum: 15, active: true, 20, 15),
        Row("D9", nil, [(0, 1, true)], minimum: 1, active: true, 0, 0),
        Row("D10", "max", [(0, 1, true), (0, 1, true)], active: false, 0, 0),
        Row("D12", "avg", [(0, 1, true), (0, 1, false)], active: true, 0, 0),
        Row("D13", "min", [(0, 1, true), (5, 1, true)], active: true, 5, 5),
        Row("D15", "min", [(5, 1, true), (0, 1, true), (7, 1, true)], active: true, 7, 7),
        Row("D16", "max", [(10, 5, true), (10, 1, true)], active: true, 10, 2),
        Row("D18", nil, [], minimum: 3, active: true, 0, 0),
        Row("D19", nil, [], active: false, 0, 0),
    ]

    @Test(arguments: rows) func triggersCombine(row: Row) throws {
        let sketch = SituationSketch(
            triggers: row.triggers,
            maximum: row.maximum,
            minimum: row.minimum,
            combination: row.mode,
            running: row.minimum ?? 0
        )
        let decision = try sketch.tried().decision
        #expect(decision.isActive == row.active)
        #expect(decision.numbers?.queueLength == row.scaleTo)
        #expect(decision.numbers?.maxScale == row.maxScale)
    }
}
