import ClusterTestSupport
import FoundationEssentials
import Kubernetes
import Testing

extension WholeHostTests {
    /// What people and tools see of a ScaledJob and of its Jobs.
    @Suite struct StatusTests {
        @Test func conditionsColumnsAndEventsTellTheCourse() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(2)
                try await fixture.create(.scaledJobs, Manifests.scaledJob("course", documents))
                try fixture.startHost()
                try await fixture.jobs.created(2, of: "course")
                try await fixture.isReady("course")
                try await fixture.condition("Active", of: "course") { $0.status == "True" }
                let status = try #require(try await fixture.get(.scaledJobs, "course")["status"])
                #expect(status["triggersTypes"] == "scripted")
                #expect(status["lastActiveTime"]?.stringValue.flatMap { KubernetesTime($0) } != nil)
                #expect(try await fixture.condition("Ready", of: "course").reason == "ScaledJobReady")
                #expect(try await fixture.condition("Active", of: "course").reason == "ScalerActive")

                let table = try await fixture.kubectl("get", "scaledjob").split(separator: "\n")
                let heads = table.first?.split(whereSeparator: \.isWhitespace).map(String.init)
                #expect(
                    heads == ["NAME", "MIN", "MAX", "READY", "ACTIVE", "PAUSED", "TRIGGERS", "AUTHENTICATIONS", "AGE"]
                )
                // Empty columns (no minimum, no authentication) show nothing.
                let row = table.last?.split(whereSeparator: \.isWhitespace).map(String.init)
                #expect(row?.prefix(6) == ["course", "10", "True", "True", "False", "scripted"])

                for job in fixture.jobs.all(of: "course") {
                    #expect(documents.finishOne())
                    try await fixture.kubelet.end(job.name)
                }
                try await fixture.isAtRest("course")
                #expect(try await fixture.condition("Active", of: "course").reason == "ScalerNotActive")

                _ = try await fixture.kubectl("annotate", "scaledjob", "course", "autoscaling.keda.sh/paused=true")
                try await fixture.condition("Paused", of: "course") { $0.status == "True" }
                documents.add(1)
                _ = try await fixture.kubectl("annotate", "scaledjob", "course", "autoscaling.keda.sh/paused-")
                try await fixture.condition("Paused", of: "course") { $0.status == "False" }
                try await fixture.jobs.created(3, of: "course")

                let expected: Set = [
                    "ScaledJobReady", "ScaledJobActive", "ScaledJobInactive", "KEDAJobsCreated", "ScaledJobPaused",
                    "ScaledJobUnpaused",
                ]
                try await eventually("the events") {
                    let events = try await fixture.list(.events)
                    return expected.isSubset(of: events.compactMap { $0["reason"]?.stringValue })
                }
                let described = try await fixture.kubectl("describe", "scaledjob", "course")
                #expect(described.contains("Created 2 Jobs"))
            }
        }

        @Test func aJobCarriesWhatToolsLookFor() async throws {
            try await HostFixture.with { fixture in
                var manifest = Manifests.scaledJob("marked", fixture.documents(1))
                manifest.set(["metadata", "labels"], ["team": "media", "secret-label": "x"])
                manifest.set(
                    ["metadata", "annotations"],
                    ["note": "kept", "scaledjob.keda.sh/job-excluded-labels": "secret-label"]
                )
                let file = try fixture.write([manifest], to: "marked.yaml")
                _ = try await fixture.kubectl("apply", "-f", file)
                try fixture.startHost()
                try await fixture.jobs.created(1, of: "marked")

                let scaledJob = try await fixture.get(.scaledJobs, "marked")
                let name = try #require(fixture.jobs.all(of: "marked").first?.name)
                let job = try await fixture.get(.jobs, name)
                let labels = job[path: "metadata", "labels"]?.objectValue ?? [:]
                #expect(labels["app.kubernetes.io/name"] == "marked")
                #expect(labels["app.kubernetes.io/part-of"] == "marked")
                #expect(labels["app.kubernetes.io/managed-by"] == "keda-operator")
                #expect(labels["app.kubernetes.io/version"]?.stringValue?.isEmpty == false)
                #expect(labels["scaledjob.keda.sh/name"] == "marked")
                #expect(labels["team"] == "media")
                #expect(labels["secret-label"] == nil)
                let podLabels = job[path: "spec", "template", "metadata", "labels"]
                #expect(podLabels?["scaledjob.keda.sh/name"] == "marked")

                let annotations = job[path: "metadata", "annotations"]?.objectValue ?? [:]
                #expect(annotations["note"] == "kept")
                #expect(annotations["scaledjob.keda.sh/generation"] == "1")
                #expect(annotations["kubectl.kubernetes.io/last-applied-configuration"] == nil)
                #expect(
                    scaledJob[path: "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]
                        != nil
                )

                let owners = job[path: "metadata", "ownerReferences"]?.arrayValue ?? []
                #expect(owners.count == 1)
                #expect(owners.first?["uid"] == scaledJob[path: "metadata", "uid"])
                #expect(owners.first?["kind"] == "ScaledJob")
                #expect(owners.first?["controller"] == true)
            }
        }

        @Test func historyLimitsKeepTheNewestByTheTimeOfTheirCondition() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(7)
                try await fixture.create(.scaledJobs, Manifests.scaledJob("history", documents))
                try fixture.startHost()
                try await fixture.jobs.created(7, of: "history")
                let names = fixture.jobs.all(of: "history").map(\.name).sorted()
                documents.add(-7)
                // The order in which they ended is neither that of their names nor that in which it was written.
                let completed = [4, 1, 3, 2]
                for (name, hour) in zip(names, completed) {
                    try await fixture.kubelet.end(name, at: "2026-01-01T0\(hour):00:00Z")
                }
                let failed = [2, 3, 1]
                for (name, hour) in zip(names.dropFirst(4), failed) {
                    try await fixture.kubelet.end(name, .failed, at: "2026-01-02T0\(hour):00:00Z")
                }
                let limits: JSONValue = ["spec": ["successfulJobsHistoryLimit": 2, "failedJobsHistoryLimit": 1]]
                try await fixture.patch(.scaledJobs, "history", limits)
                try await eventually("the clean-up") { fixture.jobs.existing(of: "history").count == 3 }
                #expect(Set(fixture.jobs.existing(of: "history").map(\.name)) == [names[0], names[2], names[5]])

                try await fixture.patch(.scaledJobs, "history", ["spec": ["successfulJobsHistoryLimit": 0]])
                try await eventually("the clean-up") { fixture.jobs.existing(of: "history").count == 1 }
                #expect(fixture.jobs.existing(of: "history").map(\.name) == [names[5]])
                #expect(fixture.jobs.killed == [])
            }
        }
    }
}
