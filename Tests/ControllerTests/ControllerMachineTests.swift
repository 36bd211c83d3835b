import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

@Suite struct ControllerMachineTests {
    @Test func fiveDocumentsBecomeFiveJobsAtOnceAndAreCleaned() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(5)
        cluster.push()
        cluster.settle()
        #expect(cluster.createdJobs == 5)
        for name in cluster.jobs.keys { cluster.runJob(name) }
        cluster.settle()
        #expect(cluster.jobs.isEmpty)
        #expect(cluster.documents.isEmpty)
        #expect(cluster.createdJobs == 5)
        let snapshot = cluster.machine.snapshots().first
        #expect(snapshot?.succeeded == 5)
        #expect(snapshot?.cleaned == 5)
    }

    @Test func aBacklogBeyondTheMaximumIsWorkedOffWithoutWaitingForPolls() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(12)
        cluster.push()
        cluster.settle()
        while let running = cluster.jobs.first(where: { !$0.value.isFinished })?.key {
            #expect(cluster.unfinished <= 5)
            cluster.runJob(running)
            cluster.settle()
        }
        #expect(cluster.documents.isEmpty)
        #expect(cluster.createdJobs == 12)
        #expect(cluster.surplusJobs == 0)
    }

    @Test(arguments: [nil, 25] as [Int?]) func moreThanTheQueueHoldsFollowsWhenItIsSent(minimum: Int?) {
        var cluster = ModelCluster()
        var configuration = ControllerConfiguration(version: "test")
        configuration.longestCreationQueue = 4
        cluster.machine = ControllerMachine(configuration: configuration, now: cluster.now, seed: 1)
        cluster.start(ModelCluster.scaledJob(maximum: 30, minimum: minimum))
        cluster.openTriggers()
        cluster.insertDocuments(30)
        var first = 0
        for _ in 0..<2_000 where cluster.createdJobs < 30 {
            if first == 0 { first = cluster.calls.count { $0.isCreation } }
            if !cluster.calls.isEmpty {
                cluster.answerCall()
            } else if !cluster.measures.isEmpty {
                cluster.answerMeasure()
            } else {
                cluster.showNext()
            }
        }
        #expect(first == 4)
        // No time has passed: nothing waited for a poll.
        #expect(cluster.createdJobs == 30)
    }

    @Test func nothingIsCreatedBeforeTheJobsHaveBeenListed() {
        var cluster = ModelCluster()
        cluster.insertDocuments(3)
        cluster.jobs["transcode-old"] = ModelCluster.ModelJob()
        cluster.take(.authentications(.replaced([], startedAt: cluster.now), scope: nil))
        cluster.take(
            .plugin(
                .offers([
                    "counter": TriggerTypeOffer(
                        plugin: "counter",
                        isConnected: true,
                        declaration: ModelCluster.declaration
                    )
                ])
            )
        )
        cluster.take(.scaledJobs(.replaced([ModelCluster.scaledJob()], startedAt: cluster.now), scope: nil))
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.createdJobs == 0)
        cluster.relist()
        cluster.settle()
        #expect(cluster.createdJobs == 2)
    }

    @Test func anUnknownReadingHoldsAndIsReported() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(2)
        cluster.push()
        cluster.answerMeasure(fail: true)
        cluster.settle()
        #expect(cluster.createdJobs == 0)
        #expect(cluster.events.contains { $0.reason == "KEDAScalerFailed" && $0.note.contains("the source is down") })
        cluster.advance(.seconds(15))
        cluster.settle()
        #expect(cluster.createdJobs == 2)
    }

    @Test func aCreateThatTimedOutThoughItHappenedIsNotDoubled() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(1)
        cluster.push()
        cluster.answerMeasure()
        cluster.answerCall(.timeoutButHappened)
        #expect(cluster.createdJobs == 1)
        cluster.unseen = []  // The watch shows nothing for now.
        cluster.advance(.seconds(1))
        cluster.settle()
        cluster.advance(.seconds(30))
        cluster.settle()
        #expect(cluster.createdJobs == 1)
        #expect(cluster.jobs.count == 1)
    }

    @Test func creationsThatFailTogetherAreOneFailure() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(5)
        cluster.push()
        cluster.answerMeasure()
        while !cluster.calls.isEmpty { cluster.answerCall(.unreachable) }
        #expect(cluster.createdJobs == 0)
        cluster.advance(.milliseconds(200))
        cluster.settle()
        #expect(cluster.createdJobs == 5)
    }

    @Test func afterALongOutageTheNextPollCreates() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(5)
        cluster.push()
        cluster.answerMeasure()
        for _ in 0..<100 {
            while !cluster.calls.isEmpty { cluster.answerCall(.unreachable) }
            cluster.advanceToNextWake()
        }
        while !cluster.calls.isEmpty { cluster.answerCall(.unreachable) }
        #expect(cluster.createdJobs == 0)
        cluster.advance(.seconds(15))
        cluster.settle()
        #expect(cluster.createdJobs == 5)
    }

    @Test func aTemplateThatWasRefusedForLongIsTriedWithEachPoll() {
        var cluster = ModelCluster()
        cluster.refusesTemplates = "exceeded quota"
        cluster.start()
        cluster.openTriggers()
        cluster.insertDocuments(5)
        for _ in 0..<100 {
            cluster.settle()
            cluster.advanceToNextWake()
        }
        cluster.settle()
        cluster.refusesTemplates = nil
        cluster.advance(.seconds(15))
        cluster.settle()
        #expect(cluster.createdJobs == 5)
    }

    @Test func aJobCreatedBeforeItsNameWasRefusedIsStillCleaned() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(1)
        cluster.push()
        cluster.answerMeasure()
        cluster.answerCall(.timeoutButHappened)
        cluster.unseen = []  // The watch shows nothing for now.
        cluster.advance(.milliseconds(200))
        let again = cluster.calls.firstIndex { call in
            if case .createJob = call { true } else { false }
        }
        guard let again, case .createJob(let job, _) = cluster.calls.remove(at: again) else {
            Issue.record("the name was not asked for again")
            return
        }
        cluster.take(.jobCreated(job, .failure(KubernetesError(.forbidden, "exceeded quota", status: 403))))
        cluster.settle()
        #expect(cluster.createdJobs == 1)
        cluster.runJob(job.key.name)
        cluster.settle()
        #expect(cluster.jobs.isEmpty)
    }

    @Test func aRestartGoesOnWithTheNamesInFlight() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(3)
        cluster.push()
        cluster.answerMeasure()
        // The old host's creates are on their way when it is killed and the new one lists.
        let inFlight = cluster.calls.compactMap { call -> String? in
            guard case .createJob(let job, _) = call else { return nil }
            return job.key.name
        }
        #expect(inFlight.count == 3)
        cluster.calls = []
        let fresh = ModelCluster(seed: 2)
        cluster.machine = fresh.machine
        cluster.start()
        for name in inFlight { _ = cluster.create(name) }
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.jobs.count == 3)
        #expect(Set(cluster.jobs.keys) == Set(inFlight))
    }

    @Test func aReadingTakenBeforeAJobFinishedDoesNotDoubleItsDocument() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(2)
        cluster.push()
        cluster.settle()
        cluster.advance(.seconds(15))
        cluster.countForMeasure(at: 0)
        for name in cluster.jobs.keys { cluster.runJob(name) }
        while !cluster.unseen.isEmpty { cluster.showNext() }
        cluster.settle()
        #expect(cluster.createdJobs == 2)
    }

    @Test func aRefusedTemplateIsFoundBeforeTheFirstEventAndCostsOneCall() {
        var cluster = ModelCluster()
        cluster.refusesTemplates = "spec.template.spec.restartPolicy: Unsupported value: \"Always\""
        cluster.start()
        cluster.openTriggers()
        cluster.insertDocuments(50)
        cluster.settle()
        #expect(cluster.createdJobs == 0)
        let warnings = cluster.events.filter { $0.reason == "ScaledJobCheckFailed" }
        #expect(warnings.count == 1)
        #expect(warnings.first?.note.contains("Unsupported value") == true)
        cluster.refusesTemplates = nil
        cluster.advanceToNextWake()
        cluster.settle()
        cluster.advance(.seconds(61))
        cluster.settle()
        #expect(cluster.createdJobs == 5)
    }

    @Test func aRefusedTemplateThatIsGoneLeavesNothingToWakeFor() {
        var cluster = ModelCluster()
        cluster.refusesTemplates = "spec.template: refused"
        cluster.start()
        cluster.openTriggers()
        cluster.settle()
        cluster.take(.scaledJobs(.upserted(ModelCluster.scaledJob(interval: 0, generation: 2)), scope: nil))
        cluster.settle()
        for _ in 0..<5 {
            cluster.advance(.seconds(61))
            cluster.settle()
        }
        let isIdle = cluster.machine.nextWake.map { $0 > cluster.now } ?? true
        #expect(isIdle, "it would be woken at once, for ever")
    }

    @Test func aPausedScaledJobCreatesNothingAndIsStillCleaned() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(1)
        cluster.push()
        cluster.settle()
        let paused = ModelCluster.scaledJob(annotations: ["autoscaling.keda.sh/paused": ""], generation: 1)
        cluster.edit(paused)
        cluster.insertDocuments(4)
        cluster.push()
        for name in cluster.jobs.keys { cluster.runJob(name) }
        cluster.advance(.seconds(60))
        cluster.settle()
        #expect(cluster.createdJobs == 1)
        #expect(cluster.jobs.isEmpty)
        cluster.advance(.seconds(1))
        cluster.edit(ModelCluster.scaledJob())
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.createdJobs == 5)
        #expect(cluster.offences == [])
    }

    @Test func baseJobsRunWithoutAnyReading() {
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(maximum: 5, minimum: 2))
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        cluster.insertDocuments(2)
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.createdJobs == 4)
    }

    @Test func baseJobsThatEndAtOnceAreReplacedWithThePollAndNotInALoop() {
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(maximum: 5, minimum: 1))
        cluster.settle()
        for _ in 0..<20 {
            for name in cluster.jobs.keys { cluster.runJob(name) }
            cluster.settle()
        }
        #expect(cluster.createdJobs == 1)
        cluster.advance(.seconds(15))
        cluster.settle()
        #expect(cluster.createdJobs == 2)
    }

    @Test func jobsThatFailAtOnceDoNotChaseEachOther() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(1)
        for _ in 0..<100 {
            cluster.push()
            cluster.settle()
            for name in cluster.jobs.keys { cluster.runJob(name, fails: true) }
            cluster.settle()
        }
        #expect(cluster.createdJobs <= 3)
        cluster.advance(.seconds(16))
        cluster.settle()
        #expect(cluster.unfinished == 1)
    }

    @Test func anUnknownTriggerTypeNamesThoseThatExist() {
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(triggers: [["type": "mongo", "metadata": [:]]]))
        cluster.advance(.seconds(6))
        cluster.settle()
        let note = cluster.events.last { $0.reason == "ScaledJobCheckFailed" }?.note
        #expect(note?.contains("spec.triggers[0].type") == true)
        #expect(note?.contains("\"mongo\"") == true)
        #expect(note?.contains("counter") == true)
    }

    @Test func aMissingSecretIsNamedAndPickedUpWhenItAppears() {
        var cluster = ModelCluster()
        cluster.start(
            ModelCluster.scaledJob(triggers: [
                ["type": "counter", "metadata": ["queue": "a"], "authenticationRef": ["name": "login"]]
            ])
        )
        let authentication = TriggerAuthentication(
            metadata: ObjectMetadata(name: "login", namespace: "media"),
            spec: ["secretTargetRef": [["parameter": "password", "name": "keys", "key": "pass"]]]
        )
        #expect(cluster.specifications.isEmpty)
        cluster.take(.authentications(.upserted(authentication), scope: nil))
        let secret = ObjectKey(namespace: "media", name: "keys")
        #expect(cluster.watchedSecrets == [secret])
        cluster.take(.secret(secret, .missing))
        cluster.settle()
        #expect(cluster.events.last?.note.contains("Secret media/keys does not exist") == true)
        cluster.take(.secret(secret, .present(["pass": Array("hunter2".utf8)])))
        #expect(cluster.specifications.values.first?.parameters["password"] == "hunter2")
        cluster.take(.secret(secret, .present(["pass": Array("rotated".utf8)])))
        #expect(cluster.specifications.values.first?.parameters["password"] == "rotated")
        #expect(cluster.revisions.values.first == 2)
        #expect(!cluster.events.contains { $0.note.contains("hunter2") })
    }

    @Test func editsDeleteNoRunningJob() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(3)
        cluster.push()
        cluster.settle()
        cluster.take(
            .scaledJobs(.upserted(ModelCluster.scaledJob(maximum: 2, interval: 5, generation: 2)), scope: nil)
        )
        cluster.advance(.seconds(20))
        cluster.settle()
        #expect(cluster.jobs.count == 3)
        cluster.take(.scaledJobs(.deleted(ModelCluster.scaledJob()), scope: nil))
        cluster.settle()
        #expect(cluster.jobs.count == 3)
        #expect(cluster.specifications.isEmpty)
    }

    @Test func statusIsWrittenOnlyWhenItChanged() {
        var cluster = ModelCluster.started()
        cluster.advance(.seconds(1))
        cluster.settle()
        let writes = cluster.statuses.count
        #expect(writes > 0 && writes < 4)
        for _ in 0..<20 {
            cluster.advance(.seconds(15))
            cluster.settle()
        }
        #expect(cluster.statuses.count == writes)
    }

    @Test func whatIsReadBeforeTheJobsAreListedGivesNoItemASecondJob() {
        var cluster = ModelCluster()
        cluster.insertDocuments(1)
        _ = cluster.create("transcode-old")
        cluster.scaledJob = ModelCluster.scaledJob()
        cluster.take(.authentications(.replaced([], startedAt: cluster.now), scope: nil))
        let offer = TriggerTypeOffer(plugin: "counter", isConnected: true, declaration: ModelCluster.declaration)
        cluster.take(.plugin(.offers(["counter": offer])))
        cluster.take(.scaledJobs(.replaced([cluster.scaledJob], startedAt: cluster.now), scope: nil))
        cluster.openTriggers()
        // The document is in work when it is counted, and finished when the Jobs are listed.
        cluster.countForMeasure(at: 0)
        cluster.runJob("transcode-old")
        cluster.relist()
        cluster.settle()
        cluster.advance(.seconds(15))
        cluster.settle()
        #expect(cluster.createdJobs == 1)
    }

    @Test func aReadingUnderWayKeepsTheSlotsThatItNeeds() {
        let trigger: JSONValue = ["type": "counter", "metadata": ["queue": "a"]]
        var cluster = ModelCluster.started(ModelCluster.scaledJob(triggers: [trigger, trigger]))
        let (first, second) = (
            TriggerID(owner: ModelCluster.uid, index: 0), TriggerID(owner: ModelCluster.uid, index: 1)
        )
        cluster.insertDocuments(1)
        cluster.push()
        cluster.settle()
        #expect(cluster.createdJobs == 1)
        // The first is unknown and its next reading counts the document, which is finished before it answers.
        let down = PluginFailure(.unavailable, "the source is down")
        cluster.take(.plugin(.unknown(first, revision: 1, down)))
        cluster.push()
        cluster.countForMeasure(at: 0)
        for name in Array(cluster.jobs.keys) { cluster.runJob(name) }
        while !cluster.unseen.isEmpty { cluster.showNext() }
        cluster.take(.plugin(.changed(second)))
        cluster.answerMeasure(at: 1)
        cluster.settle()
        #expect(cluster.createdJobs == 1)
    }

    @Test func anAnswerThatComesWhileAJobIsAskedForGivesNoSlotBack() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(1)
        cluster.push()
        cluster.answerMeasure()
        let creation = cluster.calls.first { $0.isCreation }
        guard case .createJob(let job, _)? = creation else {
            Issue.record("nothing is created")
            return
        }
        cluster.take(.jobLookedUp(job, .success(nil)))
        #expect(cluster.machine.snapshots().first?.unfinished == 1)
        cluster.settle()
        #expect(cluster.createdJobs == 1)
    }
}

extension ControllerAction {
    fileprivate var isCreation: Bool {
        if case .createJob = self { true } else { false }
    }
}
