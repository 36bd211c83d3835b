import ClusterTestSupport
import Kubernetes
import NIOConcurrencyHelpers
import Testing

extension WholeHostTests {
    /// A reading or a list that failed holds the last decision.
    @Suite struct UnknownIsNotZeroTests {
        @Test func aFailedReadingCreatesAndDeletesNothing() async throws {
            try await HostFixture.with { fixture in
                let spoiled = fixture.documents(3, "spoiled")
                let healthy = fixture.documents(0, "healthy")
                try await fixture.create(.scaledJobs, Manifests.scaledJob("spoiled", spoiled))
                try await fixture.create(.scaledJobs, Manifests.scaledJob("healthy", healthy))
                try fixture.startHost()
                try await fixture.jobs.created(3, of: "spoiled")
                try await fixture.isReady("spoiled")

                spoiled.spoil()
                let ready = try await fixture.condition("Ready", of: "spoiled") { $0.status != "True" }
                #expect(ready.message.contains("spec.triggers[0]"))
                #expect(ready.message.contains("the file holds no number"))
                try await fixture.lastDecision(of: "spoiled", contains: "backlog unknown")
                let first = try #require(fixture.jobs.all(of: "spoiled").first)
                try await fixture.kubelet.end(first.name)
                // Two more polls, as the other one's work shows.
                for count in 1...2 {
                    healthy.add(1)
                    try await fixture.jobs.created(count, of: "healthy")
                }
                #expect(fixture.jobs.all(of: "spoiled").count == 3)
                #expect(try await fixture.condition("Active", of: "spoiled").status == "True")
                #expect(fixture.jobs.existing(of: "spoiled").count == 3)

                spoiled.add(0)
                try await fixture.jobs.created(4, of: "spoiled", within: .seconds(5))
                try await fixture.isReady("spoiled")
            }
        }

        @Test func jobsThatCannotBeListedAtTheStartAreNotZero() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(5)
                try await fixture.create(.scaledJobs, Manifests.scaledJob("batch", documents))
                let host = try fixture.startHost()
                try await fixture.jobs.created(5, of: "batch")
                try await host.kill()

                let listsFail = NIOLockedValueBox(true)
                let api = FaultyAPI(try fixture.cluster.client()) { request in
                    guard request.verb == .list, request.resource == .jobs, listsFail.withLockedValue({ $0 }) else {
                        return .delivered
                    }
                    return .refused(KubernetesError(.serverError, "made to fail", retry: .now, status: 500))
                }
                let status: JSONValue = ["status": ["conditions": []]]
                _ = try await fixture.client.send(
                    APIRequest(
                        .mergePatch,
                        .scaledJobs,
                        namespace: fixture.namespace,
                        name: "batch",
                        subresource: "status",
                        body: try status.encoded()
                    )
                )
                try await fixture.withController(over: api) {
                    documents.add(1)
                    try await eventually("three failed lists") { api.faults >= 3 }
                    #expect(fixture.jobs.all(of: "batch").count == 5)
                    listsFail.withLockedValue { $0 = false }
                    try await fixture.jobs.created(6, of: "batch")
                    documents.add(1)
                    try await fixture.jobs.created(7, of: "batch")
                }
                #expect(fixture.jobs.all(of: "batch").count == 7)
                #expect(fixture.jobs.killed == [])
            }
        }
    }
}
