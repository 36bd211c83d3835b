import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

/// Strategies that ask which Jobs have started.
@Suite struct PendingJobsTests {
    func started(_ strategy: JSONValue?, maximum: Int = 10) -> ModelCluster {
        ModelCluster.started(
            ModelCluster.scaledJob(maximum: maximum, scaling: strategy.map { ["strategy": $0] }),
            countsUntilClaimed: true
        )
    }

    @Test(arguments: ["default", nil] as [JSONValue?]) func noPodsAreWatchedUnlessAStrategyNeedsThem(name: JSONValue?) {
        var cluster = self.started(name)
        cluster.insertDocuments(3)
        cluster.push()
        cluster.settle()
        #expect(cluster.unseenPods == nil)
        #expect(cluster.createdJobs == 3)
    }

    @Test(arguments: ["accurate", "eager"] as [JSONValue]) func nothingIsCreatedBeforeThePodsHaveBeenListed(
        name: JSONValue
    ) {
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(scaling: ["strategy": name]))
        cluster.openTriggers()
        cluster.insertDocuments(3)
        cluster.answerMeasure()
        for _ in 0..<3 { cluster.answerCall() }
        #expect(cluster.unseenPods?.count == 1)
        #expect(cluster.createdJobs == 0)
        #expect(cluster.machine.snapshots().first?.explanation.contains("Pods are unknown") == true)
        cluster.settle()
        #expect(cluster.createdJobs == 3)
    }

    @Test func podsThatMayNotBeListedAreNamedAndPickedUp() {
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(scaling: ["strategy": "accurate"]))
        cluster.openTriggers()
        cluster.insertDocuments(3)
        cluster.answerMeasure()
        while cluster.unseenPods == nil, !cluster.calls.isEmpty { cluster.answerCall() }
        let refusal = KubernetesError(.forbidden, "pods is forbidden", status: 403)
        cluster.take(.pods(.interrupted(refusal), scope: nil))
        let note = cluster.events.last { $0.reason == "ScaledJobCheckFailed" }?.note
        #expect(note?.hasPrefix("spec.scalingStrategy: ") == true)
        #expect(note?.contains("pods is forbidden") == true)
        #expect(cluster.createdJobs == 0)
        cluster.settle()
        #expect(cluster.createdJobs == 3)
        #expect(cluster.events.last { $0.reason == "ScaledJobReady" } != nil)
        // The same when the right is taken away later.
        cluster.take(.pods(.interrupted(refusal), scope: nil))
        let again = cluster.events.last { $0.reason == "ScaledJobCheckFailed" || $0.reason == "ScaledJobReady" }
        #expect(again?.note.contains("pods is forbidden") == true)
    }

    @Test func runningJobsDoNotHoldBackNewWork() {
        var cluster = self.started("accurate")
        cluster.insertDocuments(4)
        cluster.push()
        cluster.settle()
        #expect(cluster.createdJobs == 4)
        // Four more arrive while none has started: no one knows yet that they are others, and each gets its Job.
        cluster.insertDocuments(4)
        cluster.push()
        cluster.settle()
        #expect(cluster.createdJobs == 8)
        for name in cluster.jobs.keys.sorted() { cluster.startJob(name) }
        cluster.settle()
        #expect(cluster.createdJobs == 8)
        cluster.insertDocuments(1)
        cluster.advance(.seconds(20))
        cluster.settle()
        #expect(cluster.createdJobs == 9)
        #expect(cluster.surplusJobs == 0)
    }

    @Test func aJobThatHasJustStartedMayNotHaveClaimedYet() {
        var cluster = self.started("accurate")
        cluster.insertDocuments(1)
        cluster.push()
        cluster.settle()
        // Its Pod runs, and it still connects: the document is in the count.
        let name = cluster.jobs.keys.first ?? ""
        cluster.jobs[name]?.isStarted = true
        cluster.unseenPods?.append(.upserted(ModelCluster.pod(name, ModelCluster.ModelJob())))
        cluster.settle()
        cluster.advance(.seconds(1))
        cluster.push()
        cluster.settle()
        #expect(cluster.createdJobs == 1)
    }

    @Test func workThatCameWhileJobsStartedIsFoundWithoutWaitingForThePoll() {
        var cluster = ModelCluster()
        cluster.countsUntilClaimed = true
        cluster.start(ModelCluster.scaledJob(maximum: 10, scaling: ["strategy": "accurate"], interval: 3_600))
        cluster.openTriggers()
        cluster.settle()
        cluster.insertDocuments(2)
        cluster.push()
        cluster.settle()
        for name in cluster.jobs.keys.sorted() { cluster.startJob(name) }
        cluster.settle()
        cluster.insertDocuments(2)
        cluster.push()
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        cluster.advance(.seconds(6))
        cluster.settle()
        #expect(cluster.createdJobs == 4)
    }

    @Test func eagerFillsTheSlotsThatStartedJobsLeave() {
        var cluster = self.started("eager", maximum: 6)
        cluster.insertDocuments(3)
        cluster.push()
        cluster.settle()
        #expect(cluster.createdJobs == 3)
        cluster.insertDocuments(3)
        cluster.push()
        cluster.settle()
        // Three run and three of those are pending: no slot is left for now.
        #expect(cluster.createdJobs == 3)
        // Each Job that starts leaves a slot, which its successor takes while it is pending itself.
        for _ in 0..<4 {
            for name in cluster.jobs.keys.sorted() { cluster.startJob(name) }
            cluster.settle()
        }
        #expect(cluster.createdJobs == 6)
        #expect(cluster.surplusJobs == 0)
    }

    @Test func aSourceThatCountsUntilClaimedGetsAccurate() {
        var cluster = ModelCluster()
        cluster.countsUntilClaimed = true
        cluster.start(ModelCluster.scaledJob(maximum: 10))
        cluster.openTriggers(counts: .untilClaimed)
        cluster.insertDocuments(2)
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        for name in cluster.jobs.keys.sorted() { cluster.startJob(name) }
        cluster.settle()
        cluster.insertDocuments(2)
        cluster.advance(.seconds(20))
        cluster.settle()
        #expect(cluster.createdJobs == 4)
        #expect(cluster.machine.snapshots().first?.explanation.contains("accurate") == true)
    }

    /// A strategy, and whether the host must find out by itself that it is in order.
    enum Play: CaseIterable { case accurate, inFlight, eager, custom }

    /// As the other random play, with a source that counts a document until it is claimed.
    @Test(arguments: Play.allCases, 0..<10 as Range<UInt64>) func noJobTooManyNoneMissingNoneTwice(
        play: Play,
        seed: UInt64
    ) {
        var random = SystemOrSeededGenerator(seed: seed)
        var cluster = ModelCluster(seed: seed)
        cluster.countsUntilClaimed = true
        cluster.saysInFlight = play == .inFlight
        // Less than the host gives them.
        cluster.claimDelay = .milliseconds(Int.random(in: 0...1, using: &random) * 4_900)
        let maximum = Int.random(in: 1...6, using: &random)
        var scaledJob = ModelCluster.scaledJob(maximum: maximum)
        switch play {
        case .accurate: scaledJob = ModelCluster.scaledJob(maximum: maximum, scaling: ["strategy": "accurate"])
        case .eager: scaledJob = ModelCluster.scaledJob(maximum: maximum, scaling: ["strategy": "eager"])
        case .custom:
            let scaling: JSONValue = ["strategy": "custom", "customScalingRunningJobPercentage": "0"]
            scaledJob = ModelCluster.scaledJob(maximum: maximum, scaling: scaling)
        case .inFlight: break
        }
        cluster.start(scaledJob)
        cluster.openTriggers(counts: .untilClaimed)
        // Eager and such a custom give an item a second Job while the first has not claimed it; that is what they are for.
        let mayBeSurplus = play == .eager || play == .custom
        for step in 0..<500 {
            self.step(&cluster, &random)
            guard cluster.unfinished > maximum || cluster.surplusJobs > 0 && !mayBeSurplus else { continue }
            Issue.record(
                "\(play) seed \(seed) step \(step): \(cluster.unfinished) Jobs, \(cluster.surplusJobs) without work"
            )
            return
        }
        cluster.relist()
        cluster.workOff(rounds: 200)
        #expect(cluster.mostUnfinished <= maximum, "seed \(seed)")
        #expect(cluster.documents.isEmpty, "seed \(seed): stuck")
        #expect(cluster.surplusJobs == 0 || mayBeSurplus, "seed \(seed): a Job without work")
    }

    private func step(_ cluster: inout ModelCluster, _ random: inout SystemOrSeededGenerator) {
        let unfinished = cluster.jobs.filter { !$0.value.isFinished }.keys.sorted()
        switch Int.random(in: 0..<14, using: &random) {
        case 0: cluster.insertDocuments(Int.random(in: 1...4, using: &random))
        case 1: cluster.push()
        case 2, 3, 4:
            guard !cluster.calls.isEmpty else { return }
            let fault: ModelCluster.Fault =
                Int.random(in: 0..<4, using: &random) == 0
                ? ModelCluster.Fault.allCases.randomElement(using: &random) ?? .none : .none
            cluster.answerCall(at: Int.random(in: 0..<cluster.calls.count, using: &random), fault)
        case 5, 6: cluster.showNext()
        case 7:
            guard let name = unfinished.randomElement(using: &random) else { return }
            cluster.runJob(name, fails: Int.random(in: 0..<4, using: &random) == 0)
        case 8:
            guard !cluster.measures.isEmpty else { return }
            cluster.countForMeasure(at: Int.random(in: 0..<cluster.measures.count, using: &random))
        case 9:
            guard !cluster.measures.isEmpty else { return }
            let index = Int.random(in: 0..<cluster.measures.count, using: &random)
            cluster.answerMeasure(at: index, fail: Int.random(in: 0..<5, using: &random) == 0)
        case 10: cluster.advance(.milliseconds(Int.random(in: 1...5_000, using: &random)))
        case 11: cluster.showNextPod()
        case 12:
            guard let name = unfinished.randomElement(using: &random) else { return }
            cluster.startJob(name)
        default:
            if Int.random(in: 0..<10, using: &random) == 0 { cluster.relist() }
        }
    }
}
