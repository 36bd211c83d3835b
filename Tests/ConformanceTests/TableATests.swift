import Scaling
import Testing

/// A: the bounds that follow from `minReplicaCount` and `maxReplicaCount`.
@Suite struct TableATests {
    struct Row: ConformanceRow {
        let id: String
        let maximum: Int?
        let minimum: Int?
        let ceiling: Int
        let base: Int
    }

    static let rows: [Row] = [
        Row(id: "A1", maximum: 10, minimum: 0, ceiling: 10, base: 0),
        Row(id: "A2", maximum: 10, minimum: nil, ceiling: 10, base: 0),
        Row(id: "A3", maximum: 10, minimum: 1, ceiling: 9, base: 1),
        Row(id: "A4", maximum: nil, minimum: 1, ceiling: 100, base: 1),
        Row(id: "A5", maximum: nil, minimum: nil, ceiling: 100, base: 0),
        Row(id: "A6", maximum: 1, minimum: 10, ceiling: 1, base: 1),
        Row(id: "A7", maximum: 10, minimum: 10, ceiling: 0, base: 10),
        Row(id: "A8", maximum: nil, minimum: 150, ceiling: 100, base: 150),
        Row(id: "A9", maximum: 100, minimum: 5, ceiling: 95, base: 5),
    ]

    @Test(arguments: rows) func ceilingAndBaseFollowFromMinimumAndMaximum(row: Row) {
        let bounds = ReplicaBounds(minimum: row.minimum, maximum: row.maximum)
        #expect(bounds.demandCeiling == row.ceiling)
        #expect(bounds.base == row.base)
    }
}
