import ClusterTestSupport
import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// What is wrong with a manifest is said twice in the same words: in the Ready condition and by `sluice validate`, each time
    /// with the field, its value and the mend.
    @Suite struct BadManifestTests {
        private struct Case {
            let name: String
            var trigger: JSONValue = [:]
            var extras: [(APIResource, JSONValue)] = []
            var change: @Sendable (inout JSONValue) -> Void = { _ in }
            /// What the one line must say.
            let parts: [String]
        }

        private static func query(_ key: String, _ value: JSONValue?) -> JSONValue {
            var metadata = Manifests.query(of: "media")
            metadata["connectionString"] = "mongodb://127.0.0.1:1/"
            metadata[key] = value
            return Manifests.mongodb(metadata)
        }

        private static let cases: [Case] = [
            Case(
                name: "unknown-type",
                trigger: ["type": "mongo", "metadata": [:]],
                parts: ["spec.triggers[0].type: \"mongo\" is unknown", "mongodb, scripted", "correct it"]
            ),
            Case(
                name: "missing-key",
                trigger: Self.query("collection", nil),
                parts: ["spec.triggers[0].metadata.collection: is missing", "give it in metadata"]
            ),
            Case(
                name: "no-json",
                trigger: Self.query("query", "{\"state\":"),
                parts: ["spec.triggers[0].metadata.query: \"{\"state\":\" is not JSON", "write an object such as"]
            ),
            Case(
                name: "no-number",
                trigger: Self.query("queryValue", "many"),
                parts: ["spec.triggers[0].metadata.queryValue: \"many\" is not a number", "write one such as 5"]
            ),
            Case(
                name: "no-authentication",
                trigger: Manifests.mongodb(Manifests.query(of: "media"), authentication: "nobody"),
                parts: [
                    "spec.triggers[0].authenticationRef: TriggerAuthentication", "/nobody does not exist", "create it",
                ]
            ),
            Case(
                name: "no-secret",
                trigger: Manifests.mongodb(Manifests.query(of: "media"), authentication: "no-secret"),
                extras: [(.triggerAuthentications, Manifests.authentication("no-secret", secret: "absent"))],
                parts: [
                    "spec.triggers[0].authenticationRef: Secret", "/absent does not exist",
                    "create it with the key \"connect\"",
                ]
            ),
            Case(
                name: "no-secret-key",
                trigger: Manifests.mongodb(Manifests.query(of: "media"), authentication: "no-key"),
                extras: [
                    (.triggerAuthentications, Manifests.authentication("no-key", secret: "other-key")),
                    (.secrets, Manifests.secret("other-key", ["other": "hunter2"])),
                ],
                parts: ["spec.triggers[0].authenticationRef: Secret", "/other-key has no key \"connect\"", "add it"]
            ),
            Case(
                name: "secret-in-env",
                trigger: ["type": "scripted", "metadata": ["passwordFromEnv": "PASSWORD"]],
                extras: [(.secrets, Manifests.secret("env", ["other": "hunter2"]))],
                change: { manifest in
                    let reference: JSONValue = [
                        "name": "PASSWORD", "valueFrom": ["secretKeyRef": ["name": "no-env", "key": "password"]],
                    ]
                    manifest.set(
                        ["spec", "jobTargetRef", "template", "spec", "containers"],
                        [
                            ["name": "main", "image": "main:1", "env": [reference]]
                        ]
                    )
                },
                parts: [
                    "spec.jobTargetRef.template.spec.containers[0].env[0]: Secret", "/no-env does not exist",
                    "create it, or mark the entry optional",
                ]
            ),
            Case(
                name: "two-problems",
                trigger: ["type": "scripted", "metadata": ["target": "0x1", "behaviour": "well"]],
                parts: ["spec.triggers[0].metadata.target: \"0x1\" is not a number", "write one such as 5"]
            ),
            Case(
                name: "refused-template",
                trigger: ["type": "scripted", "metadata": ["value": "3"]],
                change: { $0.set(["spec", "jobTargetRef", "template", "spec", "restartPolicy"], "Always") },
                parts: [
                    "spec.jobTargetRef: ", "spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"",
                ]
            ),
        ]

        private static func manifest(_ example: Case) -> JSONValue {
            var manifest = Manifests.scaledJob(example.name, triggers: [example.trigger], ["pollingInterval": 1])
            example.change(&manifest)
            return manifest
        }

        private static let plugins = ["ScriptedPlugin", "sluice-plugin-mongodb"]

        @Test func theReadyConditionNamesFieldValueAndMend() async throws {
            try await HostFixture.with { fixture in
                for example in Self.cases {
                    for (resource, object) in example.extras { try await fixture.create(resource, object) }
                    try await fixture.create(.scaledJobs, Self.manifest(example))
                }
                let host = try fixture.startHost(plugins: Self.plugins)
                var said = ""
                for example in Self.cases {
                    let ready = try await fixture.condition("Ready", of: example.name) { $0.status == "False" }
                    for part in example.parts {
                        #expect(ready.message.contains(part), "\(example.name): \(ready.message)")
                    }
                    #expect(ready.reason == "ScaledJobCheckFailed")
                    said += ready.message
                }
                said += try await fixture.kubectl("get", "events", "-o", "yaml") + host.log
                #expect(said.contains("ScaledJobCheckFailed"))
                #expect(!said.contains("hunter2"), "a secret was shown")
                #expect(try await fixture.list(.jobs).isEmpty)
            }
        }

        @Test func validateSaysItInOneLine() async throws {
            try await HostFixture.with { fixture in
                let plugins = Self.plugins.flatMap { ["--plugin", builtExecutable($0)] }
                for example in Self.cases {
                    let file = try fixture.write(
                        example.extras.map(\.1) + [Self.manifest(example)],
                        to: "\(example.name).yaml"
                    )
                    let isForTheCluster = ["refused-template", "no-secret", "secret-in-env"].contains(example.name)
                    let cluster = isForTheCluster ? ["--kubeconfig", fixture.cluster.kubeconfig] : []
                    let result = try await fixture.validate([file] + plugins + cluster)
                    #expect(result.status == 1, "\(example.name)")
                    let line = result.output.split(separator: "\n").first { $0.contains(example.parts[0]) } ?? ""
                    for part in example.parts { #expect(line.contains(part), "\(example.name): \(result.output)") }
                    #expect(line.contains("ScaledJob \(fixture.namespace)/\(example.name)"))
                    #expect(line.contains(file))
                    let problems = example.name == "two-problems" ? 2 : 1
                    #expect(result.output.split(separator: "\n").count == problems, "\(result.output)")
                    #expect(!result.output.contains("hunter2"), "a secret was shown")
                }
            }
        }

        /// The API server itself refuses what the schema forbids, so that no host ever sees it; validate says it without one.
        @Test func aPollingIntervalOfNothingIsRefused() async throws {
            try await HostFixture.with { fixture in
                let manifest = Manifests.scaledJob("never", fixture.documents(0), interval: 0)
                let file = try fixture.write([manifest], to: "never.yaml")
                let failure = await #expect(throws: CommandFailure.self) {
                    try await fixture.kubectl("apply", "-f", file)
                }
                #expect("\(failure as Any)".contains("spec.pollingInterval"))
                let result = try await fixture.validate([file, "--plugin", builtExecutable("ScriptedPlugin")])
                #expect(result.status == 1)
                #expect(result.output.contains("spec.pollingInterval: 0 is too small; write 1 or more"))
            }
        }

        @Test func validateAcceptsWhatIsFine() async throws {
            try await HostFixture.with { fixture in
                let file = try fixture.write([Manifests.scaledJob("fine", fixture.documents(0))], to: "fine.yaml")
                let result = try await fixture.validate([
                    file, "--plugin", builtExecutable("ScriptedPlugin"), "--kubeconfig", fixture.cluster.kubeconfig,
                ])
                #expect(result.status == 0, "\(result.output)")
                #expect(result.output == "1 ScaledJob is valid\n")
                #expect(try await fixture.list(.jobs).isEmpty)
            }
        }
    }
}

extension JSONValue {
    /// Sets the member at a path of objects.
    mutating func set(_ path: some Collection<String>, _ value: JSONValue) {
        guard let first = path.first else { return self = value }
        var member = self[first] ?? .object([:])
        member.set(path.dropFirst(), value)
        self[first] = member
    }
}
