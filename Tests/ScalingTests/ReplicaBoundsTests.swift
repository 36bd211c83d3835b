import Scaling
import Testing

@Suite struct ReplicaBoundsTests {
    @Test(
        arguments: [
            ("A1", 10, 0, 10, 0), ("A2", 10, nil, 10, 0), ("A3", 10, 1, 9, 1), ("A4", nil, 1, 100, 1),
            ("A5", nil, nil, 100, 0), ("A6", 1, 10, 1, 1), ("A7", 10, 10, 0, 10), ("A8", nil, 150, 100, 150),
            ("A9", 100, 5, 95, 5),
        ] as [(String, Int?, Int?, Int, Int)]
    )
    func ceilingAndBaseFollowFromMinimumAndMaximum(row: (String, Int?, Int?, Int, Int)) {
        let bounds = ReplicaBounds(minimum: row.2, maximum: row.1)
        #expect(bounds.demandCeiling == row.3, "\(row.0)")
        #expect(bounds.base == row.4, "\(row.0)")
    }

    @Test func crossedBoundsNeverExceedTheMaximum() {
        #expect(ReplicaBounds(minimum: 10, maximum: 1).mostUnfinished == 1)
        #expect(ReplicaBounds(minimum: 5, maximum: nil).mostUnfinished == 105)
    }
}
