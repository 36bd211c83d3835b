import Controller
import Kubernetes
import PluginHost
import Scaling
import Testing

@Suite struct DeletionTests {
    private func going(
        _ finalizers: [String] = ["finalizer.keda.sh"],
        version: String = "7"
    ) -> ScaledJob {
        var metadata = ModelCluster.scaledJob().metadata
        metadata.deletionTimestamp = "2026-01-01T00:00:00Z"
        metadata.finalizers = finalizers
        metadata.resourceVersion = version
        return ScaledJob(metadata: metadata, spec: ModelCluster.scaledJob().spec)
    }

    private func deletions(_ cluster: ModelCluster) -> Int {
        cluster.events.count { $0.reason == "ScaledJobDeleted" }
    }

    @Test func aScaledJobThatIsBeingDeletedCreatesNothingAndLetsGo() {
        var cluster = ModelCluster()
        cluster.start()
        cluster.openTriggers()
        cluster.settle()
        cluster.edit(self.going(["a/b", "finalizer.keda.sh"]))
        cluster.insertDocuments(3)
        cluster.take(.plugin(.changed(TriggerID(owner: ModelCluster.uid, index: 0))))
        cluster.settle()
        #expect(cluster.createdJobs == 0)
        #expect(cluster.specifications.isEmpty)
        #expect(cluster.removedFinalizers.map(\.others) == [["a/b"]])
        #expect(cluster.removedFinalizers.first?.resourceVersion == "7")
        cluster.edit(self.going(["a/b"], version: "8"))
        cluster.take(.scaledJobs(.deleted(self.going([], version: "9")), scope: nil))
        cluster.settle()
        #expect(self.deletions(cluster) == 1)
        #expect(cluster.removedFinalizers.count == 1)
    }

    @Test func aHostThatStartsLaterLetsGoToo() {
        var cluster = ModelCluster()
        cluster.start(self.going())
        cluster.settle()
        #expect(cluster.removedFinalizers.count == 1)
        #expect(self.deletions(cluster) == 1)
    }

    @Test func nobodyElsesFinalizerIsTouchedAndNoLivingObjectLetGo() {
        var cluster = ModelCluster()
        var living = ModelCluster.scaledJob().metadata
        living.finalizers = ["finalizer.keda.sh"]
        living.resourceVersion = "3"
        cluster.start(ScaledJob(metadata: living, spec: ModelCluster.scaledJob().spec))
        cluster.settle()
        cluster.edit(self.going(["a/b"]))
        cluster.settle()
        #expect(cluster.removedFinalizers.isEmpty)
    }

    @Test func aRefusedPatchIsTriedAgainWithTheNextRevision() {
        var cluster = ModelCluster()
        cluster.start()
        cluster.settle()
        cluster.edit(self.going())
        let index = cluster.calls.firstIndex { if case .removeFinalizer = $0 { true } else { false } }
        guard let index, case .removeFinalizer(let reference) = cluster.calls.remove(at: index) else {
            Issue.record("nothing was asked for")
            return
        }
        cluster.edit(self.going(version: "8"))
        cluster.take(.finalizerRemoved(reference, .failure(KubernetesError(.conflict, "modified", status: 409))))
        cluster.settle()
        #expect(cluster.removedFinalizers.map(\.resourceVersion) == ["8"])
    }

    @Test func aPatchThatFailsIsTriedAgainAfterAPause() {
        var cluster = ModelCluster()
        cluster.start()
        cluster.settle()
        cluster.edit(self.going())
        let index = cluster.calls.firstIndex { if case .removeFinalizer = $0 { true } else { false } }
        cluster.answerCall(at: index ?? 0, .serverError)
        cluster.settle()
        #expect(cluster.removedFinalizers.isEmpty)
        cluster.advance(.seconds(10))
        cluster.settle()
        #expect(cluster.removedFinalizers.count == 1)
    }

    @Test func authenticationsAreLetGo() {
        var cluster = ModelCluster()
        cluster.start()
        cluster.settle()
        let metadata = ObjectMetadata(
            name: "login",
            namespace: "media",
            uid: "auth",
            resourceVersion: "1",
            deletionTimestamp: "2026-01-01T00:00:00Z",
            finalizers: ["finalizer.keda.sh"]
        )
        cluster.take(
            .authentications(.upserted(TriggerAuthentication(metadata: metadata, spec: [:])), scope: nil)
        )
        var clusterWide = metadata
        clusterWide.namespace = nil
        clusterWide.uid = "cluster"
        cluster.take(
            .clusterAuthentications(.upserted(ClusterTriggerAuthentication(metadata: clusterWide, spec: [:])))
        )
        cluster.settle()
        #expect(
            Set(cluster.removedFinalizers.map(\.resource)) == [.triggerAuthentications, .clusterTriggerAuthentications]
        )
        #expect(self.deletions(cluster) == 0)
    }

    @Test func aJobThatLostItsOwnerIsNobodysAndAForeignOneNeverWas() {
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(maximum: 1))
        cluster.openTriggers()
        cluster.insertDocuments(2)
        cluster.settle()
        #expect(cluster.jobs.count == 1)
        let name = cluster.jobs.keys.first ?? ""
        let orphan = JobSummary(
            key: ObjectKey(namespace: "media", name: name),
            owner: nil,
            observed: JobTracker.Observed(name: name, uid: "uid-\(name)", phase: .unfinished)
        )
        let foreign = JobSummary(
            key: ObjectKey(namespace: "media", name: "other"),
            owner: nil,
            observed: JobTracker.Observed(name: "other", uid: "uid-other", phase: .succeeded(at: 1))
        )
        cluster.take(.jobs(.upserted(foreign), scope: nil))
        cluster.take(.jobs(.upserted(orphan), scope: nil))
        cluster.advance(.seconds(20))
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        #expect(cluster.deletions.isEmpty)
    }

    @Test func historyIsCleanedWhileTheRestOfTheManifestIsWrong() {
        var cluster = ModelCluster()
        cluster.start()
        cluster.openTriggers()
        cluster.insertDocuments(1)
        cluster.settle()
        cluster.edit(ModelCluster.scaledJob(interval: 0, generation: 2))
        for name in cluster.jobs.keys { cluster.runJob(name) }
        cluster.settle()
        #expect(cluster.jobs.isEmpty)
    }
}
