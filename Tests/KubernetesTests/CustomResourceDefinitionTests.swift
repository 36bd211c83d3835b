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
            "crd/clustertriggerauthentications.keda.sh",
            "crd/jobbudgets.sluice.dev"
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

    private func budget(_ spec: JSONValue) async throws -> JSONValue {
        let name = "b-\(UInt64.random(in: 0...UInt64.max))"
        return try await self.create(
            [
                "apiVersion": "sluice.dev/v1alpha1", "kind": "JobBudget", "metadata": ["name": .string(name)],
                "spec": spec,
            ],
            .jobBudgets
        )
    }

    @Test func aBudgetIsStoredAsItIsWritten() async throws {
        let spec: JSONValue = [
            "selector": [
                "namespaces": ["media"],
                "namespaceSelector": ["matchLabels": ["tier": "gold"]],
                "scaledJobSelector": [
                    "matchExpressions": [["key": "team", "operator": "In", "values": ["a", "b"]]]
                ],
            ],
            "maxRunningJobs": 0, "maxJobsPerBatch": 1, "maxJobsPerSecond": 0.5, "maxFinishedJobs": 0,
            "maxResources": ["cpu": 64, "memory": "256Gi", "nvidia.com/gpu": "8", "ephemeral-storage": "1.5e9"],
            "sharing": ["by": "label", "label": "team", "weights": ["a": 3, "b": 0.5]],
        ]
        let created = try await self.budget(spec)
        #expect(created["spec"] == spec)
        let name = created[path: "metadata", "name"]?.stringValue ?? ""
        let cluster = try await Self.applied.value
        let status: JSONValue = ["inUse": ["jobs": 3], "waiting": ["scaledJobs": 2], "ours": 1]
        let patched = try await cluster.client().send(
            APIRequest(
                .mergePatch,
                .jobBudgets,
                name: name,
                subresource: "status",
                body: try JSONValue.object(["status": status]).encoded()
            )
        )
        #expect(try JSONValue(parsing: patched)["status"] == status)
        let table = try await cluster.kubectl("get", "jb", name)
        let rows = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows.first == ["NAME", "MAX", "IN", "USE", "WAITING", "AGE"])
        #expect(rows.last?.prefix(4) == [name, "0", "3", "2"])
        // Every field is explained by the server.
        var explained = ""
        // The server makes its description of all kinds anew some time after it has taken a definition.
        try await eventually {
            explained = (try? await cluster.kubectl("explain", "jobbudget.spec")) ?? ""
            return !explained.isEmpty
        }
        for field in created["spec"]?.objectValue?.keys.sorted() ?? [] { #expect(explained.contains(field)) }
    }

    @Test(
        arguments: [
            ["maxRunningJobs": -1], ["maxRunningJobs": "5"], ["maxJobsPerBatch": 0], ["maxJobsPerSecond": 0],
            ["maxFinishedJobs": -1], ["maxResources": ["cpu": "lots"]], ["maxResources": ["cpu": "-1"]],
            ["sharing": [:]], ["sharing": ["by": "team"]], ["sharing": ["by": "namespace", "weights": ["a": 0]]],
            ["selector": ["namespaces": "media"]],
            ["selector": ["scaledJobSelector": ["matchExpressions": [["key": "a", "operator": "Is"]]]]],
        ] as [JSONValue]
    )
    func aBudgetThatCannotBeReadIsRefused(spec: JSONValue) async throws {
        do {
            _ = try await self.budget(spec)
            Issue.record("accepted")
        } catch let error as KubernetesError {
            #expect(error.code == .invalid, "\(error)")
        }
    }
}
