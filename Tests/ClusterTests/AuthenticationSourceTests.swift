import ClusterTestSupport
import Foundation
import HTTP
import Kubernetes
import PluginPeers
import Servers
import Testing

extension WholeHostTests {
    /// Parameters from every source that a cluster or a server next to it has, in the real program.
    @Suite struct AuthenticationSourceTests {
        private func scaledJob(_ name: String, _ kind: String = "TriggerAuthentication") -> JSONValue {
            let trigger: JSONValue = [
                "type": "scripted", "metadata": [:],
                "authenticationRef": ["name": .string(name), "kind": .string(kind)],
            ]
            return Manifests.scaledJob(name, triggers: [trigger], ["pollingInterval": 1])
        }

        private func authentication(
            _ name: String,
            _ spec: JSONValue,
            kind: String = "TriggerAuthentication"
        ) -> JSONValue {
            [
                "apiVersion": "keda.sh/v1alpha1", "kind": .string(kind), "metadata": ["name": .string(name)],
                "spec": spec,
            ]
        }

        private func createForCluster(_ fixture: HostFixture, _ object: JSONValue) async throws {
            let body = try object.encoded()
            _ = try await fixture.client.send(APIRequest(.create, .clusterTriggerAuthentications, body: body))
        }

        @Test func aConfigMapIsFollowedThroughChangeDeletionAndReturn() async throws {
            try await HostFixture.with { fixture in
                func configMap(_ value: JSONValue) -> JSONValue {
                    [
                        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "settings"],
                        "data": ["value": value],
                    ]
                }
                let target: JSONValue = ["parameter": "value", "name": "settings", "key": "value"]
                try await fixture.create(
                    .triggerAuthentications,
                    self.authentication("counted", ["configMapTargetRef": [target]])
                )
                try await fixture.create(.scaledJobs, self.scaledJob("counted"))
                try fixture.startHost()
                try await fixture.condition("Ready", of: "counted") {
                    $0.message.contains("/settings does not exist; create it with the key \"value\"")
                }
                try await fixture.create(.configMaps, configMap("2"))
                try await fixture.jobs.created(2, of: "counted")
                try await fixture.patch(.configMaps, "settings", ["data": ["value": "3"]])
                try await fixture.jobs.created(3, of: "counted")
                _ = try await fixture.kubectl("delete", "configmap", "settings")
                try await fixture.condition("Ready", of: "counted") { $0.status == "False" }
                try await fixture.create(.configMaps, configMap("4"))
                try await fixture.jobs.created(4, of: "counted")
                try await fixture.isReady("counted")
            }
        }

        @Test func aTokenOfAServiceAccountIsIssuedAsSoonAsThereIsOne() async throws {
            try await HostFixture.with { fixture in
                let token: JSONValue = ["parameter": "password", "serviceAccountName": "reader"]
                try await fixture.create(
                    .triggerAuthentications,
                    self.authentication("token", ["boundServiceAccountToken": [token]])
                )
                try await fixture.create(.scaledJobs, self.scaledJob("token"))
                let host = try fixture.startHost()
                try await fixture.condition("Ready", of: "token") {
                    $0.message.contains("ServiceAccount \(fixture.namespace)/reader does not exist; create it")
                }
                _ = try await fixture.kubectl("create", "serviceaccount", "reader")
                try await fixture.isReady("token")
                #expect(!host.log.contains("eyJ"), "a token was shown")
            }
        }

        @Test func aFileOfTheHostAndAVaultGiveParameters() async throws {
            let vault = try await VaultServer.shared
            let store = try await vault.mount("kv", options: ["version": "2"])
            try await vault.call(.post, "\(store)/data/numbers", ["data": ["waiting": "2"]])
            let token = try await vault.token(["read"])
            try await HostFixture.with { fixture in
                let root = "\(fixture.folder.folder)/files"
                try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
                let file = "\(fixture.namespace)-file"
                try await self.createForCluster(
                    fixture,
                    self.authentication(file, ["filePath": "numbers.json"], kind: "ClusterTriggerAuthentication")
                )
                try await fixture.create(.scaledJobs, self.scaledJob(file, "ClusterTriggerAuthentication"))
                try await fixture.create(
                    .triggerAuthentications,
                    self.authentication(
                        "vault",
                        [
                            "hashiCorpVault": [
                                "address": .string(vault.address), "authentication": "token",
                                "credential": ["token": .string(token)],
                                "secrets": [
                                    ["parameter": "value", "path": .string("\(store)/data/numbers"), "key": "waiting"]
                                ],
                            ]
                        ]
                    )
                )
                try await fixture.create(.scaledJobs, self.scaledJob("vault"))
                let host = try fixture.startHost(["--auth-file-root", root])
                try await fixture.jobs.created(2, of: "vault")
                try await fixture.condition("Ready", of: file) {
                    $0.message.contains("the file \(root)/numbers.json does not exist; create it")
                }
                try #"{"value":"1"}"#.write(toFile: "\(root)/numbers.json", atomically: true, encoding: .utf8)
                try await fixture.jobs.created(1, of: file, within: .seconds(60))
                #expect(!host.log.contains(token), "a token was shown")
            }
        }

        @Test func inRestrictedModeATenantCannotNameASecretOfTheHost() async throws {
            try await HostFixture.with { fixture in
                let home = try await fixture.cluster.freshNamespace("home")
                let secret = Manifests.secret("numbers", ["value": "2"])
                _ = try await fixture.client.send(
                    APIRequest(.create, .secrets, namespace: home, body: try secret.encoded())
                )
                let target: JSONValue = ["parameter": "value", "name": "numbers", "key": "value"]
                try await fixture.create(
                    .triggerAuthentications,
                    self.authentication("tenant", ["secretTargetRef": [target]])
                )
                let shared = "\(fixture.namespace)-shared"
                try await self.createForCluster(
                    fixture,
                    self.authentication(shared, ["secretTargetRef": [target]], kind: "ClusterTriggerAuthentication")
                )
                try await fixture.create(.scaledJobs, self.scaledJob("tenant"))
                try await fixture.create(.scaledJobs, self.scaledJob(shared, "ClusterTriggerAuthentication"))
                try fixture.startHost(
                    environment: ["KEDA_RESTRICT_SECRET_ACCESS": "TRUE", "KEDA_CLUSTER_OBJECT_NAMESPACE": home]
                )
                try await fixture.jobs.created(2, of: shared)
                try await fixture.condition("Ready", of: "tenant") {
                    $0.message.contains("/numbers is not read: this host reads Secrets in namespace \(home) only")
                }
                #expect(fixture.jobs.all(of: "tenant").isEmpty)
            }
        }
    }
}
