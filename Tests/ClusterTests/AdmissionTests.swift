import ClusterTestSupport
import Foundation
import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// The API server itself asks the webhook, through the configuration that `deploy/webhook` shows.
    @Suite struct AdmissionTests {
        private static let configurations = APIResource(
            group: "admissionregistration.k8s.io",
            version: "v1",
            plural: "validatingwebhookconfigurations",
            kind: "ValidatingWebhookConfiguration",
            isNamespaced: false
        )

        /// The shipped configuration, pointed at a port of this machine, for the objects of one test.
        private static func configuration(
            _ name: String,
            port: Int,
            _ certificate: WebhookCertificate
        ) throws -> JSONValue {
            let file = "\(TestCluster.repository)/deploy/webhook/webhook.yaml"
            let documents = try YAML.documents(try String(contentsOfFile: file, encoding: .utf8))
            var configuration = try #require(
                documents.map(\.value).first { $0["kind"] == "ValidatingWebhookConfiguration" }
            )
            configuration["metadata"] = ["name": .string(name)]
            let webhooks = try (configuration["webhooks"]?.arrayValue ?? []).map { webhook in
                var webhook = webhook
                let path = webhook[path: "clientConfig", "service", "path"]?.stringValue ?? ""
                webhook["clientConfig"] = [
                    "url": .string("https://127.0.0.1:\(port)\(path)"), "caBundle": .string(try certificate.bundle),
                ]
                webhook["objectSelector"] = ["matchLabels": ["webhook-test": .string(name)]]
                return webhook
            }
            #expect(webhooks.count == 4)
            configuration["webhooks"] = .array(webhooks)
            return configuration
        }

        /// Runs the body with a webhook that the API server knows, and takes it away again.
        private static func with(
            _ flags: [String],
            _ body: @Sendable (HostFixture, WebhookCertificate, Int, ChildProcess) async throws -> Void
        ) async throws {
            try await HostFixture.with { fixture in
                let certificate = try await WebhookCertificate(in: fixture.folder.folder)
                let host = try fixture.startHost(
                    ["--webhook-bind-address", "127.0.0.1:0", "--webhook-cert-dir", certificate.folder] + flags
                )
                let port = try await fixture.port(of: host, for: "admission")
                let configuration = try Self.configuration(fixture.namespace, port: port, certificate)
                _ = try await fixture.client.send(
                    APIRequest(.create, Self.configurations, body: try configuration.encoded())
                )
                func remove() async throws {
                    _ = try await fixture.client.send(
                        APIRequest(.delete, Self.configurations, name: fixture.namespace)
                    )
                }
                do {
                    // The API server takes a moment to learn of a webhook, and the host to learn of its plugin.
                    try await eventually("a refusal", within: .seconds(60)) {
                        try await fixture.apply(Self.labelled(Self.twice("probe"), fixture)).status != 0
                    }
                    try await fixture.create(.scaledJobs, Manifests.scaledJob("plugin", fixture.documents(0)))
                    try await fixture.isReady("plugin")
                    try await body(fixture, certificate, port, host)
                } catch {
                    try? await remove()
                    throw error
                }
                try await remove()
            }
        }

        private static func labelled(_ object: JSONValue, _ fixture: HostFixture) -> JSONValue {
            var object = object
            object.set(["metadata", "labels"], ["webhook-test": .string(fixture.namespace)])
            return object
        }

        /// A ScaledJob that no schema refuses and no controller can run.
        private static func twice(_ name: String) -> JSONValue {
            let trigger: JSONValue = ["type": "scripted", "name": "same", "metadata": ["value": "0"]]
            return Manifests.scaledJob(name, triggers: [trigger, trigger])
        }

        private static func unknown(_ name: String) -> JSONValue {
            Manifests.scaledJob(name, triggers: [["type": "nowhere", "metadata": [:]]])
        }

        @Test func theAPIServerRefusesAndWarnsInTheWebhooksWords() async throws {
            try await Self.with(["--webhook-dry-run"]) { fixture, _, _, _ in
                let refused = try await fixture.apply(Self.labelled(Self.twice("twice"), fixture))
                #expect(refused.status == 1)
                #expect(
                    refused.output.contains(
                        "admission webhook \"scaledjobs.sluice.dev\" denied the request: "
                            + "spec.triggers[1].name: \"same\" is used twice; give each trigger a name of its own"
                    ),
                    "\(refused.output)"
                )

                let warned = try await fixture.apply(Self.labelled(Self.unknown("unknown"), fixture))
                #expect(warned.status == 0)
                #expect(
                    warned.output.contains("Warning: spec.triggers[0].type: \"nowhere\" is unknown"),
                    "\(warned.output)"
                )

                let fine = try await fixture.apply(
                    Self.labelled(Manifests.scaledJob("fine", fixture.documents(0)), fixture)
                )
                #expect(fine.status == 0 && !fine.output.contains("Warning"), "\(fine.output)")

                var template = Manifests.scaledJob("template", fixture.documents(0))
                template.set(["spec", "jobTargetRef", "template", "spec", "restartPolicy"], "Always")
                let tried = try await fixture.apply(Self.labelled(template, fixture))
                #expect(tried.status == 1)
                #expect(tried.output.contains("spec.jobTargetRef: "), "\(tried.output)")
                #expect(tried.output.contains("spec.template.spec.restartPolicy"), "\(tried.output)")

                var authentication = Manifests.authentication("file", secret: "s")
                authentication.set(["spec"], ["filePath": "a.json"])
                let file = try await fixture.apply(Self.labelled(authentication, fixture))
                #expect(file.status == 1 && file.output.contains("spec.filePath: is for a Cluster"), "\(file.output)")
                #expect(try await fixture.list(.jobs).isEmpty)
            }
        }

        @Test func aNewCertificateIsTakenUpWithoutARestart() async throws {
            try await Self.with([]) { fixture, certificate, port, host in
                #expect(try await certificate.serial(at: port) == 1)
                try await certificate.issue(serial: 2)
                try await eventually("the new certificate", within: .seconds(30)) {
                    try await certificate.serial(at: port) == 2
                }
                let refused = try await fixture.apply(Self.labelled(Self.twice("twice"), fixture))
                #expect(refused.output.contains("denied the request"), "\(refused.output)")
                #expect(!host.hasEnded)
            }
        }

        @Test func whatCannotBeCheckedIsRefusedWhereTheHostIsToldSo() async throws {
            try await Self.with(["--webhook-failure", "closed"]) { fixture, _, _, _ in
                let refused = try await fixture.apply(Self.labelled(Self.unknown("unknown"), fixture))
                #expect(refused.status == 1 && refused.output.contains("\"nowhere\" is unknown"), "\(refused.output)")
            }
        }

        @Test func withoutAHostTheConfigurationDecides() async throws {
            try await Self.with([]) { fixture, _, _, host in
                try await host.stop()
                let stored = try await fixture.apply(Self.labelled(Self.twice("ignored"), fixture))
                #expect(stored.status == 0, "\(stored.output)")
                var configuration = try JSONValue(
                    parsing: await fixture.client.send(APIRequest(.get, Self.configurations, name: fixture.namespace))
                )
                configuration["webhooks"] = .array(
                    (configuration["webhooks"]?.arrayValue ?? []).map { webhook in
                        var webhook = webhook
                        webhook["failurePolicy"] = "Fail"
                        return webhook
                    }
                )
                let patch: JSONValue = ["webhooks": configuration["webhooks"] ?? []]
                _ = try await fixture.client.send(
                    APIRequest(.mergePatch, Self.configurations, name: fixture.namespace, body: try patch.encoded())
                )
                var last = ""
                try await eventually("a refusal", within: .seconds(30), otherwise: { last }) {
                    let name = "refused-\(UUID().uuidString.lowercased())"
                    let refused = try await fixture.apply(Self.labelled(Self.twice(name), fixture))
                    last = refused.output
                    return refused.status == 1 && refused.output.contains("failed calling webhook")
                }
            }
        }
    }
}
