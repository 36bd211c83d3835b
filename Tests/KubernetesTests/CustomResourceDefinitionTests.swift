import ClusterTestSupport
import FoundationEssentials
import Testing

@testable import Kubernetes

/// What `deploy/crds` makes the real API server accept and refuse.
@Suite(.timeLimit(.minutes(3))) struct CustomResourceDefinitionTests {
    // Unowned on purpose: applied once for all tests of the suite.
    private static let applied = Task {
        let cluster = try await TestCluster.shared
        try await cluster.kubectl("apply", "-f", "\(TestCluster.repository)/deploy/crds")
        try await cluster.kubectl(
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd/scaledjobs.keda.sh",
            "crd/triggerauthentications.keda.sh",
            "crd/clustertriggerauthentications.keda.sh"
        )
        return cluster
    }

    /// The transcoding case.
    private static let transcode: JSONValue = [
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledJob",
        "metadata": ["name": "transcode"],
        "spec": [
            "pollingInterval": 5,
            "maxReplicaCount": 20,
            "jobTargetRef": [
                "backoffLimit": 1,
                "template": [
                    "spec": [
                        "restartPolicy": "Never",
                        "containers": [
                            ["name": "worker", "image": "worker:1", "resources": ["requests": ["cpu": "500m"]]]
                        ],
                    ]
                ],
            ],
            "triggers": [
                [
                    "type": "mongodb",
                    "metadata": ["dbName": "media", "collection": "videos", "query": "{}", "queryValue": "1"],
                    "authenticationRef": ["name": "mongodb"],
                ]
            ],
        ],
    ]

    private func create(_ manifest: JSONValue, _ resource: APIResource = .scaledJobs) async throws -> JSONValue {
        let cluster = try await Self.applied.value
        let namespace = resource.isNamespaced ? try await cluster.freshNamespace() : nil
        let request = APIRequest(.create, resource, namespace: namespace, body: try manifest.encoded())
        return try JSONValue(parsing: try await cluster.client().send(request))
    }

    private func changed(_ key: String, _ value: JSONValue) -> JSONValue {
        var manifest = Self.transcode
        var spec = manifest["spec"] ?? [:]
        spec[key] = value
        manifest["spec"] = spec
        return manifest
    }

    @Test func theTranscodingCaseIsAcceptedAsItIsWritten() async throws {
        let created = try await self.create(Self.transcode)
        #expect(created["spec"] == Self.transcode["spec"])
        #expect(created[path: "metadata", "generation"] == 1)
    }

    @Test(
        arguments: [
            ("pollingInterval", 0), ("maxReplicaCount", 0), ("minReplicaCount", -1), ("successfulJobsHistoryLimit", -1),
            ("failedJobsHistoryLimit", -1), ("triggers", []), ("rolloutStrategy", "sudden"), ("jobTargetRef", [:]),
            ("scalingStrategy", ["strategy": ""]), ("scalingStrategy", ["multipleScalersCalculation": "median"]),
            ("rollout", ["propagationPolicy": "orphan"]),
            ("triggers", [["type": "", "metadata": [:]]]),
            ("triggers", [["type": "cron"]]),
            ("triggers", [["type": "cron", "metadata": ["number": 5]]]),
            ("triggers", [["type": "cron", "metadata": [:], "authenticationRef": ["name": "a", "kind": "Secret"]]]),
        ] as [(String, JSONValue)]
    )
    func whatTheContractForbidsIsRefused(_ key: String, _ value: JSONValue) async throws {
        do {
            _ = try await self.create(self.changed(key, value))
            Issue.record("accepted")
        } catch let error as KubernetesError {
            #expect(error.code == .invalid)
            #expect(error.message.contains("spec.\(key)"), "\(error)")
        }
    }

    @Test func statusKeepsWhatTheHostAdds() async throws {
        let cluster = try await Self.applied.value
        let created = try await self.create(Self.transcode)
        let status: JSONValue = [
            "conditions": [["type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"]],
            "triggersTypes": "mongodb",
            "ours": ["waiting": 3],
        ]
        let patched = try await cluster.client().send(
            APIRequest(
                .mergePatch,
                .scaledJobs,
                namespace: created[path: "metadata", "namespace"]?.stringValue,
                name: "transcode",
                subresource: "status",
                body: try JSONValue.object(["status": status]).encoded()
            )
        )
        #expect(try JSONValue(parsing: patched)["status"] == status)
        let namespace = created[path: "metadata", "namespace"]?.stringValue ?? ""
        let table = try await cluster.kubectl("get", "sj", "-n", namespace)
        let columns = table.split(separator: "\n").first?.split(separator: " ").map(String.init)
        #expect(columns == ["NAME", "MIN", "MAX", "READY", "ACTIVE", "PAUSED", "TRIGGERS", "AUTHENTICATIONS", "AGE"])
    }

    @Test func authenticationsAreTheSameForANamespaceAndForAll() async throws {
        let spec: JSONValue = [
            "secretTargetRef": [["parameter": "connectionString", "name": "mongodb", "key": "uri"]],
            "oauth2": ["clientId": "me", "tokenUrl": "https://example.test"],
        ]
        for (resource, kind) in [
            (APIResource.triggerAuthentications, "TriggerAuthentication"),
            (.clusterTriggerAuthentications, "ClusterTriggerAuthentication"),
        ] {
            let name = "a-\(UInt64.random(in: 0...UInt64.max))"
            let created = try await self.create(
                [
                    "apiVersion": "keda.sh/v1alpha1", "kind": .string(kind), "metadata": ["name": .string(name)],
                    "spec": spec,
                ],
                resource
            )
            #expect(created[path: "spec", "oauth2", "type"] == "clientCredentials")
        }
        let files = try ["triggerauthentications", "clustertriggerauthentications"].map { name in
            let text = try SmallFile.readText("\(TestCluster.repository)/deploy/crds/\(name).yaml")
            return text.split(separator: "            spec:\n").last
        }
        #expect(files[0] == files[1])
    }
}
