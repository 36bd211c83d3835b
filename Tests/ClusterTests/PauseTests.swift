import Kubernetes
import Testing

extension WholeHostTests {
    @Suite struct PauseTests {
        private static func paused(_ value: JSONValue) -> JSONValue {
            ["metadata": ["annotations": ["autoscaling.keda.sh/paused": value]]]
        }

        @Test func pausingHoldsAtOnceAndResumingCreatesWhatIsMissingAndNoMore() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(3)
                let canary = fixture.documents(0, "canary")
                var manifest = Manifests.scaledJob("paused", documents)
                manifest.set(["spec", "successfulJobsHistoryLimit"], 0)
                try await fixture.create(.scaledJobs, manifest)
                try await fixture.create(.scaledJobs, Manifests.scaledJob("canary", canary))
                var host = try fixture.startHost()
                try await fixture.jobs.created(3, of: "paused")

                // An empty value pauses too.
                try await fixture.patch(.scaledJobs, "paused", Self.paused(""))
                try await fixture.condition("Paused", of: "paused") { $0.status == "True" }
                documents.add(4)
                // Work goes on, its history is cleaned, and a host that starts knows of the pause.
                #expect(documents.finishOne())
                try await fixture.kubelet.end(fixture.jobs.all(of: "paused")[0].name)
                try await eventually("the clean-up") { fixture.jobs.existing(of: "paused").count == 2 }
                for round in 1...2 {
                    canary.add(1)
                    try await fixture.jobs.created(round, of: "canary")
                    try await host.kill()
                    host = try fixture.startHost()
                }
                canary.add(1)
                try await fixture.jobs.created(3, of: "canary")
                #expect(fixture.jobs.all(of: "paused").count == 3)

                // Six wait, and two of them have their Job.
                try await fixture.patch(.scaledJobs, "paused", Self.paused("false"))
                try await fixture.jobs.created(7, of: "paused")
                try await fixture.lastDecision(of: "paused", contains: "6 waiting, 6 unfinished")
                #expect(fixture.jobs.all(of: "paused").count == 7)

                // Paused once more, and everything is done by others until it is resumed: no Job from an old number.
                try await fixture.patch(.scaledJobs, "paused", Self.paused("true"))
                try await fixture.condition("Paused", of: "paused") { $0.status == "True" }
                for job in fixture.jobs.existing(of: "paused") { try await fixture.kubelet.end(job.name) }
                documents.add(-6)
                try await fixture.patch(.scaledJobs, "paused", Self.paused(.null))
                try await fixture.isAtRest("paused")
                #expect(fixture.jobs.all(of: "paused").count == 7)
                #expect(fixture.jobs.killed == [])
            }
        }
    }
}
