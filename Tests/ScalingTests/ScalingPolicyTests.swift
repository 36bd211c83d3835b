import Scaling
import Testing

@Suite struct ScalingPolicyTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let id: String
        let waiting: Double
        var target: Double = 1
        var isActive = true
        let maximum: Int?
        var minimum: Int?
        let unfinished: Int
        var served: Int?
        let create: Int
        let limit: ScalingDecision.Limit
        var testDescription: String { self.id }
    }

    /// A base Job that has just been asked for waits for its call while another has finished since the reading.
    @Test(arguments: [(1, 2, 0), (1, 3, 0), (2, 4, 0), (3, 4, 1)])
    func baseJobsAreNotTakenBackForWantOfWork(unfinished: Int, served: Int, withdrawn: Int) {
        let base = Swift.min(unfinished, 2)
        let policy = ScalingPolicy(bounds: ReplicaBounds(minimum: base, maximum: 5))
        let backlog = Backlog.known(.nothing(askedAt: .now))
        let jobs = ScalingPolicy.Jobs(unfinished: unfinished, servedSinceReading: served)
        #expect(policy.decide(backlog, jobs).withdraw == withdrawn)
    }

    @Test(arguments: [
        Row(id: "G1", waiting: 3, maximum: 5, unfinished: 0, create: 3, limit: .backlog),
        Row(id: "G3", waiting: 0, target: 10, isActive: false, maximum: 3, unfinished: 0, create: 0, limit: .inactive),
        Row(
            id: "G4",
            waiting: 0,
            isActive: false,
            maximum: 10,
            minimum: 2,
            unfinished: 0,
            create: 2,
            limit: .minReplicaCount
        ),
        Row(
            id: "G6",
            waiting: 0,
            isActive: false,
            maximum: 1,
            minimum: 2,
            unfinished: 0,
            create: 1,
            limit: .maxReplicaCount
        ),
        Row(id: "G6b", waiting: 0, isActive: false, maximum: 1, minimum: 2, unfinished: 1, create: 0, limit: .backlog),
        Row(id: "G7", waiting: 3, maximum: 4, minimum: 2, unfinished: 0, create: 2, limit: .minReplicaCount),
        Row(id: "G7b", waiting: 3, maximum: 4, minimum: 2, unfinished: 2, create: 2, limit: .maxReplicaCount),
        Row(id: "G7c", waiting: 3, maximum: 4, minimum: 2, unfinished: 4, create: 0, limit: .maxReplicaCount),
        Row(id: "G10", waiting: 7, target: 5, maximum: 100, unfinished: 0, create: 2, limit: .backlog),
        Row(id: "G12", waiting: 2, target: 0.5, maximum: 100, unfinished: 0, create: 2, limit: .queueLength),
        Row(id: "G13", waiting: 100, maximum: 50, unfinished: 20, create: 30, limit: .maxReplicaCount),
        Row(id: "G15", waiting: 1000, maximum: nil, minimum: 5, unfinished: 5, create: 100, limit: .maxReplicaCount),
        Row(id: "G16", waiting: 1000, maximum: nil, minimum: 5, unfinished: 105, create: 0, limit: .maxReplicaCount),
        Row(id: "G21", waiting: 10, maximum: 10, minimum: 10, unfinished: 10, create: 0, limit: .maxReplicaCount),
        Row(id: "G22", waiting: 50, maximum: 100, minimum: 3, unfinished: 1, create: 2, limit: .minReplicaCount),
        Row(id: "G28", waiting: 10000, target: 10, maximum: 200, unfinished: 0, create: 200, limit: .maxReplicaCount),
        Row(id: "F6", waiting: 7, maximum: 10, minimum: 3, unfinished: 8, create: 2, limit: .backlog),
        Row(
            id: "a finished Job may still be counted",
            waiting: 5,
            maximum: 5,
            unfinished: 4,
            served: 5,
            create: 0,
            limit: .backlog
        ),
        Row(
            id: "a freed slot is filled from the same reading",
            waiting: 100,
            maximum: 5,
            unfinished: 4,
            served: 5,
            create: 1,
            limit: .maxReplicaCount
        ),
    ])
    func decisionsGiveTheExpectedNumbers(row: Row) {
        let bounds = ReplicaBounds(minimum: row.minimum, maximum: row.maximum)
        let decision = Self.decide(row, bounds)
        #expect(decision.create == row.create)
        #expect(decision.limit == row.limit)
        #expect(!decision.reason.isEmpty)
    }

    @Test func unknownHoldsAndFillsOnlyTheBase() {
        let policy = ScalingPolicy(bounds: ReplicaBounds(minimum: 2, maximum: 10))
        let below = policy.decide(.unknown("down"), .init(unfinished: 1, servedSinceReading: 1))
        #expect(below.create == 1)
        let above = policy.decide(.unknown("down"), .init(unfinished: 2, servedSinceReading: 2))
        #expect(above.create == 0)
        #expect(above.limit == .unknown)
        #expect(above.queueLength == nil)
    }

    @Test func theMaximumHoldsForAnyNumbers() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let bounds = ReplicaBounds(
                minimum: Bool.random(using: &random) ? Int.random(in: 0...12, using: &random) : nil,
                maximum: Bool.random(using: &random) ? Int.random(in: 1...12, using: &random) : nil
            )
            let unfinished = Int.random(in: 0...bounds.mostUnfinished, using: &random)
            let row = Row(
                id: "random",
                waiting: Double.random(in: 0...1e12, using: &random).rounded(),
                target: [0, 0.1, 1, 3].randomElement(using: &random) ?? 1,
                isActive: Bool.random(using: &random),
                maximum: nil,
                unfinished: unfinished,
                served: unfinished + Int.random(in: 0...3, using: &random),
                create: 0,
                limit: .backlog
            )
            let decision = Self.decide(row, bounds)
            #expect(decision.create >= 0)
            #expect(unfinished + decision.create <= bounds.mostUnfinished, "\(row) \(bounds)")
        }
    }

    static func decide(_ row: Row, _ bounds: ReplicaBounds) -> ScalingDecision {
        let backlog = BacklogCombination.max.combine(
            [
                .known(
                    TriggerBacklog(waiting: row.waiting, target: row.target, isActive: row.isActive),
                    askedAt: .now
                )
            ],
            demandCeiling: bounds.demandCeiling
        )
        return ScalingPolicy(bounds: bounds).decide(
            backlog,
            .init(unfinished: row.unfinished, servedSinceReading: row.served ?? row.unfinished)
        )
    }
}

/// A generator whose run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return self.state ^ (self.state >> 29)
    }
}
