import Scaling
import Testing

/// The rules of the ledger, one by one.
@Suite struct AdmissionLedgerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let scope: AdmissionScope
        let limits: AdmissionLimits
        let granted: Int
        let limit: ScalingDecision.Limit
        let sentence: String

        var testDescription: String { self.sentence }
    }

    static let rows = [
        Row(
            scope: .budget("night"),
            limits: AdmissionLimits(runningJobs: 3),
            granted: 3,
            limit: .maxRunningJobs,
            sentence: "waits for the budget night: 3 of 3 Jobs running"
        ),
        Row(
            scope: .namespace("media"),
            limits: AdmissionLimits(runningJobs: 2),
            granted: 2,
            limit: .maxRunningJobs,
            sentence: "waits for the namespace media: 2 of 2 Jobs running"
        ),
        Row(
            scope: .host,
            limits: AdmissionLimits(runningJobs: 0),
            granted: 0,
            limit: .maxRunningJobs,
            sentence: "waits for the host's limit: 0 of 0 Jobs running"
        ),
        Row(
            scope: .scaledJob("s"),
            limits: AdmissionLimits(runningJobs: 4),
            granted: 4,
            limit: .maxRunningJobs,
            sentence: "waits for its own limit: 4 of 4 Jobs running"
        ),
        Row(
            scope: .namespace("media"),
            limits: AdmissionLimits(jobObjects: 5),
            granted: 5,
            limit: .resourceQuota,
            sentence: "waits for the namespace media: 5 of 5 Jobs exist"
        ),
        Row(
            scope: .namespace("media"),
            limits: AdmissionLimits(resources: ["memory": (5 << 30) * 1000]),
            granted: 2,
            limit: .resourceQuota,
            sentence: "waits for the namespace media: 4Gi of 5Gi memory in use, one Job needs 2Gi memory"
        ),
        Row(
            scope: .budget("night"),
            limits: AdmissionLimits(resources: ["nvidia.com/gpu": 8000]),
            granted: 8,
            limit: .maxResources,
            sentence: "waits for the budget night: 8 of 8 nvidia.com/gpu in use"
        ),
        Row(
            scope: .budget("night"),
            limits: AdmissionLimits(resources: ["cpu": 4000]),
            granted: 2,
            limit: .maxResources,
            sentence: "waits for the budget night: 3 of 4 cpu in use, one Job needs 1.5 cpu"
        ),
        Row(
            scope: .budget("night"),
            limits: AdmissionLimits(resources: ["cpu": 1000]),
            granted: 0,
            limit: .maxResources,
            sentence: "can't run under the budget night: one Job needs 1.5 cpu, the limit is 1"
        ),
        Row(
            scope: .budget("night"),
            limits: AdmissionLimits(jobsPerBatch: 6),
            granted: 6,
            limit: .maxJobsPerBatch,
            sentence: "waits for its next poll: the budget night allows 6 Jobs from one to the next"
        ),
        Row(
            scope: .host,
            limits: AdmissionLimits(jobsPerSecond: 2.5),
            granted: 1,
            limit: .maxJobsPerSecond,
            sentence: "waits for the host's limit: 2.5 Jobs per second at the most"
        ),
    ]

    @Test(arguments: rows) func eachLimitHoldsAndIsNamed(row: Row) {
        var world = AdmissionWorld()
        var claim = Self.claim
        if case .scaledJob = row.scope { claim.limits = row.limits } else { world.limit(row.scope, row.limits) }
        world.add("s", claim, backlog: 20)
        // One beside it, under none of the limits but the host's.
        var other = AdmissionClaim(namespace: "other")
        other.cost = claim.cost
        world.add("other", other, backlog: 20)
        let granted = world.grant()
        #expect(granted.count { $0 == "s" } <= row.granted)
        if row.scope == .host {
            #expect(granted.count == row.granted)
        } else {
            #expect(granted.count { $0 == "s" } == row.granted)
            #expect(granted.count { $0 == "other" } == 20)
        }
        #expect(world.ledger.wait(of: "s")?.sentence == row.sentence)
        #expect(world.ledger.wait(of: "s")?.decisionLimit == row.limit)
        let changed = world.ledger.takeChangedWaits()
        #expect(changed.contains("s"))
        if case .scaledJob = row.scope { return }
        let standing = world.ledger.standing(of: row.scope)
        #expect(standing.waiting.map(\.uid).contains("s"))
        #expect(standing.waitingCount == standing.waiting.count)
        // Without the limit everything follows.
        world.limit(row.scope, nil)
        world.grant()
        #expect(world.people["s"]?.running == 20)
        #expect(world.ledger.wait(of: "s") == nil)
        #expect(world.ledger.standing(of: row.scope).waitingCount == 0)
    }

    @Test func aSlotComesBackWithItsJob() {
        var world = AdmissionWorld()
        world.limit(.host, AdmissionLimits(runningJobs: 2))
        world.add("s", Self.claim)
        #expect(world.grant().count == 2)
        world.finish(0)
        #expect(world.grant() == ["s"])
        #expect(world.grant() == [])
    }

    @Test func whatWasUsedElsewhereCountsWithoutAClaim() {
        var world = AdmissionWorld()
        world.limit(.namespace("media"), AdmissionLimits(runningJobs: 3))
        world.ledger.setUse(of: "deleted", namespace: "media", AdmissionUse(jobs: 2, objects: 2), now: world.now)
        world.add("s", Self.claim)
        #expect(world.grant().count == 1)
        world.ledger.setUse(of: "deleted", namespace: nil, AdmissionUse(), now: world.now)
        #expect(world.grant().count == 2)
    }

    @Test func theUseMovesToTheBudgetThatSelectsIt() {
        var world = AdmissionWorld()
        world.limit(.budget("night"), AdmissionLimits(runningJobs: 3))
        world.limit(.budget("day"), AdmissionLimits(runningJobs: 5))
        world.add("s", Self.claim)
        #expect(world.grant().count == 3)
        var claim = Self.claim
        claim.budgets = ["day"]
        world.claim("s", claim)
        #expect(world.ledger.standing(of: .budget("night")).inUse == AdmissionUse())
        #expect(world.ledger.standing(of: .budget("day")).inUse.jobs == 3)
        #expect(world.grant().count == 2)
    }

    @Test func nothingIsGrantedWhileSomethingIsUnknown() {
        var world = AdmissionWorld()
        world.add("s", Self.claim, backlog: 2)
        world.ledger.setUnknown("the ResourceQuotas", true)
        #expect(world.grant() == [])
        #expect(world.ledger.wait(of: "s")?.sentence == "waits until the ResourceQuotas are known")
        #expect(world.ledger.wait(of: "s")?.decisionLimit == .unknown)
        world.ledger.setUnknown("the ResourceQuotas", false)
        #expect(world.grant().count == 2)
    }

    @Test func onlySharedLimitsWaitForTheJobsOfAllNamespaces() {
        var world = AdmissionWorld()
        world.ledger.setComplete(false)
        world.limit(.budget("night"), AdmissionLimits(runningJobs: 5))
        world.add("s", Self.claim, backlog: 2)
        world.add("other", AdmissionClaim(namespace: "other"), backlog: 2)
        #expect(world.grant() == ["other", "other"])
        world.ledger.setComplete(true)
        #expect(world.grant() == ["s", "s"])
    }

    @Test func theBatchBeginsWithThePoll() {
        var world = AdmissionWorld()
        world.limit(.budget("night"), AdmissionLimits(jobsPerBatch: 5))
        var claim = Self.claim
        claim.limits.jobsPerBatch = 3
        world.add("s", claim)
        #expect(world.grant().count == 3)
        world.finish(0)
        #expect(world.grant() == [])
        world.startBatch("s")
        #expect(world.grant().count == 3)
    }

    // MARK: - Rates

    @Test(arguments: [0.5, 7, 20, 120]) func aRateHoldsOverAMinute(rate: Double) {
        var world = AdmissionWorld()
        world.limit(.budget("night"), AdmissionLimits(jobsPerSecond: rate))
        for index in 0..<3 { world.add("s\(index)", Self.claim, duration: 1...1) }
        world.run(60)
        let most = Double(world.grants.count)
        #expect(most <= Swift.max(rate * 60 * 1.05, rate * 60 + 1))
        #expect(most >= rate * 60 * 0.95)
        // Never much in any second.
        for second in 0..<60 {
            let count = world.grants.count { $0.at >= Double(second) && $0.at < Double(second + 1) }
            #expect(Double(count) <= rate * 1.25 + 1)
        }
    }

    @Test func whatIsNotUsedOfARateIsNotSaved() {
        var world = AdmissionWorld()
        world.limit(.host, AdmissionLimits(jobsPerSecond: 10))
        world.add("s", Self.claim, backlog: 1)
        world.run(100)
        world.people["s"]?.backlog = 100
        world.tell("s")
        world.run(1)
        #expect(world.grants.count <= 1 + 10 + 2)
    }

    @Test func theLedgerNamesItsNextWakeAndNoOther() throws {
        var world = AdmissionWorld()
        #expect(world.ledger.nextWake == nil)
        world.limit(.host, AdmissionLimits(jobsPerSecond: 2))
        world.add("s", Self.claim, backlog: 2)
        #expect(world.grant().count == 1)
        let wake = try #require(world.ledger.nextWake)
        #expect(abs((wake - world.now) / .milliseconds(1) - 500) < 1)
        world.advance(to: wake)
        #expect(world.grant().count == 1)
        #expect(world.ledger.nextWake == nil)
    }

    // MARK: - Large Jobs

    @Test func aLargeJobIsOvertakenForAMinuteOnly() {
        var world = AdmissionWorld(seed: 2)
        world.limit(.budget("night"), AdmissionLimits(resources: ["nvidia.com/gpu": 4000]))
        for index in 0..<4 { world.add("small\(index)", Self.gpus(1), duration: 5...15) }
        world.run(30)
        world.add("large", Self.gpus(4), duration: 10...10)
        world.run(90)
        let first = world.grants.first { $0.uid == "large" }?.at ?? .infinity
        // Until a small one comes before it, a minute, and until the small ones are done.
        #expect(first <= 30 + 15 + 60 + 15)
        world.run(1000)
        #expect(world.people["large"]?.grants ?? 0 > 5)
        #expect(world.people["small0"]?.grants ?? 0 > 5)
    }

    @Test func nothingIsKeptForAJobThatCanNeverRun() {
        var world = AdmissionWorld(seed: 2)
        world.limit(.budget("night"), AdmissionLimits(resources: ["nvidia.com/gpu": 4000]))
        world.add("large", Self.gpus(5))
        world.add("small", Self.gpus(1), duration: 5...15)
        world.run(500) { world in #expect(world.people["small"]?.running == 4) }
        #expect(world.ledger.wait(of: "large")?.cause == .unsatisfiable)
        world.limit(.budget("night"), AdmissionLimits(resources: ["nvidia.com/gpu": 8000]))
        world.run(500)
        #expect(world.people["large"]?.grants ?? 0 > 0)
    }

    @Test func whatIsKeptForALargeJobKeepsNoOtherResource() {
        var world = AdmissionWorld(seed: 2)
        world.limit(.budget("night"), AdmissionLimits(resources: ["nvidia.com/gpu": 4000, "cpu": 100_000]))
        world.add("small", Self.gpus(1), duration: 50...150)
        world.run(1)
        world.add("large", Self.gpus(4))
        world.run(200)
        var claim = AdmissionClaim(namespace: "media", budgets: ["night"])
        claim.cost["cpu"] = 1000
        world.add("cores", claim, backlog: 5)
        #expect(world.grant().count { $0 == "cores" } == 5)
    }

    // MARK: - Parts

    static var claim: AdmissionClaim {
        AdmissionClaim(
            namespace: "media",
            budgets: ["night"],
            cost: ResourceAmounts(thousandths: ["cpu": 1500, "memory": (2 << 30) * 1000, "nvidia.com/gpu": 1000])
        )
    }

    private static func gpus(_ count: Int) -> AdmissionClaim {
        AdmissionClaim(
            namespace: "media",
            budgets: ["night"],
            cost: ResourceAmounts(thousandths: ["nvidia.com/gpu": Int128(count) * 1000])
        )
    }
}
