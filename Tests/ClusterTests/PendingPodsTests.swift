import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// Strategies that ask which Jobs have started look at real Pods.
    @Suite struct PendingPodsTests {
        @Test func jobsWhosePodsHaveNotStartedAreNotDoubled() async throws {
            try await HostFixture.with { fixture in
                _ = try await fixture.kubectl("create", "serviceaccount", "default")
                let documents = fixture.documents(2)
                var manifest = Manifests.scaledJob("claimed", documents)
                manifest["spec"]?["scalingStrategy"] = ["strategy": "accurate"]
                try await fixture.create(.scaledJobs, manifest)
                try fixture.startHost()
                try await fixture.jobs.created(2, of: "claimed")
                try await fixture.lastDecision(of: "claimed", contains: "2 unfinished of which 2 pending")
                #expect(fixture.jobs.all(of: "claimed").count == 2)

                for job in fixture.jobs.existing(of: "claimed") {
                    try await fixture.startPod(of: job.name, ofScaledJob: "claimed")
                }
                try await fixture.lastDecision(of: "claimed", contains: "2 unfinished of which 0 pending")
                // They have had time to claim theirs, so the two that wait are others.
                try await fixture.jobs.created(4, of: "claimed", within: .seconds(30))
                try await fixture.lastDecision(of: "claimed", contains: "4 unfinished of which 2 pending")
                #expect(fixture.jobs.all(of: "claimed").count == 4)
            }
        }
    }
}

extension HostFixture {
    /// What the Job controller and a kubelet would do.
    fileprivate func startPod(of job: String, ofScaledJob scaledJob: String) async throws {
        let name = "\(job)-pod"
        try await self.create(
            .pods,
            [
                "apiVersion": "v1", "kind": "Pod",
                "metadata": [
                    "name": .string(name),
                    "labels": ["job-name": .string(job), "scaledjob.keda.sh/name": .string(scaledJob)],
                ],
                "spec": [
                    "automountServiceAccountToken": false,
                    "containers": [["name": "main", "image": "main:1"]],
                ],
            ]
        )
        _ = try await self.client.send(
            APIRequest(
                .mergePatch,
                .pods,
                namespace: self.namespace,
                name: name,
                subresource: "status",
                body: try JSONValue.object(["status": ["phase": "Running"]]).encoded()
            )
        )
    }
}
