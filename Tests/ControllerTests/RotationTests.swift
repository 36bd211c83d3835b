import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

/// Credentials that change while a trigger is open.
@Suite struct RotationTests {
    private static let secret = ObjectKey(namespace: "media", name: "login")
    private static let trigger = TriggerID(owner: ModelCluster.uid, index: 0)

    private func password(_ text: String) -> ControllerInput { .secret(Self.secret, .present(["p": Array(text.utf8)])) }

    private func scaledJob(queue: String = "a", generation: Int64 = 1) -> ScaledJob {
        let trigger: JSONValue = [
            "type": "counter", "metadata": ["queue": .string(queue)], "authenticationRef": ["name": "login"],
        ]
        return ModelCluster.scaledJob(triggers: [trigger], generation: generation)
    }

    /// A host that counts with the password `old`.
    private func started() -> ModelCluster {
        var cluster = ModelCluster()
        cluster.start(self.scaledJob())
        let spec: JSONValue = ["secretTargetRef": [["parameter": "password", "name": "login", "key": "p"]]]
        let metadata = ObjectMetadata(name: "login", namespace: "media")
        cluster.take(.authentications(.upserted(TriggerAuthentication(metadata: metadata, spec: spec)), scope: nil))
        cluster.take(self.password("old"))
        cluster.openTriggers()
        cluster.settle()
        return cluster
    }

    private func reading(_ revision: UInt64, _ waiting: Double, _ cluster: ModelCluster) -> ControllerInput {
        .plugin(.reading(Self.trigger, revision: revision, Reading(waiting: waiting), askedAt: cluster.now))
    }

    @Test func readingsCountWhileTheNewOneIsOpenedWhateverRevisionTheyCarry() {
        var cluster = self.started()
        #expect(cluster.watchedSecrets == [Self.secret])
        cluster.take(self.password("new"))
        #expect(cluster.revisions[Self.trigger] == 2)
        #expect(cluster.specifications[Self.trigger]?.parameters["password"] == "new")
        cluster.take(self.reading(1, 2, cluster))
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        cluster.take(self.reading(2, 3, cluster))
        cluster.settle()
        #expect(cluster.createdJobs == 3)
        cluster.take(.plugin(.opened(Self.trigger, revision: 2, OpenedTrigger(target: 1))))
        #expect(!cluster.measures.isEmpty)
    }

    @Test func aReadingThatWasUnderWayDoesNotStopTheNextOne() {
        var cluster = self.started()
        cluster.take(.plugin(.changed(Self.trigger)))
        #expect(cluster.measures.count == 1)
        cluster.take(self.password("new"))
        cluster.take(self.reading(1, 0, cluster))
        cluster.measures = []
        cluster.take(.plugin(.changed(Self.trigger)))
        #expect(cluster.measures.count == 1)
    }

    @Test func aNewPasswordThatFailsHoldsTheDecisionAndIsTold() {
        var cluster = self.started()
        cluster.take(self.reading(1, 2, cluster))
        cluster.settle()
        cluster.take(self.password("wrong"))
        let failure = PluginFailure(.unauthenticated, "plugin counter: the password is wrong")
        cluster.take(.plugin(.failed(Self.trigger, revision: 2, failure)))
        cluster.settle()
        #expect(cluster.createdJobs == 2)
        #expect(cluster.unfinished == 2)
        let said = cluster.machine.snapshots().first?.explanation ?? ""
        #expect(said.contains("the password is wrong"))
        #expect(cluster.machine.snapshots().first?.waiting == nil)
        // The one before must not count any more.
        cluster.take(self.reading(2, 5, cluster))
        cluster.settle()
        #expect(cluster.createdJobs == 2)
    }

    @Test func aSecretThatIsGoneClosesTheTriggerAndOneThatComesBackOpensIt() {
        var cluster = self.started()
        cluster.take(.secret(Self.secret, .missing))
        #expect(cluster.specifications[Self.trigger] == nil)
        #expect(cluster.machine.snapshots().first?.explanation.contains("Secret media/login does not exist") == true)
        cluster.take(self.password("back"))
        #expect(cluster.specifications[Self.trigger]?.parameters["password"] == "back")
    }

    @Test func anotherQuestionIsNotAnsweredByTheOldOne() {
        var cluster = self.started()
        cluster.take(.scaledJobs(.upserted(self.scaledJob(queue: "b", generation: 2)), scope: nil))
        cluster.take(self.reading(1, 5, cluster))
        cluster.take(self.reading(2, 5, cluster))
        cluster.settle()
        #expect(cluster.createdJobs == 0)
    }
}
