import Kubernetes
import PluginHost
import PluginProtocol
import Scaling
import Testing

@testable import Controller

/// What an input costs depends on what it concerns, not on how many ScaledJobs there are.
@Suite struct CrowdedClusterTests {
    private func started(_ size: Int) -> CrowdedCluster {
        var cluster = CrowdedCluster(size)
        cluster.start()
        return cluster
    }

    @Test func aStartCostsAsMuchForEachScaledJobHoweverManyThereAre() {
        let (few, many) = (self.started(20), self.started(1000))
        for cluster in [few, many] {
            #expect(cluster.opened.count == cluster.size)
            #expect(cluster.sentTriggers == cluster.size)
            #expect(cluster.createdJobs == cluster.size)
            #expect(cluster.authenticationWrites == cluster.size)
        }
        #expect(many.machine.work.resolved <= few.machine.work.resolved * 50)
        #expect(many.machine.work.reconciled <= few.machine.work.reconciled * 51)
        #expect(many.actions <= few.actions * 51)
        #expect(many.machine.work.resolved <= 3 * many.size)
    }

    @Test func aSecretConcernsItsUsers() {
        var cluster = self.started(100)
        let work = cluster.work(for: .secret(cluster.secretKey(7), .present(["p": [113]])))
        #expect(work.resolved == 1)
        #expect(cluster.sentTriggers == 101)
        #expect(cluster.work(for: .secret(cluster.secretKey(7), .present(["p": [113]]))) == ControllerMachine.Work())
        let unknown = ObjectKey(namespace: "crowd", name: "nobody's")
        #expect(cluster.work(for: .secret(unknown, .present(["p": [113]]))) == ControllerMachine.Work())
    }

    @Test func anAuthenticationConcernsItsUsersAndOnlyWhenItSaysSomethingElse() {
        var cluster = self.started(100)
        let written = cluster.authentication(7, users: "job-7")
        #expect(cluster.work(for: .authentications(.upserted(written), scope: nil)) == ControllerMachine.Work())
        let all = (0..<100).map { cluster.authentication($0) }
        #expect(cluster.work(for: .authentications(.replaced(all, startedAt: cluster.now), scope: nil)).resolved == 0)
        let changed = cluster.authentication(7, parameter: "other")
        #expect(cluster.work(for: .authentications(.upserted(changed), scope: nil)).resolved == 1)
        #expect(cluster.work(for: .authentications(.deleted(changed), scope: nil)).resolved == 1)
        #expect(cluster.work(for: .authentications(.upserted(written), scope: nil)).resolved == 1)
        let fewer = Array(all.dropFirst())
        #expect(cluster.work(for: .authentications(.replaced(fewer, startedAt: cluster.now), scope: nil)).resolved == 1)
    }

    @Test func aPluginThatComesAndGoesConcernsNobodyUntilItDeclaresSomethingElse() {
        var cluster = self.started(100)
        func resolved(_ offers: [String: TriggerTypeOffer]) -> Int {
            cluster.work(for: .plugin(.offers(offers))).resolved
        }
        #expect(resolved(CrowdedCluster.offers(isConnected: false)) == 0)
        #expect(resolved(CrowdedCluster.offers()) == 0)
        #expect(resolved(CrowdedCluster.offers(others: ["other"])) == 0)
        #expect(resolved(CrowdedCluster.offers(help: "Counts anew.", others: ["other"])) == 100)
        #expect(resolved(CrowdedCluster.offers(others: ["other"]).filter { $0.key == "other" }) == 100)
    }

    @Test func jobsOfOthersConcernNobody() {
        var cluster = self.started(100)
        let observed = JobTracker.Observed(name: "nightly", uid: "nightly", phase: .unfinished)
        let job = JobSummary(key: ObjectKey(namespace: "crowd", name: "nightly"), owner: nil, observed: observed)
        let actions = cluster.actions
        #expect(cluster.work(for: .jobs(.upserted(job), scope: nil)) == ControllerMachine.Work())
        #expect(cluster.work(for: .jobs(.deleted(job), scope: nil)) == ControllerMachine.Work())
        #expect(cluster.actions == actions)
    }

    // MARK: - Calls

    @Test func trialsAreFewAtOnceAndNobodyWaitsForAllOfThem() {
        var cluster = CrowdedCluster(1000)
        cluster.list()
        #expect(cluster.trials.count == 16)
        cluster.take(cluster.trials.removeFirst())
        #expect(cluster.createdJobs == 1)
        #expect(cluster.trials.count == 16)
        cluster.answerTrials()
        #expect(cluster.mostTrialsUnderWay == 16)
        #expect(cluster.createdJobs == 1000)
    }

    /// A start with many ScaledJobs has little time for each, and a host that takes over least of all.
    @Test func thoseThatLackJobsAreTriedFirstAndNobodyBeforeTheListOfJobs() {
        var cluster = CrowdedCluster(200)
        cluster.busy = ["uid-150"]
        cluster.listAllButJobs()
        #expect(cluster.trials.isEmpty)
        cluster.listJobs()
        #expect(cluster.trials.count == 16)
        cluster.take(cluster.trials.removeFirst())
        let owners = cluster.trials.compactMap { if case .templateTried(let owner, _, _) = $0 { owner } else { nil } }
        #expect(owners.contains("uid-150"))
        cluster.answerTrials()
        #expect(cluster.createdJobs == 1)
    }

    @Test func aScaledJobThatGoesBeforeItsTrialLeavesItsPlaceToOthers() {
        var cluster = CrowdedCluster(40)
        cluster.list()
        let index = 39
        let all = (0..<index).map { cluster.scaledJob($0) }
        cluster.take(.scaledJobs(.replaced(all, startedAt: cluster.now), scope: nil))
        cluster.answerTrials()
        #expect(cluster.mostTrialsUnderWay == 16)
        #expect(cluster.createdJobs == index)
    }

    @Test func lookUpsAreFewAtOnceAndAllComeToTheirTurn() {
        var cluster = CrowdedCluster(100)
        cluster.refusesCreations = true
        cluster.start()
        cluster.refusesCreations = false
        var seen: Set<JobReference> = []
        while let job = cluster.lookUps.first {
            cluster.lookUps.removeFirst()
            seen.insert(job)
            cluster.take(.jobLookedUp(job, .success(nil)))
        }
        #expect(cluster.mostLookUpsUnderWay == 16)
        #expect(seen.count == 100)
    }
}
