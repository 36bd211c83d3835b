import Kubernetes
import Testing

extension WholeHostTests {
    /// Running work is never killed: not by any edit, and not by a host that meets the edit when it starts.
    @Suite struct RunningWorkTests {
        /// Every field of a ScaledJob, changed one after the other.
        private static let edits: [(what: String, patch: JSONValue)] = [
            ("annotations", ["metadata": ["annotations": ["example.test/note": "changed"]]]),
            (
                "annotations of KEDA",
                [
                    "metadata": [
                        "annotations": [
                            "scaledjob.keda.sh/generation": "99", "scaledjob.keda.sh/job-excluded-labels": "a,b",
                            "autoscaling.keda.sh/paused-replicas": "0",
                        ]
                    ]
                ]
            ),
            ("labels", ["metadata": ["labels": ["example.test/team": "changed"]]]),
            ("the label that KEDA selects by", ["metadata": ["labels": ["scaledjob.keda.sh/name": "other"]]]),
            ("finalizers", ["metadata": ["finalizers": ["finalizer.keda.sh"]]]),
            ("pollingInterval", ["spec": ["pollingInterval": 2]]),
            ("minReplicaCount", ["spec": ["minReplicaCount": 1]]),
            ("maxReplicaCount", ["spec": ["maxReplicaCount": 1]]),
            ("successfulJobsHistoryLimit", ["spec": ["successfulJobsHistoryLimit": 0]]),
            ("failedJobsHistoryLimit", ["spec": ["failedJobsHistoryLimit": 0]]),
            ("rollout.propagationPolicy", ["spec": ["rollout": ["propagationPolicy": "foreground"]]]),
            ("rollout.strategy, the template being the same", ["spec": ["rollout": ["strategy": "immediate"]]]),
            ("rolloutStrategy, which is stronger", ["spec": ["rolloutStrategy": "gradual"]]),
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
            (
                "counts and limits of jobTargetRef",
                [
                    "spec": [
                        "jobTargetRef": [
                            "backoffLimit": 2, "parallelism": 2, "completions": 2, "activeDeadlineSeconds": 9_000,
                            "ttlSecondsAfterFinished": 60,
                        ]
                    ]
                ]
            ),
            (
                "jobTargetRef.template.metadata",
                [
                    "spec": [
                        "jobTargetRef": [
                            "template": ["metadata": ["labels": ["a": "b"], "annotations": ["c": "d"]]]
                        ]
                    ]
                ]
            ),
            (
                "jobTargetRef.template.spec",
                [
                    "spec": [
                        "jobTargetRef": [
                            "template": [
                                "spec": [
                                    "containers": [
                                        [
                                            "name": "other", "image": "other:2", "env": [["name": "A", "value": "1"]],
                                            "resources": ["requests": ["cpu": "100m"]],
                                        ]
                                    ],
                                    "volumes": [["name": "scratch", "emptyDir": [:]]],
                                    "restartPolicy": "OnFailure",
                                ]
                            ]
                        ]
                    ]
                ]
            ),
            (
                "a template that is refused",
                ["spec": ["jobTargetRef": ["template": ["spec": ["restartPolicy": "Always"]]]]]
            ),
            ("the metadata of a trigger", ["spec": ["triggers": [["type": "scripted", "metadata": ["value": "0"]]]]]),
            ("the name of a trigger", ["spec": ["triggers": [["type": "scripted", "name": "x", "metadata": [:]]]]]),
            (
                "the authentication of a trigger",
                [
                    "spec": [
                        "triggers": [
                            ["type": "scripted", "metadata": [:], "authenticationRef": ["name": "nobody"]]
                        ]
                    ]
                ]
            ),
            ("another strategy", ["spec": ["scalingStrategy": ["strategy": "eager"]]]),
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
