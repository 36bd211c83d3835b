import Controller
import Kubernetes
import PluginHost
import Testing

@Suite struct PauseTests {
    private let paused = ModelCluster.scaledJob(annotations: ["autoscaling.keda.sh/paused": "true"])

    @Test func pausingTakesBackWhatWasNotSentYet() {
        var cluster = ModelCluster.started(ModelCluster.scaledJob(maximum: 100))
        cluster.insertDocuments(60)
        cluster.push()
        cluster.answerMeasure()
        // As many as may be under way at once, and the rest waits.
        let sent = cluster.calls.count { if case .createJob = $0 { true } else { false } }
        #expect(sent < 60)
        cluster.edit(ModelCluster.scaledJob(maximum: 100, annotations: ["autoscaling.keda.sh/paused": "true"]))
        cluster.settle()
        #expect(cluster.createdJobs == sent)
        #expect(cluster.offences == [])
        #expect(cluster.machine.snapshots().first?.unfinished == sent)
    }

    @Test func aCreationOfUnknownOutcomeIsLookedUpAndNotRepeatedWhilePaused() {
        for fault in [ModelCluster.Fault.timeoutButHappened, .timeoutNotHappened, .unreachable, .serverError] {
            var cluster = ModelCluster.started()
            cluster.insertDocuments(1)
            cluster.push()
            cluster.answerMeasure()
            cluster.edit(self.paused)
            let creation = cluster.calls.firstIndex { if case .createJob = $0 { true } else { false } }
            guard let creation else {
                Issue.record("no creation under way")
                return
            }
            cluster.answerCall(at: creation, fault)
            cluster.unseen = []  // The watch shows nothing for now.
            for _ in 0..<10 {
                cluster.advance(.seconds(30))
                cluster.settle()
            }
            #expect(cluster.offences == [], "\(fault)")
            #expect(cluster.machine.snapshots().first?.unfinished == cluster.jobs.count, "\(fault)")
        }
    }

    @Test func resumingCreatesNothingFromAReadingOfBefore() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(5)
        cluster.push()
        cluster.countForMeasure(at: 0)
        // Paused while the reading is on its way.
        cluster.edit(self.paused)
        #expect(cluster.specifications.isEmpty, "the trigger stays open")
        let late = cluster.measures
        cluster.documents = []
        cluster.edit(ModelCluster.scaledJob())
        cluster.settle()
        #expect(!late.isEmpty)
        #expect(cluster.createdJobs == 0)
        cluster.openTriggers()
        // Read at once, without waiting for the next poll.
        #expect(cluster.measures.count == 1)
        cluster.settle()
        #expect(cluster.createdJobs == 0)
    }

    @Test func resumingUsesNoReadingThatWasInUseWhenItWasPaused() {
        var cluster = ModelCluster.started(ModelCluster.scaledJob(maximum: 2))
        cluster.insertDocuments(5)
        cluster.push()
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        cluster.edit(ModelCluster.scaledJob(maximum: 2, annotations: ["autoscaling.keda.sh/paused": "1"]))
        // Somebody else worked the rest off meanwhile.
        for name in cluster.jobs.keys { cluster.runJob(name) }
        cluster.settle()
        cluster.documents = []
        cluster.edit(ModelCluster.scaledJob(maximum: 2))
        cluster.settle()
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        #expect(cluster.surplusJobs == 0)
    }

    @Test func resumingCountsTheJobsThatStillRun() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(5)
        cluster.push()
        cluster.settle()
        cluster.edit(self.paused)
        cluster.insertDocuments(3)
        for name in cluster.jobs.keys.sorted().prefix(2) { cluster.runJob(name) }
        cluster.settle()
        cluster.advance(.seconds(3_600))
        #expect(cluster.createdJobs == 5)
        #expect(cluster.unfinished == 3)
        cluster.edit(ModelCluster.scaledJob())
        cluster.openTriggers()
        cluster.settle()
        // Six documents wait, three of them have their Job, and five is the most.
        #expect(cluster.createdJobs == 7)
        #expect(cluster.unfinished == 5)
        #expect(cluster.surplusJobs == 0)
    }

    @Test func pushesAndPollsAndBaseJobsStopWhilePaused() {
        var cluster = ModelCluster()
        cluster.insertDocuments(3)
        let paused = ModelCluster.scaledJob(minimum: 2, annotations: ["autoscaling.keda.sh/paused": ""])
        cluster.start(paused)
        for _ in 0..<20 {
            cluster.push()
            cluster.settle()
            cluster.advance(.seconds(20))
        }
        #expect(cluster.createdJobs == 0)
        #expect(cluster.specifications.isEmpty)
        #expect(cluster.measures.isEmpty)
        #expect(cluster.events.map(\.reason).contains("ScaledJobPaused"))
        cluster.edit(ModelCluster.scaledJob(minimum: 2))
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.createdJobs == 5)
        #expect(cluster.events.count { $0.reason == "ScaledJobUnpaused" } == 1)
    }

    @Test func anEditWhilePausedTakesEffectWithTheResumption() {
        var cluster = ModelCluster.started()
        cluster.edit(self.paused)
        cluster.edit(
            ModelCluster.scaledJob(
                maximum: 3,
                triggers: [["type": "counter", "metadata": ["queue": "b"]]],
                annotations: ["autoscaling.keda.sh/paused": "true"],
                generation: 2
            )
        )
        cluster.settle()
        #expect(cluster.specifications.isEmpty)
        cluster.insertDocuments(9)
        cluster.edit(
            ModelCluster.scaledJob(
                maximum: 3,
                triggers: [["type": "counter", "metadata": ["queue": "b"]]],
                generation: 2
            )
        )
        #expect(cluster.specifications.values.first?.parameters["queue"] == "b")
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.createdJobs == 3)
    }
}
