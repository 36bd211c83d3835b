import Controller
import Kubernetes
import PluginHost
import Testing

@Suite struct RolloutTests {
    private func scaledJob(
        _ image: String = "worker",
        strategy: String = "immediate",
        propagation: String = "background",
        generation: Int64 = 1,
        interval: Int64 = 15,
        annotations: [String: String]? = nil
    ) -> ScaledJob {
        ModelCluster.scaledJob(
            interval: interval,
            annotations: annotations,
            generation: generation,
            image: image,
            rollout: ["strategy": .string(strategy), "propagationPolicy": .string(propagation)]
        )
    }

    /// A host with three Jobs that run.
    private func running(_ scaledJob: ScaledJob) -> ModelCluster {
        var cluster = ModelCluster()
        cluster.start(scaledJob)
        cluster.openTriggers()
        cluster.settle()
        cluster.insertDocuments(3)
        cluster.take(.plugin(.changed(TriggerID(owner: ModelCluster.uid, index: 0))))
        cluster.settle()
        return cluster
    }

    private func reasons(_ cluster: ModelCluster) -> [String] {
        cluster.events.map(\.reason.rawValue).filter { $0.hasPrefix("ScaledJobRollout") }
    }

    @Test func aChangedTemplateReplacesTheOldJobsAndTheirWorkIsReadAgain() {
        var cluster = self.running(self.scaledJob())
        let old = Set(cluster.jobs.keys)
        #expect(old.count == 3)
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        cluster.settle()
        #expect(old.isDisjoint(with: cluster.jobs.keys))
        #expect(cluster.jobs.count == 3)
        #expect(cluster.jobs.values.allSatisfy { $0.hash == cluster.currentHash })
        #expect(cluster.offences == [])
        #expect(self.reasons(cluster) == ["ScaledJobRolloutCleanupStarted", "ScaledJobRolloutCleanupCompleted"])
        #expect(cluster.events.contains { $0.note.contains("Deleting 3 Jobs") })
        #expect(cluster.deletions.values.allSatisfy { $0.propagation == .background && $0.uid.hasPrefix("uid-") })
        #expect(cluster.machine.snapshots().first?.cleaned == 0)
    }

    @Test func nothingIsDeletedBeforeTheNewTemplateIsAccepted() {
        var cluster = self.running(self.scaledJob())
        cluster.refusesTemplates = "spec.template: Required value"
        cluster.edit(self.scaledJob("", generation: 2))
        for _ in 0..<5 {
            cluster.settle()
            cluster.advance(.seconds(61))
        }
        #expect(cluster.jobs.count == 3)
        #expect(cluster.deletions.isEmpty)
        #expect(cluster.events.contains { $0.reason == "ScaledJobCheckFailed" && $0.note.contains("Required value") })
        // Back to what it was: nothing is old.
        cluster.refusesTemplates = nil
        cluster.edit(self.scaledJob(generation: 3))
        cluster.settle()
        #expect(cluster.deletions.isEmpty)
        #expect(self.reasons(cluster) == [])
    }

    @Test(arguments: ["gradual", ""])
    func gradualDeletesNothing(strategy: String) {
        var cluster = self.running(self.scaledJob(strategy: strategy))
        cluster.edit(self.scaledJob("worker:2", strategy: strategy, generation: 2))
        cluster.settle()
        cluster.advance(.seconds(60))
        cluster.settle()
        #expect(cluster.deletions.isEmpty)
    }

    @Test func editsThatLeaveTheTemplateDeleteNothing() {
        var cluster = self.running(self.scaledJob())
        cluster.edit(self.scaledJob(generation: 2, interval: 7, annotations: ["note": "new"]))
        cluster.settle()
        cluster.advance(.seconds(60))
        cluster.settle()
        #expect(cluster.deletions.isEmpty)
        #expect(cluster.jobs.count == 3)
    }

