import Kubernetes
import Testing

extension WholeHostTests {
    /// `rollout.strategy: immediate` against a real API server.
    @Suite struct RolloutTests {
        private static func image(_ image: String, restartPolicy: String = "Never") -> JSONValue {
            [
                "spec": [
                    "jobTargetRef": [
                        "template": [
                            "spec": [
                                "restartPolicy": .string(restartPolicy),
                                "containers": [["name": "main", "image": .string(image)]],
                            ]
                        ]
                    ]
                ]
            ]
        }

        private static func images(_ fixture: HostFixture) async throws -> [String] {
            try await fixture.list(.jobs).compactMap {
                $0[path: "spec", "template", "spec"]?["containers"]?.arrayValue?.first?["image"]?.stringValue
            }
            .sorted()
        }

        @Test func exactlyTheOldJobsAreReplacedAfterTheNewTemplateWasTried() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(3)
                var manifest = Manifests.scaledJob("rolled", documents, maximum: 3)
                manifest.set(["spec", "rollout"], ["strategy": "immediate"])
                try await fixture.create(.scaledJobs, manifest)
                var host = try fixture.startHost()
                try await fixture.jobs.created(3, of: "rolled")
                let first = Set(fixture.jobs.all(of: "rolled").map(\.name))
                #expect(try await Self.images(fixture) == ["main:1", "main:1", "main:1"])

                // A template that is refused, and an edit of something else.
                try await fixture.patch(.scaledJobs, "rolled", Self.image("main:2", restartPolicy: "Always"))
                try await fixture.condition("Ready", of: "rolled") { $0.message.contains("restartPolicy") }
                try await fixture.patch(.scaledJobs, "rolled", ["spec": ["pollingInterval": 2]])
                try await host.kill()
                host = try fixture.startHost()
                try await fixture.condition("Ready", of: "rolled") { $0.message.contains("restartPolicy") }
                #expect(fixture.jobs.killed == [])

                // One that is accepted.
                try await fixture.patch(.scaledJobs, "rolled", Self.image("main:2"))
                try await fixture.jobs.created(6, of: "rolled")
                #expect(Set(fixture.jobs.killed) == first)
                #expect(try await Self.images(fixture) == ["main:2", "main:2", "main:2"])
                #expect(fixture.jobs.most(of: "rolled") == 3)

                let expected: Set = ["ScaledJobRolloutCleanupStarted", "ScaledJobRolloutCleanupCompleted"]
                try await eventually("the events") {
                    let events = try await fixture.list(.events)
                    return expected.isSubset(of: events.compactMap { $0["reason"]?.stringValue })
                }

                // A host that starts finds nothing old.
                try await host.kill()
                host = try fixture.startHost()
                try await fixture.isReady("rolled")
                try await fixture.patch(.scaledJobs, "rolled", ["spec": ["pollingInterval": 1]])
                #expect(fixture.jobs.killed.count == 3)
            }
        }

        @Test func foregroundDeletionGoesOutAsSuchAndHoldsItsSlots() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(2)
                var manifest = Manifests.scaledJob("slow", documents, maximum: 2)
                manifest.set(["spec", "rollout"], ["strategy": "immediate", "propagationPolicy": "foreground"])
                try await fixture.create(.scaledJobs, manifest)
                try fixture.startHost()
                try await fixture.jobs.created(2, of: "slow")
                let old = fixture.jobs.all(of: "slow").map(\.name)
                try await fixture.patch(.scaledJobs, "slow", Self.image("main:2"))
                // Nobody collects garbage here, so the Jobs stay as they are while they are deleted.
                try await eventually("the deletion of both") {
                    try await fixture.list(.jobs).count { job in
                        job[path: "metadata", "finalizers"]?.arrayValue?.contains("foregroundDeletion") == true
                            && job[path: "metadata", "deletionTimestamp"] != nil
                    } == 2
                }
                documents.add(1)
                try await fixture.lastDecision(of: "slow", contains: "3 waiting, 2 unfinished")
                #expect(fixture.jobs.all(of: "slow").count == 2)
                try await fixture.patch(.jobs, old[0], ["metadata": ["finalizers": []]])
                try await fixture.jobs.created(3, of: "slow")
                try await fixture.patch(.jobs, old[1], ["metadata": ["finalizers": []]])
                try await fixture.jobs.created(4, of: "slow")
                #expect(fixture.jobs.most(of: "slow") == 2)
                #expect(try await Self.images(fixture) == ["main:2", "main:2"])
            }
        }
    }
}
