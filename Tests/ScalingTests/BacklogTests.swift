import Scaling
import Testing

@Suite struct BacklogTests {
    static let now = ContinuousClock.now

    struct Row: CustomTestStringConvertible, Sendable {
        let id: String
        let mode: BacklogCombination
        /// Queue length, target, active.
        let triggers: [(Double, Double, Bool)]
        let maximum: Int?
        var minimum: Int?
        let active: Bool
        let queueLength: Double
        let jobs: Double
        var testDescription: String { self.id }
    }

    static let four: [(Double, Double, Bool)] = [(20, 1, true), (10, 2, true), (5, 3, true), (7, 4, false)]

    @Test(arguments: [
        Row(id: "D1", mode: .max, triggers: four, maximum: 100, active: true, queueLength: 20, jobs: 20),
        Row(id: "D3", mode: .avg, triggers: four, maximum: 100, active: true, queueLength: 12, jobs: 9),
        Row(id: "D4", mode: .sum, triggers: four, maximum: 100, active: true, queueLength: 35, jobs: 27),
        Row(id: "D7", mode: .max, triggers: four, maximum: 15, active: true, queueLength: 20, jobs: 15),
        Row(
            id: "D10",
            mode: .max,
            triggers: [(0, 1, true), (0, 1, true)],
            maximum: 100,
            active: false,
            queueLength: 0,
            jobs: 0
        ),
        Row(
            id: "D12",
            mode: .avg,
            triggers: [(0, 1, true), (0, 1, false)],
            maximum: 100,
            active: true,
            queueLength: 0,
            jobs: 0
        ),
        Row(
            id: "D13",
            mode: .min,
            triggers: [(0, 1, true), (5, 1, true)],
            maximum: 100,
            active: true,
            queueLength: 5,
            jobs: 5
        ),
        Row(
            id: "D15",
            mode: .min,
            triggers: [(5, 1, true), (0, 1, true), (7, 1, true)],
            maximum: 100,
            active: true,
            queueLength: 7,
            jobs: 7
        ),
        Row(
            id: "D16",
            mode: .max,
            triggers: [(10, 5, true), (10, 1, true)],
            maximum: 100,
            active: true,
            queueLength: 10,
            jobs: 2
        ),
        Row(
            id: "C1",
            mode: .max,
            triggers: [(20, 2, true)],
            maximum: 100,
            minimum: 1,
            active: true,
            queueLength: 20,
            jobs: 10
        ),
        Row(
            id: "C6",
            mode: .max,
            triggers: [(1000, 5, true)],
            maximum: 100,
            active: true,
            queueLength: 1000,
            jobs: 100
        ),
        Row(id: "C10", mode: .max, triggers: [(10, 0, true)], maximum: 100, active: true, queueLength: 10, jobs: 0),
        Row(id: "C13", mode: .max, triggers: [(10, 1, false)], maximum: 100, active: false, queueLength: 0, jobs: 0),
    ])
    func triggersCombineAsExistingManifestsExpect(row: Row) throws {
        let standings = row.triggers.map {
            TriggerStanding.known(TriggerBacklog(waiting: $0.0, target: $0.1, isActive: $0.2), askedAt: Self.now)
        }
        let bounds = ReplicaBounds(minimum: row.minimum, maximum: row.maximum)
        guard case .known(let amount) = row.mode.combine(standings, demandCeiling: bounds.demandCeiling) else {
            Issue.record("unknown")
            return
        }
        #expect(amount.isActive == row.active)
        #expect(amount.queueLength.rounded(.up) == row.queueLength)
        #expect(amount.jobs.rounded(.up) == row.jobs)
        #expect(amount.uncutJobs >= amount.jobs)
    }

    @Test(arguments: [BacklogCombination.min, .avg])
    func anUnknownTriggerMakesLowerBoundsUseless(mode: BacklogCombination) {
        let combined = mode.combine([Self.known(5), .unknown("down")], demandCeiling: 100)
        // That a trigger which is known makes the whole active holds whatever the other one says.
        #expect(combined == .unknown("down", isActive: true))
        #expect(mode.combine([Self.known(0), .unknown("down")], demandCeiling: 100) == .unknown("down"))
    }

    @Test(arguments: [BacklogCombination.max, .sum])
    func anUnknownTriggerLeavesALowerBound(mode: BacklogCombination) {
        guard case .known(let amount) = mode.combine([Self.known(5), .unknown("down")], demandCeiling: 100) else {
            Issue.record("unknown")
            return
        }
        #expect(amount.queueLength == 5)
        #expect(amount.unknownTriggers == 1)
    }

    @Test(arguments: BacklogCombination.allCases)
    func nothingKnownIsUnknownAndNotZero(mode: BacklogCombination) {
        #expect(mode.combine([.unknown("down")], demandCeiling: 100) == .unknown("down"))
        #expect(mode.combine([], demandCeiling: 100) == .unknown("no trigger has been read yet"))
    }

    static func known(_ waiting: Double) -> TriggerStanding {
        .known(TriggerBacklog(waiting: waiting, target: 1, isActive: waiting > 0), askedAt: Self.now)
    }
}