    @Test func aJobInForegroundDeletionHoldsItsSlotUntilItIsGone() {
        var cluster = self.running(self.scaledJob(propagation: "foreground"))
        let old = cluster.jobs.keys.sorted()
        cluster.insertDocuments(20)
        cluster.edit(self.scaledJob("worker:2", propagation: "foreground", generation: 2))
        cluster.settle()
        #expect(cluster.deletions.values.allSatisfy { $0.propagation == .foreground })
        cluster.advance(.seconds(20))
        cluster.settle()
        // Three go and two are new: five is the most.
        #expect(cluster.jobs.count == 5)
        #expect(self.reasons(cluster) == ["ScaledJobRolloutCleanupStarted"])
        cluster.vanish(old[0])
        cluster.advance(.seconds(20))
        cluster.settle()
        #expect(cluster.jobs.count == 5)
        cluster.vanish(old[1])
        cluster.vanish(old[2])
        cluster.settle()
        #expect(cluster.jobs.count == 5)
        #expect(cluster.jobs.values.allSatisfy { !$0.isDeleting && $0.image == "worker" })
        #expect(self.reasons(cluster) == ["ScaledJobRolloutCleanupStarted", "ScaledJobRolloutCleanupCompleted"])
        #expect(cluster.mostUnfinished <= 5)
    }

    @Test func anEditInTheMiddleTakesBackWhatWasNotSent() {
        var configured = self.running(self.scaledJob())
        configured.edit(self.scaledJob("worker:2", generation: 2))
        // The trial is answered, and the deletions are on their way.
        while configured.deletions.isEmpty { configured.answerCall() }
        // One fails; meanwhile the strategy changes.
        let deletion = configured.calls.firstIndex { if case .deleteJob = $0 { true } else { false } }
        configured.answerCall(at: deletion ?? 0, .serverError)
        configured.edit(self.scaledJob("worker:2", strategy: "gradual", generation: 3))
        configured.settle()
        for _ in 0..<5 {
            configured.advance(.seconds(60))
            configured.settle()
        }
        #expect(configured.jobs.values.count { $0.hash != configured.currentHash } == 1)
        #expect(configured.offences == [])
        #expect(self.reasons(configured).count { $0.hasSuffix("Completed") } == 0)
        // Asked for once more, it is a rollout of its own.
        configured.edit(self.scaledJob("worker:2", generation: 4))
        configured.settle()
        #expect(configured.jobs.values.allSatisfy { $0.hash == configured.currentHash })
        #expect(self.reasons(configured).count { $0.hasSuffix("Started") } == 2)
        #expect(self.reasons(configured).last == "ScaledJobRolloutCleanupCompleted")
    }

