import Controller
import Kubernetes
import PluginHost
import Scaling
import Testing

/// A host that serves only some ScaledJobs, when the labels of one are edited.
@Suite struct ShardTests {
    private static let selector = "team=a"

    private func cluster(_ selector: String? = Self.selector) -> ModelCluster {
        var cluster = ModelCluster()
        var configuration = ControllerConfiguration(version: "test")
        configuration.scaledJobSelector = selector
        cluster.machine = ControllerMachine(configuration: configuration, now: cluster.now, seed: 1)
        return cluster
    }

    private func scaledJob(status: JSONValue?, maximum: Int = 5) -> ScaledJob {
        let scaledJob = ModelCluster.scaledJob(maximum: maximum)
        return ScaledJob(metadata: scaledJob.metadata, spec: scaledJob.spec, status: status)
    }

    private static let worked: JSONValue = ["conditions": [["type": "Ready", "status": "True"]]]

    /// Brings a host up that has listed nothing, then shows it a ScaledJob.
    private func appears(_ status: JSONValue?, _ selector: String? = Self.selector) -> ModelCluster {
        var cluster = self.cluster(selector)
        cluster.start()
        cluster.take(.scaledJobs(.deleted(ModelCluster.scaledJob()), scope: nil))
        cluster.settle()
        cluster.insertDocuments(3)
        cluster.take(.scaledJobs(.upserted(self.scaledJob(status: status)), scope: nil))
        cluster.openTriggers()
        cluster.settle()
        cluster.advance(.milliseconds(10))
        cluster.settle()
        return cluster
    }

    @Test func aNewScaledJobIsServedAtOnce() {
        #expect(self.appears(nil).createdJobs == 3)
    }

    @Test(
        arguments: [
            ["conditions": [["type": "Ready", "status": "True"]]],
            ["conditions": [["type": "Ready", "status": "True"]], "shard": "team=b"],
        ] as [JSONValue]
    )
    func oneThatComesFromElsewhereIsLeftAloneForAWhile(status: JSONValue) {
        var cluster = self.appears(status)
        #expect(cluster.createdJobs == 0)
        #expect(cluster.measures.isEmpty)
        cluster.advance(.seconds(14))
        cluster.settle()
        #expect(cluster.createdJobs == 0)
        // What the other host created is shown meanwhile.
        var names = JobNames(scaledJob: ModelCluster.key.name, uid: ModelCluster.uid)
        for _ in 0..<2 { _ = cluster.create(names.next()) }
        cluster.settle()
        cluster.advance(.seconds(1))
        cluster.settle()
        #expect(cluster.createdJobs == 3)
        #expect(cluster.surplusJobs == 0)
        #expect(cluster.statuses.last?[path: "status", "shard"] == "team=a")
    }

    @Test func itsOwnAreServedAtOnceAfterARestart() {
        var cluster = self.cluster()
        cluster.insertDocuments(3)
        cluster.start(
            self.scaledJob(status: ["conditions": [["type": "Ready", "status": "True"]], "shard": "team=a"])
        )
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.createdJobs == 3)
    }

    @Test func theFirstListShowsWhoServedThem() {
        var cluster = self.cluster()
        cluster.insertDocuments(3)
        cluster.start(
            self.scaledJob(status: ["conditions": [["type": "Ready", "status": "True"]], "shard": "team=b"])
        )
        cluster.openTriggers()
        cluster.settle()
        #expect(cluster.createdJobs == 0)
        cluster.advance(.seconds(15))
        cluster.settle()
        #expect(cluster.createdJobs == 3)
    }

    /// A host for everything takes over what a shard served, and takes the note out.
    @Test func aHostWithoutASelectorWaitsForAShardAsWell() {
        var cluster = self.appears(["conditions": [["type": "Ready", "status": "True"]], "shard": "team=b"], nil)
        #expect(cluster.createdJobs == 0)
        cluster.advance(.seconds(15))
        cluster.settle()
        #expect(cluster.createdJobs == 3)
        #expect(cluster.statuses.last?[path: "status", "shard"] == .null)
        #expect(self.appears(Self.worked, nil).createdJobs == 3)
    }

    @Test func leavingTakesBackWhatWasNotSentAndTellsOfNoDeletion() {
        var cluster = self.cluster()
        cluster.insertDocuments(60)
        cluster.start(self.scaledJob(status: nil, maximum: 100))
        cluster.openTriggers()
        // As far as the creations under way.
        for _ in 0..<20 where !cluster.calls.contains(where: { if case .createJob = $0 { true } else { false } }) {
            if !cluster.calls.isEmpty { cluster.answerCall() } else { cluster.answerMeasure() }
        }
        let sent = cluster.calls.count { if case .createJob = $0 { true } else { false } }
        #expect(sent > 0 && sent < 60)
        cluster.take(.scaledJobs(.deleted(cluster.scaledJob), scope: nil))
        cluster.settle()
        #expect(cluster.createdJobs == sent)
        #expect(cluster.deletions.isEmpty)
        #expect(!cluster.events.map(\.reason).contains("ScaledJobDeleted"))
        #expect(cluster.specifications.isEmpty)
        // Jobs of a ScaledJob that others serve end without being cleaned by this host.
        for name in cluster.jobs.keys { cluster.runJob(name) }
        cluster.settle()
        cluster.advance(.seconds(60))
        cluster.settle()
        #expect(cluster.jobs.count == sent)
    }

    @Test func withoutASelectorADeletionIsTold() {
        var cluster = self.cluster(nil)
        cluster.start()
        cluster.settle()
        cluster.take(.scaledJobs(.deleted(cluster.scaledJob), scope: nil))
        #expect(cluster.events.map(\.reason).contains("ScaledJobDeleted"))
    }
}
