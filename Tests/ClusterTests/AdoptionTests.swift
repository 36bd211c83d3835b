import Kubernetes
import Testing

extension WholeHostTests {
    /// The move from KEDA, and the way back.
    @Suite struct AdoptionTests {
        @Test func jobsThatKEDAMadeAreAdoptedAndItsFinalizerHoldsNothingUp() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(3)
                var manifest = Manifests.scaledJob("moved", documents)
                manifest.set(["metadata", "finalizers"], [.string(KEDAObjects.finalizer)])
                manifest.set(["spec", "rollout"], ["strategy": "immediate"])
                manifest.set(["spec", "successfulJobsHistoryLimit"], 1)
                let scaledJob = try await fixture.create(.scaledJobs, manifest)
                try await Self.writeStatus(fixture, "moved")
                var running: [String] = []
                for _ in 1...2 { running.append(try await Self.create(fixture, scaledJob, 1)) }
                let older = try await Self.create(fixture, scaledJob, 1)
                let newer = try await Self.create(fixture, scaledJob, 1)
                try await fixture.kubelet.end(newer, at: "2026-01-01T02:00:00Z")
                try await fixture.kubelet.end(older, at: "2026-01-01T01:00:00Z")
                let foreign = try await Self.createForeign(fixture, scaledJob)

                // Two of three documents have their Job; the older of the finished ones is one too many.
                var host = try fixture.startHost()
                try await fixture.jobs.created(6, of: "moved")
                try await eventually("the clean-up") { try await !Self.names(fixture).contains(older) }
                try await fixture.lastDecision(of: "moved", contains: "3 waiting, 3 unfinished")
                let ours = try #require(
                    try await Self.names(fixture).first { !(running + [newer, foreign]).contains($0) }
                )
                #expect(try await Set(Self.names(fixture)) == Set(running + [newer, foreign, ours]))

                // What KEDA would look for on the way back.
                let job = try await fixture.get(.jobs, ours)
                #expect(job[path: "metadata", "labels"]?["scaledjob.keda.sh/name"] == "moved")
                #expect(job[path: "metadata", "labels"]?["app.kubernetes.io/managed-by"] == "keda-operator")
                #expect(job[path: "metadata", "annotations"]?["scaledjob.keda.sh/generation"] == "1")
                let owner = job[path: "metadata", "ownerReferences"]?.arrayValue?.first
                #expect(owner?["uid"] == scaledJob[path: "metadata", "uid"])
                #expect(owner?["controller"] == true)
                #expect(
                    try await fixture.get(.scaledJobs, "moved")[path: "metadata", "finalizers"]
                        == [.string(KEDAObjects.finalizer)]
                )

                // An edit that leaves the template, under immediate, with a restart: KEDA would delete all of them.
                try await fixture.patch(.scaledJobs, "moved", ["spec": ["maxReplicaCount": 20]])
                try await host.kill()
                host = try fixture.startHost()
                documents.add(1)
                try await fixture.lastDecision(of: "moved", contains: "4 waiting, 4 unfinished")
                #expect(fixture.jobs.killed == [])
                #expect(try await Self.names(fixture).count == 6)

                // One that changes it: exactly the old ones go, whoever made them, and nobody else's.
                let container: JSONValue = ["name": "main", "image": "main:2"]
                try await fixture.patch(
                    .scaledJobs,
                    "moved",
                    ["spec": ["jobTargetRef": ["template": ["spec": ["containers": [container]]]]]]
                )
                try await eventually("the end of the old Jobs", otherwise: { "\(fixture.jobs.killed)" }) {
                    fixture.jobs.killed.count == 4
                }
                #expect(Set(running).isSubset(of: fixture.jobs.killed))
                #expect(try await Self.names(fixture).contains(foreign))

                try await Self.delete(fixture, .scaledJobs, "moved")
                try await eventually("the end of the ScaledJob") {
                    try await fixture.list(.scaledJobs).isEmpty
                }
                try await eventually("the event") {
                    try await fixture.list(.events).count { $0["reason"] == "ScaledJobDeleted" } == 1
                }
            }
        }

        @Test func aJobThatLostItsLabelKeepsItsSlot() async throws {
            try await HostFixture.with { fixture in
                let canary = fixture.documents(0, "canary")
                try await fixture.create(
                    .scaledJobs,
                    Manifests.scaledJob("stripped", fixture.documents(9), maximum: 2)
                )
                try await fixture.create(.scaledJobs, Manifests.scaledJob("canary", canary))
                var host = try fixture.startHost()
                try await fixture.jobs.created(2, of: "stripped")
                for job in fixture.jobs.all(of: "stripped") {
                    try await fixture.patch(.jobs, job.name, ["metadata": ["labels": .null]])
                }
                for round in 1...2 {
                    canary.add(1)
                    try await fixture.jobs.created(round, of: "canary")
                    try await host.kill()
                    host = try fixture.startHost()
                }
                try await fixture.lastDecision(of: "stripped", contains: "9 waiting, 2 unfinished")
                #expect(fixture.jobs.all(of: "stripped").count == 2)
            }
        }

        @Test func anAuthenticationThatKEDAHoldsIsLetGo() async throws {
            try await HostFixture.with { fixture in
                var authentication = Manifests.authentication("login", secret: "keys")
                authentication.set(["metadata", "finalizers"], [.string(KEDAObjects.finalizer), "example.test/mine"])
                try await fixture.create(.triggerAuthentications, authentication)
                try fixture.startHost()
                try await Self.delete(fixture, .triggerAuthentications, "login")
                try await eventually("only the other finalizer") {
                    try await fixture.get(.triggerAuthentications, "login")[path: "metadata", "finalizers"]
                        == ["example.test/mine"]
                }
                try await fixture.patch(.triggerAuthentications, "login", ["metadata": ["finalizers": []]])
                try await eventually("the end") { try await fixture.list(.triggerAuthentications).isEmpty }
            }
        }

        private static func create(_ fixture: HostFixture, _ scaledJob: JSONValue, _ generation: Int64) async throws
            -> String
        {
            let job = try await fixture.create(.jobs, KEDAObjects.job(of: scaledJob, generation: generation))
            return try #require(job[path: "metadata", "name"]?.stringValue)
        }

        /// A Job that carries the label and belongs to nobody.
        private static func createForeign(_ fixture: HostFixture, _ scaledJob: JSONValue) async throws -> String {
            var job = KEDAObjects.job(of: scaledJob, generation: 0)
            job.set(["metadata", "ownerReferences"], [])
            let created = try await fixture.create(.jobs, job)
            return try #require(created[path: "metadata", "name"]?.stringValue)
        }

        private static func names(_ fixture: HostFixture) async throws -> [String] {
            try await fixture.list(.jobs).compactMap { $0[path: "metadata", "name"]?.stringValue }
        }

        private static func writeStatus(_ fixture: HostFixture, _ scaledJob: String) async throws {
            _ = try await fixture.client.send(
                APIRequest(
                    .mergePatch,
                    .scaledJobs,
                    namespace: fixture.namespace,
                    name: scaledJob,
                    subresource: "status",
                    body: try KEDAObjects.status.encoded()
                )
            )
        }

        private static func delete(_ fixture: HostFixture, _ resource: APIResource, _ name: String) async throws {
            _ = try await fixture.client.send(
                APIRequest(.delete, resource, namespace: fixture.namespace, name: name)
            )
        }
    }
}