    @Test func aRestartInTheMiddleGoesOnWithTheSameJobs() {
        var cluster = self.running(self.scaledJob())
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        while cluster.deletions.isEmpty { cluster.answerCall() }
        // One deletion happens, the others are lost with the host.
        let deletion = cluster.calls.firstIndex { if case .deleteJob = $0 { true } else { false } }
        cluster.answerCall(at: deletion ?? 0)
        cluster.calls = []
        cluster.measures = []
        #expect(cluster.jobs.count == 2)
        cluster.machine = ModelCluster(seed: 2).machine
        cluster.acceptedHashes = []
        cluster.start(cluster.scaledJob)
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.jobs.count == 3)
        #expect(cluster.jobs.values.allSatisfy { $0.hash == cluster.currentHash })
        #expect(cluster.offences == [])
        // And once more: everything is new.
        cluster.deletions = [:]
        cluster.machine = ModelCluster(seed: 3).machine
        cluster.start(cluster.scaledJob)
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.deletions.isEmpty)
    }

    @Test func aDeletionThatFailsIsToldAndTriedAgain() {
        var cluster = self.running(self.scaledJob())
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        while cluster.deletions.isEmpty { cluster.answerCall() }
        while let deletion = cluster.calls.firstIndex(where: { if case .deleteJob = $0 { true } else { false } }) {
            cluster.answerCall(at: deletion, .serverError)
        }
        #expect(self.reasons(cluster).contains("ScaledJobRolloutCleanupFailed"))
        cluster.advance(.seconds(30))
        cluster.settle()
        #expect(cluster.jobs.values.allSatisfy { $0.hash == cluster.currentHash })
        #expect(self.reasons(cluster).last == "ScaledJobRolloutCleanupCompleted")
    }

    @Test func aJobThatIsGoneAlreadyIsASuccess() {
        var cluster = self.running(self.scaledJob())
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        while cluster.deletions.isEmpty { cluster.answerCall() }
        for name in Array(cluster.jobs.keys) { cluster.vanish(name) }
        cluster.settle()
        #expect(!self.reasons(cluster).contains("ScaledJobRolloutCleanupFailed"))
        #expect(self.reasons(cluster).last == "ScaledJobRolloutCleanupCompleted")
    }

    @Test func whilePausedNothingIsRolledOut() {
        var cluster = self.running(self.scaledJob())
        let pause = ["autoscaling.keda.sh/paused": "true"]
        cluster.edit(self.scaledJob("worker:2", generation: 2, annotations: pause))
        cluster.settle()
        cluster.advance(.seconds(60))
        cluster.settle()
        #expect(cluster.deletions.isEmpty)
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        cluster.settle()
        #expect(cluster.deletions.count == 3)
        #expect(cluster.offences == [])
    }

    @Test func aTemplateThatCannotBeTriedReplacesNothingAndThatIsSaid() {
        var cluster = self.running(self.scaledJob())
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        let index = cluster.calls.firstIndex { if case .tryTemplate = $0 { true } else { false } }
        guard let index, case .tryTemplate(let owner, let revision, _, _) = cluster.calls.remove(at: index) else {
            Issue.record("the template was not tried")
            return
        }
        let error = KubernetesError(.invalid, "admission webhook does not support dry run", status: 400)
        cluster.take(.templateTried(owner: owner, revision: revision, .failure(error)))
        cluster.insertDocuments(1)
        cluster.advance(.seconds(60))
        cluster.settle()
        #expect(cluster.deletions.isEmpty)
        #expect(cluster.jobs.count == 4)
        #expect(self.reasons(cluster) == ["ScaledJobRolloutCleanupFailed"])
        #expect(cluster.events.contains { $0.note.contains("does not support dry run") })
    }

    @Test func baseJobsAreReplacedWithoutWaitingForThePoll() {
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(minimum: 2, rollout: ["strategy": "immediate"]))
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        cluster.edit(
            ModelCluster.scaledJob(minimum: 2, generation: 2, image: "worker:2", rollout: ["strategy": "immediate"])
        )
        cluster.settle()
        #expect(cluster.createdJobs == 4)
        #expect(cluster.jobs.values.allSatisfy { $0.hash == cluster.currentHash })
    }

    @Test func finishedJobsOfTheOldTemplateGoToo() {
        var cluster = self.running(
            ModelCluster.scaledJob(keepSucceeded: 10, rollout: ["strategy": "immediate"])
        )
        for name in cluster.jobs.keys { cluster.runJob(name) }
        cluster.settle()
        #expect(cluster.jobs.count == 3)
        cluster.edit(
            ModelCluster.scaledJob(
                keepSucceeded: 10,
                generation: 2,
                image: "worker:2",
                rollout: ["strategy": "immediate"]
            )
        )
        cluster.settle()
        #expect(cluster.jobs.isEmpty)
    }

    // MARK: - Jobs that KEDA made

    private func adopted(_ jobs: [String: ModelCluster.ModelJob], _ scaledJob: ScaledJob) -> ModelCluster {
        var cluster = ModelCluster()
        cluster.jobs = jobs
        cluster.start(scaledJob)
        cluster.openTriggers()
        cluster.insertDocuments(jobs.count)
        cluster.settle()
        return cluster
    }

    @Test func jobsThatKEDAMadeAreComparedByContentAndOnlyWhenItMatters() {
        let jobs: [String: ModelCluster.ModelJob] = [
            "transcode-aaaaa": .init(generation: 4),
            "transcode-bbbbb": .init(generation: 3),
            "transcode-ccccc": .init(generation: 3, image: "worker:0"),
            "transcode-ddddd": .init(generation: nil),
        ]
        var cluster = self.adopted(jobs, self.scaledJob(generation: 4))
        #expect(cluster.deletions.keys.sorted() == ["transcode-ccccc"])
        #expect(cluster.offences == [])
        #expect(cluster.jobs.keys.contains("transcode-aaaaa"))
        // An edit that leaves the template, then one that doesn't.
        cluster.edit(self.scaledJob(generation: 5, interval: 9))
        cluster.settle()
        #expect(cluster.deletions.count == 1)
        cluster.edit(self.scaledJob("worker:9", generation: 6))
        cluster.settle()
        #expect(Set(["transcode-aaaaa", "transcode-bbbbb", "transcode-ddddd"]).isSubset(of: cluster.deletions.keys))
        #expect(cluster.offences == [])
    }

    @Test func jobsThatKEDAMadeHoldTheirSlotsAndAreCleanedInTheirTurn() {
        let jobs = Dictionary(
            uniqueKeysWithValues: (0..<4).map { ("transcode-\($0)", ModelCluster.ModelJob(generation: 1)) }
        )
        var cluster = self.adopted(jobs, ModelCluster.scaledJob(maximum: 5))
        #expect(cluster.createdJobs == 0)
        cluster.insertDocuments(10)
        cluster.advance(.seconds(20))
        cluster.settle()
        #expect(cluster.createdJobs == 1)
        for name in jobs.keys { cluster.runJob(name) }
        cluster.settle()
        #expect(jobs.keys.allSatisfy { cluster.jobs[$0] == nil })
        #expect(cluster.offences == [])
    }

    /// Answers every deletion with a failure; none happens.
    private func failDeletions(_ cluster: inout ModelCluster) {
        while let deletion = cluster.calls.firstIndex(where: { if case .deleteJob = $0 { true } else { false } }) {
            cluster.answerCall(at: deletion, .serverError)
        }
    }

    @Test func aDeletionThatFailsAfterItsTemplateCameBackIsNotRepeated() {
        var cluster = self.running(self.scaledJob())
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        while cluster.deletions.isEmpty { cluster.answerCall() }
        cluster.edit(self.scaledJob(generation: 3))
        self.failDeletions(&cluster)
        cluster.deletions = [:]
        for _ in 0..<3 {
            cluster.settle()
            cluster.advance(.seconds(60))
        }
        #expect(cluster.deletions.isEmpty)
        #expect(cluster.jobs.count == 3)
        #expect(cluster.offences == [])
    }

    @Test func aDeletionThatFailsAfterAChangeToGradualIsLeftToRetention() {
        var cluster = self.running(self.scaledJob())
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        while cluster.deletions.isEmpty { cluster.answerCall() }
        cluster.edit(self.scaledJob("worker:2", strategy: "gradual", generation: 3))
        self.failDeletions(&cluster)
        cluster.settle()
        cluster.advance(.seconds(60))
        cluster.settle()
        #expect(cluster.jobs.count == 3)
        for name in Array(cluster.jobs.keys) { cluster.runJob(name) }
        cluster.settle()
        #expect(cluster.jobs.isEmpty)
        #expect(cluster.offences == [])
    }

    @Test func deletionsThatFailAlikeAreOneEvent() {
        var cluster = self.running(self.scaledJob())
        cluster.edit(self.scaledJob("worker:2", generation: 2))
        while cluster.deletions.isEmpty { cluster.answerCall() }
        self.failDeletions(&cluster)
        let failed = cluster.events.filter { $0.reason == .rolloutCleanupFailed }
        #expect(Set(failed.map(\.note)).count == 1)
        #expect(failed.allSatisfy { !$0.note.contains("transcode-") })
    }
}
