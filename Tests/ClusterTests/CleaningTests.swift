import Controller
import Foundation
import Kubernetes
import NIOConcurrencyHelpers
import Testing

extension WholeHostTests {
    /// Finished Jobs go, whatever else stands still.
    @Suite struct CleaningTests {
        private static func now(minus seconds: Double = 0) -> String {
            Date.now.addingTimeInterval(-seconds).formatted(.iso8601)
        }

        /// Makes Jobs of a ScaledJob that have ended, one second after the other, the last one so long ago.
        @discardableResult
        private static func finished(
            _ count: Int,
            _ prefix: String,
            of scaledJob: JSONValue,
            _ fixture: HostFixture,
            _ end: Kubelet.End = .complete,
            ago: Double = 0,
            finalizers: [JSONValue] = []
        ) async throws -> [String] {
            let names = (0..<count).map { "\(prefix)-\(String($0 + 1_000).dropFirst())" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, name) in names.enumerated() {
                    if index >= 16 { try await group.next() }
                    group.addTask {
                        var job = KEDAObjects.job(of: scaledJob, generation: 1)
                        job.set(["metadata", "generateName"], .null)
                        job.set(["metadata", "name"], .string(name))
                        job.set(["metadata", "finalizers"], .array(finalizers))
                        try await fixture.create(.jobs, job)
                        try await fixture.kubelet.end(name, end, at: Self.now(minus: ago + Double(count - 1 - index)))
                    }
                }
                try await group.waitForAll()
            }
            return names
        }

        private static func names(_ fixture: HostFixture, of scaledJob: String) -> [String] {
            fixture.jobs.existing(of: scaledJob).map(\.name).sorted()
        }

        private static func gone(
            _ fixture: HostFixture,
            of scaledJob: String,
            but left: [String],
            within timeout: Duration = .seconds(30)
        ) async throws {
            try await eventually(
                "the clean-up of \(scaledJob)",
                within: timeout,
                otherwise: { "\(Self.names(fixture, of: scaledJob).count) left" },
                { Self.names(fixture, of: scaledJob) == left.sorted() }
            )
        }

        /// Hundreds of Jobs, one of them running, of ScaledJobs that can do nothing else.
        @Test func jobsAreCleanedWhilePausedAndWithTheirPluginDown() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(0)
                var paused = Manifests.scaledJob("paused", documents)
                paused.set(["metadata", "annotations"], ["autoscaling.keda.sh/paused": "true"])
                paused.set(["spec", "successfulJobsHistoryLimit"], 3)
                paused.set(["spec", "failedJobsHistoryLimit"], 1)
                let pausedJob = try await fixture.create(.scaledJobs, paused)
                var orphan = Manifests.scaledJob("down", documents)
                orphan.set(["spec", "successfulJobsHistoryLimit"], 0)
                let down = try await fixture.create(.scaledJobs, orphan)
                let succeeded = try await Self.finished(200, "ok", of: pausedJob, fixture)
                let failed = try await Self.finished(50, "bad", of: pausedJob, fixture, .failed)
                try await Self.finished(100, "other", of: down, fixture)
                var running = KEDAObjects.job(of: pausedJob, generation: 1)
                running.set(["metadata", "generateName"], .null)
                running.set(["metadata", "name"], "runs")
                try await fixture.create(.jobs, running)

