import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

/// What the controller tells of its work: Events, status and metrics.
@Suite struct StatusAndEventsTests {
    private static let trigger = TriggerID(owner: ModelCluster.uid, index: 0)

    private func poll(_ cluster: inout ModelCluster, fail: Bool = false) {
        cluster.advance(.seconds(15))
        self.write(&cluster, fail: fail)
    }

    /// Answers what was asked, and lets the status be written.
    private func write(_ cluster: inout ModelCluster, fail: Bool = false) {
        for _ in 0..<2 {
            while !cluster.measures.isEmpty { cluster.answerMeasure(fail: fail) }
            cluster.settle()
            cluster.advance(.milliseconds(200))
        }
    }

    // MARK: - Events

    @Test func startAndEndAreTold() {
        var cluster = ModelCluster.started()
        let starts = cluster.events.filter { $0.reason == .scalersStarted }
        #expect(starts.map(\.action) == ["ScalersWatchStarted", "KEDAScalersStarted"])
        #expect(starts.allSatisfy { $0.reason.reportingController == "scale-handler" })
        #expect(cluster.events.contains { $0.reason == .scaledJobReady && $0.action == $0.note })
        cluster.take(.scaledJobs(.deleted(ModelCluster.scaledJob()), scope: nil))
        let end = cluster.events.suffix(2)
        #expect(end.map(\.reason) == [.scalersStopped, .scaledJobDeleted])
        #expect(end.last?.kind == .warning)
    }

    @Test func pauseStopsTheScalersAndTheEndOfItStartsThem() {
        var cluster = ModelCluster.started()
        let paused = ModelCluster.scaledJob(annotations: ["autoscaling.keda.sh/paused": "true"])
        cluster.events = []
        cluster.take(.scaledJobs(.upserted(paused), scope: nil))
        cluster.settle()
        #expect(Set(cluster.events.map(\.reason)) == [.scalersStopped, .scaledJobPaused])
        cluster.events = []
        cluster.advance(.seconds(60))
        cluster.take(.scaledJobs(.upserted(ModelCluster.scaledJob()), scope: nil))
        cluster.settle()
        #expect(Set(cluster.events.map(\.reason)) == [.scalersStarted, .scaledJobUnpaused])
    }

    @Test func aSourceThatStaysDownIsToldOnce() {
        var cluster = ModelCluster.started()
        cluster.events = []
        for _ in 0..<100 { self.poll(&cluster, fail: true) }
        #expect(cluster.events.count { $0.reason == .scalerFailed } == 1)
    }

    @Test func aSourceThatComesAndGoesIsCounted() {
        var cluster = ModelCluster.started()
        cluster.events = []
        for _ in 0..<50 {
            self.poll(&cluster, fail: true)
            self.poll(&cluster)
        }
        let failed = cluster.events.filter { $0.reason == .scalerFailed }
        #expect(failed.count < 15)
        #expect(Set(failed.map(\.name)).count == 1)
        #expect(failed.last?.count.map { $0 > 20 } == true)
    }

