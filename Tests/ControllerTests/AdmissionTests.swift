import Kubernetes
import Scaling
import Testing

@testable import Controller

/// Limits that several ScaledJobs share, from the decision to the call.
@Suite struct AdmissionTests {
    private static func claim(_ index: Int, cost: [String: Int128] = [:]) -> AdmissionClaim {
        AdmissionClaim(
            namespace: "team-\(index % 3)",
            budgets: ["night"],
            weight: Double(1 + index % 3),
            cost: ResourceAmounts(thousandths: cost)
        )
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func neverAHundredAndOneHoweverCallsEnd(seed: UInt64) {
        var cluster = SharedCluster(50, seed: seed)
        cluster.budget = ["maxRunningJobs": 100]
        cluster.start { Self.claim($0) }
        cluster.relist()
        var most = 0
        for step in 0..<4000 {
            self.step(&cluster)
            let unfinished = cluster.unfinished.count
            most = Swift.max(most, cluster.machine.standing(of: .budget("night")).inUse.jobs)
            #expect(unfinished <= 100, "seed \(seed) step \(step)")
            if unfinished > 100 { return }
        }
        #expect(most == 100)
        // From here on the world behaves: the budget is used up again at once.
        cluster.relist()
        most = 0
        cluster.run(90) { cluster in most = Swift.max(most, cluster.unfinished.count) }
        cluster.settle()
        #expect(most == 100)
        #expect(cluster.unfinished.count == 100, "seed \(seed): slots were lost")
        #expect(cluster.machine.standing(of: .budget("night")).inUse.jobs == 100)
    }

    private func step(_ cluster: inout SharedCluster) {
        switch Int.random(in: 0..<20, using: &cluster.random) {
        case 0..<8:
            guard !cluster.calls.isEmpty else { return cluster.take(.tick) }
            let isFaulty = Int.random(in: 0..<4, using: &cluster.random) == 0
            let fault = isFaulty ? ModelCluster.Fault.allCases.randomElement(using: &cluster.random) ?? .none : .none
            cluster.answerCall(at: Int.random(in: 0..<cluster.calls.count, using: &cluster.random), fault)
        case 8..<12: cluster.showNext()
        case 12, 13: cluster.answerMeasure()
        case 14, 15:
            let running = cluster.jobs.filter { !$0.value.isFinished }.keys.sorted()
            for _ in 0..<2 {
                guard let name = running.randomElement(using: &cluster.random) else { return }
                cluster.finish(name)
            }
        case 16: cluster.relist()
        case 17: cluster.take(.jobs(.interrupted(KubernetesError(.unreachable, "lost")), scope: nil))
        default:
            cluster.now += .milliseconds(Int.random(in: 1...4000, using: &cluster.random))
            cluster.take(.tick)
        }
    }

    @Test func fiftyShareABudgetByTheirWeights() {
        var cluster = SharedCluster(50, seed: 3)
        cluster.budget = ["maxRunningJobs": 100]
        cluster.start { Self.claim($0) }
        cluster.relist()
        cluster.run(600)
        #expect(cluster.unfinished.count == 100)
        let total = cluster.slotSeconds.values.reduce(0, +)
        #expect(total > 0.98 * 100 * 600)
        let weights = (0..<50).reduce(0) { $0 + Self.claim($1).weight }
        for index in 0..<50 {
            let share = (cluster.slotSeconds[SharedCluster.uid(index)] ?? 0) / total
            let fair = Self.claim(index).weight / weights
            #expect(abs(share / fair - 1) < 0.05, "\(index): \(share / fair)")
        }
    }

    @Test func resourcesOfObservedAndAssumedJobsCount() {
        var cluster = SharedCluster(6, seed: 5)
        cluster.budget = ["maxResources": ["nvidia.com/gpu": 8]]
        cluster.start { Self.claim($0, cost: ["nvidia.com/gpu": $0 % 2 == 0 ? 1000 : 2000]) }
        cluster.relist()
        func used(_ cluster: SharedCluster) -> Int {
            cluster.unfinished.values.reduce(0) { $0 + Int((cluster.costs[$1]?["nvidia.com/gpu"] ?? 0) / 1000) }
        }
        var most = 0
        for _ in 0..<4000 {
            self.step(&cluster)
            most = Swift.max(most, used(cluster))
        }
        #expect(most == 8)
    }

    // MARK: - Unknown is not zero

    @Test func nothingIsGrantedUnderTheHostsLimitBeforeAllJobsAreListed() {
        var cluster = SharedCluster(1, seed: 1, host: AdmissionLimits(runningJobs: 3))
        var configuration = ControllerConfiguration(version: "test", namespaces: ["team-0", "other"])
        configuration.hostLimits = AdmissionLimits(runningJobs: 3)
        cluster.machine = ControllerMachine(configuration: configuration, now: cluster.now, seed: 1)
        cluster.start { Self.claim($0) }
        cluster.take(.jobs(.replaced([], startedAt: cluster.now), scope: "team-0"))
        cluster.settle()
        #expect(cluster.jobs.isEmpty)
        #expect(cluster.machine.standing(of: .host).waiting.first?.wait.cause == .unknown("the Jobs of all namespaces"))
        // Two Jobs of a ScaledJob that is not known.
        let strangers = (0..<2).map {
            JobSummary(
                key: ObjectKey(namespace: "other", name: "stranger-\($0)"),
                owner: "stranger",
                observed: JobTracker.Observed(name: "stranger-\($0)", uid: "s\($0)", phase: .unfinished)
            )
        }
        cluster.take(.jobs(.replaced(strangers, startedAt: cluster.now), scope: "other"))
        cluster.settle()
        #expect(cluster.jobs.count == 1)
        #expect(cluster.machine.standing(of: .host).inUse.jobs == 3)
    }

    @Test func nothingIsGrantedWhileTheBudgetsAreNotKnown() {
        var cluster = SharedCluster(2, seed: 1)
        cluster.machine.setUnknown("the JobBudgets", true)
        cluster.start(work: 2) { Self.claim($0) }
        cluster.relist()
        cluster.settle()
        #expect(cluster.jobs.isEmpty)
        cluster.machine.setUnknown("the JobBudgets", false)
        cluster.take(.tick)
        cluster.settle()
        #expect(cluster.jobs.count == 4)
    }

    @Test func jobsOfADeletedScaledJobKeepTheirSlots() {
        var cluster = SharedCluster(2, seed: 1, host: AdmissionLimits(runningJobs: 4))
        cluster.start { Self.claim($0) }
        cluster.relist()
        cluster.settle()
        #expect(cluster.jobs.count == 4)
        cluster.take(.scaledJobs(.deleted(cluster.scaledJob(0)), scope: nil))
        cluster.settle()
        #expect(cluster.jobs.count == 4)
        for (name, job) in cluster.jobs where job.owner == SharedCluster.uid(0) { cluster.finish(name) }
        cluster.settle()
        let owners = cluster.jobs.values.filter { !$0.isFinished }.map(\.owner)
        #expect(owners == Array(repeating: SharedCluster.uid(1), count: 4))
    }

    @Test func pausedOnesWantNothing() {
        var cluster = SharedCluster(2, seed: 1, host: AdmissionLimits(runningJobs: 2))
        cluster.start { Self.claim($0) }
        cluster.relist()
        cluster.settle()
        cluster.take(.scaledJobs(.upserted(cluster.scaledJob(0, paused: true)), scope: nil))
        for name in cluster.jobs.keys { cluster.finish(name) }
        cluster.settle()
        #expect(cluster.jobs.values.filter { !$0.isFinished }.allSatisfy { $0.owner == SharedCluster.uid(1) })
        #expect(cluster.machine.standing(of: .host).waiting.map(\.uid) == [SharedCluster.uid(1)])
    }

    // MARK: - What people are told

    @Test func statusDecisionAndMetricsSayWhatIsWaitedFor() throws {
        var cluster = SharedCluster(2, seed: 1)
        cluster.budget = ["maxResources": ["nvidia.com/gpu": 8]]
        cluster.start(work: 20) { Self.claim($0, cost: ["nvidia.com/gpu": 1000]) }
        cluster.relist()
        cluster.run(1)
        let sentence = "waits for the budget night: 8 of 8 nvidia.com/gpu in use"
        for index in 0..<2 {
            let decision = cluster.machine.records[SharedCluster.uid(index)]?.decision
            #expect(decision?.limit == .maxResources)
            #expect(decision?.reason.hasSuffix("; \(sentence)") == true, "\(decision?.reason ?? "")")
        }
        cluster.duration = 100...100
        cluster.run(60)
        let status = try #require(cluster.statuses[SharedCluster.uid(1)])
        let text = status[path: "status", "lastDecision"]?.stringValue
        #expect(text?.contains(sentence) == true, "\(text ?? "")")
        let figures = cluster.machine.metrics().admission
        #expect(figures.map(\.scope) == [.budget("night")])
        #expect(figures.first?.waiting == [.resource("nvidia.com/gpu"): 2])
        #expect(figures.first?.inUse.resources["nvidia.com/gpu"] == 8000)
        // Everything is worked off: nobody waits any more.
        cluster.run(600)
        #expect(cluster.machine.standing(of: .budget("night")).waitingCount == 0)
        #expect(cluster.machine.records[SharedCluster.uid(1)]?.decision?.wait == nil)
    }

    @Test func aBatchEndsWithThePoll() {
        var cluster = SharedCluster(1, seed: 1)
        cluster.start { index in
            var claim = Self.claim(index)
            claim.limits.jobsPerBatch = 5
            return claim
        }
        cluster.duration = 1000...1000
        cluster.relist()
        cluster.run(1)
        #expect(cluster.jobs.count == 5)
        let decision = cluster.machine.records[SharedCluster.uid(0)]?.decision
        #expect(decision?.limit == .maxJobsPerBatch)
        cluster.run(60)
        // Polls come every 15 s, the first after that between 7.5 and 15 s.
        #expect((20...30).contains(cluster.jobs.count), "\(cluster.jobs.count)")
        #expect(cluster.jobs.count % 5 == 0)
    }

    @Test func jobsPerSecondHoldOverAMinute() {
        var cluster = SharedCluster(5, seed: 1)
        cluster.budget = ["maxJobsPerSecond": 20]
        cluster.start { Self.claim($0) }
        cluster.duration = 0.5...1
        cluster.relist()
        cluster.run(60)
        #expect((1140...1260).contains(cluster.created.count), "\(cluster.created.count)")
    }
}
