import Scaling
import Testing

/// B: the target of a source with several metrics.
@Suite struct TableBTests {
    struct Row: ConformanceRow {
        let id: String
        let targets: [Double?]
        let target: Double
    }

    static let rows: [Row] = [
        Row(id: "B1", targets: [], target: 0),
        Row(id: "B3", targets: [5, 5, 3], target: 4.333333333333333),
        Row(id: "B4", targets: [5, 5, 4], target: 4.666666666666667),
        Row(id: "B6", targets: [10, nil], target: 5),
    ]

    @Test(arguments: rows) func theTargetIsTheMeanOfAll(row: Row) {
        #expect(TriggerBacklog.meanTarget(row.targets) == row.target)
    }
}