    @Test func refusedJobsDoNotFloodTheServerWithEvents() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(5)
        cluster.events = []
        cluster.advance(.seconds(15))
        for _ in 0..<200 {
            while !cluster.measures.isEmpty { cluster.answerMeasure() }
            while let call = cluster.calls.first {
                if case .createJob(let job, _) = call {
                    cluster.calls.removeFirst()
                    let refusal = KubernetesError(.forbidden, "exceeded quota", status: 403)
                    cluster.take(.jobCreated(job, .failure(refusal)))
                } else {
                    cluster.answerCall()
                }
            }
            cluster.advanceToNextWake()
        }
        let told = cluster.events.filter { $0.reason == .jobCreateFailed }
        #expect(told.filter { $0.count == nil }.count == 1)
        #expect(told.count < 30)
        let figures = cluster.machine.metrics().scaledJobs.first
        #expect(figures?.counters.refused.isMultiple(of: 1) == true && figures?.counters.refused != 0)
        #expect(cluster.events.count { $0.reason == .jobsCreated } == 0)
    }

    @Test func batchesThatFollowEachOtherAreToldTogether() {
        var cluster = ModelCluster.started()
        cluster.events = []
        for _ in 0..<20 {
            cluster.insertDocuments(1)
            cluster.take(.plugin(.changed(Self.trigger)))
            cluster.settle()
            for name in cluster.jobs.keys { cluster.runJob(name) }
            cluster.settle()
        }
        #expect(cluster.events.filter { $0.reason == .jobsCreated }.map(\.note) == ["Created 1 Job"])
        let later = cluster.createdJobs - 1
        #expect(later > 1)
        cluster.advance(.seconds(10))
        cluster.settle()
        #expect(
            cluster.events.filter { $0.reason == .jobsCreated }.map(\.note) == [
                "Created 1 Job", "Created \(later) Jobs",
            ]
        )
    }

    @Test func aKeyThatNothingReadsIsTold() {
        let triggers: JSONValue = [
            ["type": "counter", "metadata": ["queue": "a", "qeue": "b", "passwordFromEnv": "P"]]
        ]
        let cluster = ModelCluster.started(ModelCluster.scaledJob(triggers: triggers))
        let told = cluster.events.filter { $0.reason == .scalerInfo }
        #expect(told.map(\.kind) == [.normal])
        #expect(told.first?.note.contains("spec.triggers[0].metadata.qeue") == true)
        #expect(told.first?.note.contains("passwordFromEnv") == false)
    }

    @Test func aDeprecatedKeyIsToldWithWhatToUseInstead() {
        var cluster = ModelCluster()
        cluster.start()
        var declaration = ModelCluster.declaration
        declaration.parameters[0].deprecation = "use topic"
        let offer = TriggerTypeOffer(plugin: "counter", isConnected: true, declaration: declaration)
        cluster.take(.plugin(.offers(["counter": offer])))
        cluster.openTriggers()
        let told = cluster.events.filter { $0.reason == .scalerInfo }
        #expect(told.map(\.kind) == [.warning])
        #expect(told.first?.note == "spec.triggers[0].metadata.queue is deprecated: use topic")
    }

    @Test func authenticationsAreToldWithTheReasonOfTheirKind() {
        var cluster = ModelCluster.started()
        cluster.events = []
        func metadata(_ generation: Int64, _ namespace: String?) -> ObjectMetadata {
            ObjectMetadata(name: "login", namespace: namespace, uid: "login-uid", generation: generation)
        }
        func namespaced(_ generation: Int64) -> TriggerAuthentication {
            TriggerAuthentication(metadata: metadata(generation, "media"), spec: nil)
        }
        func clustered(_ generation: Int64) -> ClusterTriggerAuthentication {
            ClusterTriggerAuthentication(metadata: metadata(generation, nil), spec: nil)
        }
        cluster.take(.authentications(.upserted(namespaced(1)), scope: nil))
        cluster.take(.authentications(.upserted(namespaced(1)), scope: nil))
        cluster.take(.authentications(.upserted(namespaced(2)), scope: nil))
        cluster.take(.authentications(.deleted(namespaced(2)), scope: nil))
        cluster.take(.clusterAuthentications(.upserted(clustered(1))))
        cluster.take(.clusterAuthentications(.upserted(clustered(2))))
        cluster.take(.clusterAuthentications(.replaced([], startedAt: cluster.now)))
        #expect(
            cluster.events.map(\.reason) == [
                .authenticationAdded, .authenticationUpdated, .authenticationDeleted, .clusterAuthenticationAdded,
                .clusterAuthenticationUpdated, .clusterAuthenticationDeleted,
            ]
        )
        #expect(Set(cluster.events.map(\.namespace)) == ["media", "default"])
        #expect(cluster.events.allSatisfy { $0.kind == .normal && $0.reason.reportingController == "keda-operator" })
    }

    // MARK: - Status

    @Test func theMessageSaysWhichTriggersAreMeant() {
        let faults = [
            TriggerFault(index: 0, name: "videos", message: "the source is down"),
            TriggerFault(index: 2, message: "the password is wrong"),
        ]
        let part = Condition.ready(faults: [faults[0]], triggers: 3, isActive: false)
        #expect(part.reason == "TriggerError")
        #expect(
            part.message
                == "1 of 3 triggers cannot be read, the others can: spec.triggers[0] (videos): the source is down"
        )
        let both = Condition.ready(faults: faults, triggers: 3, isActive: true)
        #expect(both.reason == "PartialTriggerError")
        #expect(both.message.hasPrefix("2 of 3 triggers cannot be read, the others can (spec.triggers[0] (videos), "))
        let all = Condition.ready(faults: faults, triggers: 2, isActive: true)
        #expect(all.message.hasPrefix("none of the 2 triggers can be read ("))
        let one = Condition.ready(faults: [faults[1]], triggers: 1, isActive: false)
        #expect(one.message == "spec.triggers[2]: the password is wrong")
    }

    @Test func aMinimumKeepsAScaledJobActiveWithoutItsSource() {
        var cluster = ModelCluster.started(ModelCluster.scaledJob(minimum: 1))
        self.poll(&cluster, fail: true)
        let conditions = cluster.statuses.last?[path: "status", "conditions"]?.arrayValue ?? []
        let reasons = conditions.prefix(2).map { $0["reason"]?.stringValue ?? "" }
        #expect(reasons == ["PartialTriggerError", "ScalerActive"])
    }

    @Test func theActivityOfATriggerThatCannotBeReadStays() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(1)
        self.poll(&cluster)
        for _ in 0..<5 { self.poll(&cluster, fail: true) }
        let activity = cluster.statuses.last?[path: "status", "triggersActivity"]
        #expect(activity == ["s0-counter": ["isActive": true]])
    }

    @Test func aSourceThatFailsLeavesActiveAsItWas() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(1)
        self.poll(&cluster)
        for _ in 0..<3 { self.poll(&cluster, fail: true) }
        let conditions = cluster.statuses.last?[path: "status", "conditions"]?.arrayValue ?? []
        #expect(
            conditions.prefix(2).map { $0["reason"]?.stringValue ?? "" } == ["TriggerError", "ScalerActive"]
        )
        #expect(!cluster.events.contains { $0.reason == .scaledJobInactive })
    }

    @Test func nothingIsWrittenWhileNothingChanges() {
        var cluster = ModelCluster.started()
        for _ in 0..<3 { self.poll(&cluster) }
        let before = cluster.statuses.count
        for _ in 0..<100 { self.poll(&cluster) }
        #expect(cluster.statuses.count == before)
    }

    @Test func theUsersOfAnAuthenticationFollowItsUse() {
        let triggers: JSONValue = [
            ["type": "counter", "metadata": ["queue": "a"], "authenticationRef": ["name": "login"]],
            ["type": "counter", "metadata": ["queue": "b"], "authenticationRef": ["name": "login"]],
        ]
        var cluster = ModelCluster()
        let login = TriggerAuthentication(
            metadata: ObjectMetadata(name: "login", namespace: "media", uid: "login-uid", generation: 1),
            spec: ["env": []],
            status: ["scaledobjects": "other", "scaledjobs": "long-gone"]
        )
        cluster.start(ModelCluster.scaledJob(triggers: triggers))
        cluster.take(.authentications(.upserted(login), scope: nil))
        func writes() -> [String?] {
            cluster.calls.compactMap { call -> String?? in
                if case .writeAuthenticationStatus(_, let text) = call { text } else { nil }
            }
        }
        #expect(writes() == ["transcode"])
        let id = AuthenticationID(.namespaced, login.key)
        cluster.take(.authenticationStatusWritten(id, scaledJobs: "transcode", .success(())))
        cluster.calls = []
        cluster.advance(.seconds(2))
        #expect(writes() == [])
        // The trigger no longer uses it.
        cluster.take(.scaledJobs(.upserted(ModelCluster.scaledJob(generation: 2)), scope: nil))
        #expect(writes() == [nil])
    }

    // MARK: - Metrics

    @Test func failedReadingsAreCountedForEachPoll() {
        var cluster = ModelCluster.started()
        for _ in 0..<4 { self.poll(&cluster, fail: true) }
        let metrics = cluster.machine.metrics()
        #expect(metrics.triggers.first?.errors == 4)
        #expect(metrics.scaledJobs.first?.errors == 4)
        #expect(metrics.triggers.first?.value == nil)
        // A trigger that cannot be opened is broken in every poll as well.
        cluster.take(
            .plugin(
                .failed(
                    Self.trigger,
                    revision: cluster.revisions[Self.trigger] ?? 0,
                    PluginFailure(.unauthenticated, "the password is wrong")
                )
            )
        )
        for _ in 0..<3 { cluster.advance(.seconds(15)) }
        #expect(cluster.machine.metrics().triggers.first?.errors == 7)
        #expect(cluster.machine.metrics().triggers.first?.state == .failed)
    }

    @Test func labelsAreThoseOfTheTrigger() {
        let triggers: JSONValue = [
            ["type": "counter", "metadata": ["queue": "a"]],
            ["type": "counter", "name": "second", "metadata": ["queue": "b"]],
        ]
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(triggers: triggers))
        for (id, revision) in cluster.revisions {
            let opened = OpenedTrigger(target: 1, metricName: "counter-a/b.c:d%e(f)")
            cluster.take(.plugin(.opened(id, revision: revision, opened)))
        }
        cluster.insertDocuments(2)
        self.write(&cluster)
        let metrics = cluster.machine.metrics().triggers.sorted { $0.index < $1.index }
        #expect(metrics.map(\.metric) == ["s0-counter-a-b-c-d-e-f-", "s1-counter-a-b-c-d-e-f-"])
        #expect(metrics.map(\.scaler) == ["counter", "second"])
        #expect(metrics.map(\.value) == [2, 2])
        #expect(ScalerName.label(type: "mongodb", name: "") == "mongoDBScaler")
        let names = cluster.statuses.last?[path: "status", "externalMetricNames"]
        #expect(names == ["s0-counter-a-b-c-d-e-f-", "s1-counter-a-b-c-d-e-f-"])
    }

    @Test func aPausedScaledJobShowsNoOldReadings() {
        var cluster = ModelCluster.started()
        self.poll(&cluster)
        #expect(cluster.machine.metrics().triggers.first?.value == 0)
        let paused = ModelCluster.scaledJob(annotations: ["autoscaling.keda.sh/paused": "true"])
        cluster.take(.scaledJobs(.upserted(paused), scope: nil))
        let metrics = cluster.machine.metrics()
        #expect(metrics.triggers.count == 1)
        #expect(metrics.triggers.first?.value == nil)
        #expect(metrics.triggers.first?.isActive == nil)
        #expect(metrics.scaledJobs.first?.queueLength == nil)
    }

    @Test func nothingOfADeletedScaledJobIsLeft() {
        var cluster = ModelCluster.started()
        cluster.insertDocuments(2)
        self.poll(&cluster)
        #expect(cluster.machine.metrics().scaledJobs.first?.counters.created == 2)
        cluster.take(.scaledJobs(.deleted(ModelCluster.scaledJob()), scope: nil))
        let metrics = cluster.machine.metrics()
        #expect(metrics.scaledJobs.isEmpty && metrics.triggers.isEmpty)
        #expect(metrics.triggerTypes.isEmpty)
        #expect(metrics.resources.isEmpty)
        // What the host did is not undone by it.
        #expect(metrics.totals.jobs.created == 2)
    }
}