                try fixture.startHost(plugins: [])
                try await Self.gone(fixture, of: "paused", but: succeeded.suffix(3) + failed.suffix(1) + ["runs"])
                try await Self.gone(fixture, of: "down", but: [])
                #expect(fixture.jobs.killed == [])
            }
        }

        @Test func jobsGoByAgeByTotalAndByTheirTimeToLive() async throws {
            try await HostFixture.with { fixture in
                var aged = Manifests.scaledJob("aged", fixture.documents(0, "aged"))
                aged.set(["metadata", "annotations"], ["sluice.dev/finished-jobs-max-age": "1h"])
                let agedJob = try await fixture.create(.scaledJobs, aged)
                let total = try await fixture.create(
                    .scaledJobs,
                    Manifests.scaledJob("total", fixture.documents(0, "total"))
                )
                let documents = fixture.documents(1, "short")
                var short = Manifests.scaledJob("short", documents)
                short.set(["spec", "jobTargetRef", "ttlSecondsAfterFinished"], 1)
                try await fixture.create(.scaledJobs, short)
                try await Self.finished(20, "old", of: agedJob, fixture, ago: 3_700)
                let young = try await Self.finished(5, "young", of: agedJob, fixture, ago: 600)
                try await Self.finished(20, "ancient", of: total, fixture, ago: 100_000)
                let recent = try await Self.finished(20, "recent", of: total, fixture)

                // Of the 45 that neither is too old for its own rule, 15 are too many: the oldest of all.
                try fixture.startHost(["--max-finished-jobs", "30", "--finished-jobs-max-age", "30d"])
                try await Self.gone(fixture, of: "aged", but: young)
                try await Self.gone(
                    fixture,
                    of: "total",
                    but: (15..<20).map { "ancient-0\($0)" } + recent
                )

                // The API server of 1.20 takes the field off the Job; the host knows it nevertheless.
                try await fixture.jobs.created(1, of: "short")
                documents.add(-1)
                try await fixture.kubelet.end(fixture.jobs.all(of: "short")[0].name, at: Self.now())
                try await Self.gone(fixture, of: "short", but: [])
                // It was the youngest of all, and over the total while it was there.
                try await Self.gone(fixture, of: "total", but: (16..<20).map { "ancient-0\($0)" } + recent)
                #expect(fixture.jobs.killed == [])
            }
        }

        @Test func aJobThatCannotBeDeletedHoldsUpNoOther() async throws {
            try await HostFixture.with { fixture in
                var manifest = Manifests.scaledJob("failing", fixture.documents(0))
                manifest.set(["spec", "successfulJobsHistoryLimit"], 0)
                let scaledJob = try await fixture.create(.scaledJobs, manifest)
                let names = try await Self.finished(200, "ok", of: scaledJob, fixture)
                let isRefusing = NIOLockedValueBox(true)
                let refusals = NIOLockedValueBox(0)
                let api = FaultyAPI(fixture.client) { request in
                    guard request.verb == .delete, request.resource == .jobs else { return .delivered }
                    guard isRefusing.withLockedValue({ $0 }) else { return .delivered }
                    if request.name == names[0] {
                        refusals.withLockedValue { $0 += 1 }
                        return .refused(KubernetesError(.forbidden, "a webhook says no", status: 403))
                    }
                    // And some of the others are not heard of again.
                    return request.name.map { $0.hasSuffix("7") } == true && Bool.random() ? .answerLost : .delivered
                }
                try await fixture.withController(over: api) {
                    try await Self.gone(fixture, of: "failing", but: [names[0]])
                    try await eventually("another attempt") { refusals.withLockedValue { $0 } >= 3 }
                    isRefusing.withLockedValue { $0 = false }
                    try await Self.gone(fixture, of: "failing", but: [])
                }
                #expect(fixture.jobs.killed == [])
            }
        }

        @Test func aJobStuckInDeletionIsReportedAndNotDeletedAgain() async throws {
            try await HostFixture.with { fixture in
                var manifest = Manifests.scaledJob("stuck", fixture.documents(0))
                manifest.set(["spec", "successfulJobsHistoryLimit"], 0)
                let scaledJob = try await fixture.create(.scaledJobs, manifest)
                let names = try await Self.finished(
                    2,
                    "kept",
                    of: scaledJob,
                    fixture,
                    finalizers: ["example.test/audit"]
                )
                try await Self.finished(20, "ok", of: scaledJob, fixture)
                let deletions = NIOLockedValueBox(0)
                let api = FaultyAPI(fixture.client) { request in
                    if request.verb == .delete, request.resource == .jobs { deletions.withLockedValue { $0 += 1 } }
                    return .delivered
                }
                var settings = CleaningSettings()
                settings.deletionPatience = 2
                try await fixture.withController(over: api, cleaning: settings) {
                    try await Self.gone(fixture, of: "stuck", but: names)
                    var told: [JSONValue] = []
                    try await eventually("the Event") {
                        told = try await fixture.list(.events).filter { $0["reason"] == "ScaledJobDeletionStuck" }
                        return !told.isEmpty
                    }
                    #expect(told.count == 1)
                    #expect(
                        told[0]["note"]?.stringValue
                            == "2 Jobs have been in deletion for over 2 seconds: kept-000 is kept by example.test/audit; "
                            + "whoever set that must take it off"
                    )
                    #expect(deletions.withLockedValue { $0 } == 22)
                    for name in names { try await fixture.patch(.jobs, name, ["metadata": ["finalizers": []]]) }
                    try await Self.gone(fixture, of: "stuck", but: [])
                }
                #expect(deletions.withLockedValue { $0 } == 22)
            }
        }
    }
}
