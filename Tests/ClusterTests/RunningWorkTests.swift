import Kubernetes
import Testing

extension WholeHostTests {
    /// Running work is never killed: not by any edit, and not by a host that meets the edit when it starts.
    @Suite struct RunningWorkTests {
        /// Every field of a ScaledJob, changed one after the other.
        private static let edits: [(what: String, patch: JSONValue)] = [
            ("annotations", ["metadata": ["annotations": ["example.test/note": "changed"]]]),
            ("labels", ["metadata": ["labels": ["example.test/team": "changed"]]]),
            ("pollingInterval", ["spec": ["pollingInterval": 2]]),
            ("minReplicaCount", ["spec": ["minReplicaCount": 1]]),
            ("maxReplicaCount", ["spec": ["maxReplicaCount": 1]]),
            ("successfulJobsHistoryLimit", ["spec": ["successfulJobsHistoryLimit": 0]]),
            ("failedJobsHistoryLimit", ["spec": ["failedJobsHistoryLimit": 0]]),
            ("rolloutStrategy", ["spec": ["rolloutStrategy": "gradual"]]),
            ("rollout", ["spec": ["rollout": ["strategy": "gradual", "propagationPolicy": "foreground"]]]),
            ("envSourceContainerName", ["spec": ["envSourceContainerName": "main"]]),
            (
                "scalingStrategy",
                [
                    "spec": [
                        "scalingStrategy": [
                            "strategy": "default", "multipleScalersCalculation": "sum",
                            "pendingPodConditions": ["Ready"], "customScalingQueueLengthDeduction": 1,
                            "customScalingRunningJobPercentage": "0.5",
                        ]
                    ]
                ]
            ),
            ("a strategy that is not offered", ["spec": ["scalingStrategy": ["strategy": "eager"]]]),
            ("jobTargetRef.backoffLimit", ["spec": ["jobTargetRef": ["backoffLimit": 2]]]),
            (
                "jobTargetRef.template",
                [
                    "spec": [
                        "jobTargetRef": [
                            "template": ["spec": ["containers": [["name": "other", "image": "other:2"]]]]
                        ]
                    ]
                ]
            ),
            (
                "a template that is refused",
                ["spec": ["jobTargetRef": ["template": ["spec": ["restartPolicy": "Always"]]]]]
            ),
            ("triggers", ["spec": ["triggers": [["type": "scripted", "name": "x", "metadata": ["value": "0"]]]]]),
            ("a trigger type that nobody offers", ["spec": ["triggers": [["type": "nothing", "metadata": [:]]]]]),
            ("paused", ["metadata": ["annotations": ["autoscaling.keda.sh/paused": "true"]]]),
        ]

        @Test func noEditDeletesARunningJob() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(4)
                let canary = fixture.documents(0, "canary")
                try await fixture.create(.scaledJobs, Manifests.scaledJob("edited", documents))
                try await fixture.create(.scaledJobs, Manifests.scaledJob("canary", canary, maximum: 100))
                var host = try fixture.startHost()
                try await fixture.jobs.created(4, of: "edited")
                let running = Set(fixture.jobs.unfinished(of: "edited").map(\.uid))
                var canaries = 0
                for edit in Self.edits {
                    try await fixture.patch(.scaledJobs, "edited", edit.patch)
                    // The host that runs sees the edit, and so does one that starts with it: both go on with other work.
                    for restarts in [false, true] {
                        if restarts {
                            try await host.kill()
                            host = try fixture.startHost()
                        }
                        canaries += 1
                        canary.add(1)
                        try await fixture.jobs.created(canaries, of: "canary")
                    }
                    #expect(fixture.jobs.killed == [], "\(edit.what)")
                    let left = fixture.jobs.unfinished(of: "edited").map(\.uid)
                    #expect(running.isSubset(of: left), "\(edit.what)")
                }
                // minReplicaCount asks for one more.
                #expect(fixture.jobs.all(of: "edited").count == 5)
            }
        }
    }
}
