import Controller
import Credentials
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

/// Credentials that have to be fetched, inside the controller.
@Suite struct CredentialTests {
    private static let trigger = TriggerID(owner: ModelCluster.uid, index: 0)

    private func scaledJob(triggers: Int = 1) -> ScaledJob {
        let trigger: JSONValue = [
            "type": "counter", "metadata": ["queue": "a"], "authenticationRef": ["name": "login"],
        ]
        return ModelCluster.scaledJob(triggers: .array(Array(repeating: trigger, count: triggers)))
    }

    private func started(triggers: Int = 1) -> ModelCluster {
        var cluster = ModelCluster()
        cluster.start(self.scaledJob(triggers: triggers))
        let spec: JSONValue = [
            "hashiCorpVault": [
                "address": "https://vault:8200", "authentication": "token", "credential": ["token": "t"],
                "secrets": [["parameter": "password", "path": "kv/db", "key": "pw"]],
            ]
        ]
        let metadata = ObjectMetadata(name: "login", namespace: "media")
        cluster.take(.authentications(.upserted(TriggerAuthentication(metadata: metadata, spec: spec)), scope: nil))
        return cluster
    }

    private func answer(_ cluster: inout ModelCluster, _ outcome: Result<FetchedCredential, CredentialFailure>) {
        guard !cluster.fetches.isEmpty else {
            Issue.record("nothing is fetched")
            return
        }
        cluster.take(.credential(cluster.fetches.removeFirst(), outcome))
    }

    @Test func equalRequestsOfManyTriggersAreFetchedOnce() {
        var cluster = self.started(triggers: 100)
        #expect(cluster.fetches.count == 1)
        #expect(cluster.specifications.isEmpty)
        self.answer(&cluster, .success(FetchedCredential(["pw": "p"])))
        #expect(cluster.specifications.count == 100)
        #expect(cluster.specifications[Self.trigger]?.parameters["password"] == "p")
    }

    @Test func aValueThatChangedReachesThePluginByItself() {
        var cluster = self.started()
        self.answer(&cluster, .success(FetchedCredential(["pw": "p"])))
        cluster.openTriggers()
        cluster.settle()
        cluster.advance(.seconds(301))
        self.answer(&cluster, .success(FetchedCredential(["pw": "q"])))
        #expect(cluster.specifications[Self.trigger]?.parameters["password"] == "q")
        #expect(cluster.revisions[Self.trigger] == 2)
    }

    @Test func aRefusalIsToldAndTriedAgainAndPickedUp() {
        var cluster = self.started()
        self.answer(&cluster, .failure(CredentialFailure("path \"kv/db\" does not exist; create it", isRefusal: true)))
        #expect(cluster.machine.snapshots().first?.explanation.contains("does not exist; create it") == true)
        cluster.advance(.seconds(3))
        self.answer(&cluster, .success(FetchedCredential(["pw": "p"])))
        #expect(cluster.specifications[Self.trigger]?.parameters["password"] == "p")
    }

    @Test func aVaultThatIsAwayClosesNothing() {
        var cluster = self.started()
        self.answer(&cluster, .success(FetchedCredential(["pw": "p"])))
        cluster.advance(.seconds(301))
        self.answer(&cluster, .failure(CredentialFailure("away", isRefusal: false)))
        #expect(cluster.specifications[Self.trigger]?.parameters["password"] == "p")
    }

    @Test func credentialsThatASourceRefusesAreReadAgainSoon() {
        var cluster = self.started()
        self.answer(&cluster, .success(FetchedCredential(["pw": "p"])))
        cluster.openTriggers()
        cluster.advance(.seconds(20))
        cluster.take(.plugin(.unknown(Self.trigger, revision: 1, PluginFailure(.unauthenticated, "wrong password"))))
        cluster.advance(.seconds(1))
        self.answer(&cluster, .success(FetchedCredential(["pw": "q"])))
        #expect(cluster.specifications[Self.trigger]?.parameters["password"] == "q")
    }

    @Test func anAuthenticationThatIsGoneIsNotFetchedAnyMore() {
        var cluster = self.started()
        let gone = TriggerAuthentication(metadata: ObjectMetadata(name: "login", namespace: "media"), spec: nil)
        cluster.take(.authentications(.deleted(gone), scope: nil))
        self.answer(&cluster, .success(FetchedCredential(["pw": "p"])))
        #expect(cluster.specifications.isEmpty)
        cluster.advance(.seconds(3600))
        #expect(cluster.fetches.isEmpty)
    }

    @Test func onlyTheCredentialsOfTheRefusedTriggerAreReadAgainSoon() {
        let triggers = ["login", "other"].map { name -> JSONValue in
            ["type": "counter", "metadata": ["queue": "a"], "authenticationRef": ["name": .string(name)]]
        }
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(triggers: .array(triggers)))
        for name in ["login", "other"] {
            let spec: JSONValue = [
                "hashiCorpVault": [
                    "address": "https://vault:8200", "authentication": "token", "credential": ["token": "t"],
                    "secrets": [["parameter": "password", "path": .string("kv/\(name)"), "key": "pw"]],
                ]
            ]
            let metadata = ObjectMetadata(name: name, namespace: "media")
            cluster.take(.authentications(.upserted(TriggerAuthentication(metadata: metadata, spec: spec)), scope: nil))
        }
        #expect(cluster.fetches.count == 2)
        while !cluster.fetches.isEmpty { self.answer(&cluster, .success(FetchedCredential(["pw": "p"]))) }
        cluster.openTriggers()
        cluster.advance(.seconds(20))
        cluster.take(.plugin(.unknown(Self.trigger, revision: 1, PluginFailure(.unauthenticated, "wrong password"))))
        cluster.advance(.seconds(1))
        #expect(cluster.fetches.count == 1)
        #expect(cluster.fetches.first?.description.contains("other") == false)
    }
}
