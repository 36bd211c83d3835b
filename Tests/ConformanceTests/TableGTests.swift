import Controller
import Kubernetes
import Scaling
import Testing

/// G: one poll from end to end.
@Suite struct TableGTests {
    struct Row: ConformanceRow {
        let id: String
        let situation: SituationSketch
        let active: Bool?
        let scaleTo: Int?
        let maxScale: Int?
        let effective: Int?
        let create: Int
        var ready = "ScaledJobReady"
        var difference: String?

        init(
            _ id: String,
            _ triggers: [SituationSketch.Trigger],
            maximum: Int?,
            minimum: Int? = nil,
            _ strategy: JSONValue = ["strategy": "default"],
            running: Int = 0,
            pending: Int = 0,
            active: Bool?,
            _ scaleTo: Int?,
            _ maxScale: Int?,
            _ effective: Int?,
            create: Int
        ) {
            self.id = id
            self.situation = SituationSketch(
                triggers: triggers,
                maximum: maximum,
                minimum: minimum,
                strategy: strategy,
                running: running,
                pending: pending
            )
            self.active = active
            self.scaleTo = scaleTo
            self.maxScale = maxScale
            self.effective = effective
            self.create = create
        }

        init(
            _ id: String,
            _ situation: SituationSketch,
            active: Bool?,
            _ scaleTo: Int?,
            _ maxScale: Int?,
            _ effective: Int?,
            create: Int,
            ready: String,
            difference: String
        ) {
            self.id = id
            self.situation = situation
            self.active = active
            self.scaleTo = scaleTo
            self.maxScale = maxScale
            self.effective = effective
            self.create = create
            self.ready = ready
            self.difference = difference
        }

        func differing(_ why: String) -> Row {
            var row = self
            row.difference = why
            return row
        }
    }

    static let accurate: JSONValue = ["strategy": "accurate"]
    static let eager: JSONValue = ["strategy": "eager"]

    static func custom(_ deduction: Int64, _ percentage: JSONValue) -> JSONValue {
        [
            "strategy": "custom", "customScalingQueueLengthDeduction": .integer(deduction),
            "customScalingRunningJobPercentage": percentage,
        ]
    }

    static let capped = "the unfinished Jobs never exceed maxReplicaCount; KEDA caps one batch, not the total"

    static let rows: [Row] = [
        Row("G1", [(3, 1, true)], maximum: 5, active: true, 3, 3, 3, create: 3),
        Row("G3", [(0, 10, false)], maximum: 3, active: false, 0, 0, 0, create: 0),
        Row("G4", [(0, 1, false)], maximum: 10, minimum: 2, active: true, 0, 0, 2, create: 2),
        Row("G6", [(0, 1, false)], maximum: 1, minimum: 2, active: true, 0, 0, 1, create: 1),
        Row("G6b", [(0, 1, false)], maximum: 1, minimum: 2, running: 1, active: true, 0, 0, 0, create: 0),
        Row("G7", [(3, 1, true)], maximum: 4, minimum: 2, active: true, 3, 2, 2, create: 2),
        Row("G7b", [(3, 1, true)], maximum: 4, minimum: 2, running: 2, pending: 2, active: true, 3, 2, 2, create: 2),
        Row("G7c", [(3, 1, true)], maximum: 4, minimum: 2, running: 4, pending: 2, active: true, 3, 2, 0, create: 0),
        Row("G9", [(4, 1, true)], maximum: 10, accurate, active: true, 4, 4, 4, create: 4),
        Row("G9b", [(4, 1, true)], maximum: 10, accurate, running: 4, pending: 4, active: true, 4, 4, 0, create: 0),
        Row("G9c", [(4, 1, true)], maximum: 10, accurate, running: 4, active: true, 4, 4, 4, create: 4),
        Row("G9d", [(4, 1, true)], maximum: 10, accurate, running: 8, active: true, 4, 4, 2, create: 2),
        Row("G10", [(7, 5, true)], maximum: 100, active: true, 7, 2, 2, create: 2),
        Row("G12", [(2, 0.5, true)], maximum: 100, active: true, 2, 4, 4, create: 2),
        Row("G13", [(100, 1, true)], maximum: 50, running: 20, active: true, 100, 50, 30, create: 30),
        Row("G15", [(1000, 1, true)], maximum: nil, minimum: 5, running: 5, active: true, 1000, 100, 100, create: 100),
        Row("G16", [(1000, 1, true)], maximum: nil, minimum: 5, running: 105, active: true, 1000, 100, 0, create: 0),
        Row("G18", [(100, 1, true)], maximum: 10, custom(0, "0"), running: 10, active: true, 100, 10, 10, create: 0)
            .differing(capped),
        Row("G18b", [(100, 1, true)], maximum: 10, custom(0, "0"), running: 20, active: true, 100, 10, 10, create: 0)
            .differing(capped),
        Row("G19", [(0, 1, true)], maximum: 10, custom(-2, "0").summing, active: true, 0, 0, 2, create: 0),
        Row("G21", [(10, 1, true)], maximum: 10, minimum: 10, running: 10, active: true, 10, 0, 0, create: 0),
        Row("G22", [(50, 1, true)], maximum: 100, minimum: 3, running: 1, active: true, 50, 50, 2, create: 2),
        Row(
            "G24",
            SituationSketch(failures: ["the source is away"], maximum: 100, minimum: 0),
            active: false,
            nil,
            nil,
            nil,
            create: 0,
            ready: "TriggerError",
            difference: "a source that cannot be read is unknown, not empty: there are no numbers"
        ),
        Row(
            "G25",
            SituationSketch(triggers: [(100, 1, true)], maximum: 50, jobsFailure: "the API server is away"),
            active: true,
            100,
            50,
            nil,
            create: 0,
            ready: "ScaledJobReady",
            difference: "a failed list of Jobs holds; KEDA counts 0 running and creates a full batch"
        ),
        Row("G27", [(4, 1, true)], maximum: 10, eager, running: 5, pending: 5, active: true, 4, 4, 0, create: 0),
        Row("G28", [(10000, 10, true)], maximum: 200, active: true, 10000, 200, 200, create: 200),
    ]

    @Test(arguments: rows) func onePollFromEndToEnd(row: Row) throws {
        let trial = try row.situation.tried()
        #expect(trial.json["active"] == row.active.map(JSONValue.bool))
        #expect(trial.decision.numbers?.queueLength == row.scaleTo)
        #expect(trial.decision.numbers?.maxScale == row.maxScale)
        #expect(trial.decision.numbers?.effectiveMaxScale == row.effective)
        #expect(trial.decision.create == row.create)
        #expect(!trial.decision.reason.isEmpty)
        #expect(trial.json[path: "conditions", "Ready", "reason"] == .string(row.ready))
    }

    /// Nothing read, because there is nothing to read, is the same situation without its difference.
    @Test func noReadingsAtAllAreAnEmptyBacklog() throws {
        let decision = try SituationSketch(maximum: 100, minimum: 0).tried().decision
        #expect(decision.isActive == false)
        #expect(decision.numbers?.queueLength == 0)
        #expect(decision.create == 0)
    }
}

extension JSONValue {
    fileprivate var summing: JSONValue {
        var value = self
        value["multipleScalersCalculation"] = "sum"
        return value
    }
}
