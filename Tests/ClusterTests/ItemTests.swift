import Foundation
import Kubernetes
import MongoDB
import MongoTestServer
import NIOConcurrencyHelpers
import Testing

extension WholeHostTests {
    /// One Job for each document, in a real API server and a real MongoDB, with hosts that are killed.
    @Suite struct ItemTests {
        private static let failing = "doc-7"

        /// What the containers of Jobs were told, by document.
        private final class Work: Sendable {
            private let names = NIOLockedValueBox<[String: [String]]>([:])
            private let faults = NIOLockedValueBox<[String]>([])

            var jobs: [String: [String]] { self.names.withLockedValue { $0 } }
            var oddities: [String] { self.faults.withLockedValue { $0 } }

            func note(_ job: JSONValue) -> String {
                let name = job[path: "metadata", "name"]?.stringValue ?? ""
                let annotations = job[path: "metadata", "annotations"]
                let container = job[path: "spec", "template", "spec"]?["containers"]?.arrayValue?.first
                let variables = (container?["env"]?.arrayValue ?? []).map { variable in
                    (variable["name"]?.stringValue ?? "", variable["value"]?.stringValue ?? "")
                }
                let environment = Dictionary(variables) { first, _ in first }
                let key = environment["SLUICE_ITEM_KEY"] ?? ""
                let isRight =
                    annotations?["sluice.dev/item-key"]?.stringValue == key
                    && environment["SLUICE_ITEM_PAYLOAD"] == #"{ "_id" : "\#(key)", "url" : "\#(key).mp4" }"#
                if !isRight { self.faults.withLockedValue { $0.append("\(name): \(environment)") } }
                self.names.withLockedValue { $0[key, default: []].append(name) }
                return key
            }
        }

        /// Ends each Job after its document is finished; those of the failing one fail.
        private static func work(
            _ fixture: HostFixture,
            _ database: String,
            at server: MongoTestServer,
            _ work: Work
        ) async throws {
            var taken: Set<String> = []
            while !Task.isCancelled {
                guard let next = fixture.jobs.unfinished(of: "items").first(where: { !taken.contains($0.uid) }) else {
                    try await Task.sleep(for: .milliseconds(5))
                    continue
                }
                taken.insert(next.uid)
                let key = work.note(try await fixture.get(.jobs, next.name))
                if key != Self.failing {
                    let update: BSONValue = ["q": ["_id": .string(key)], "u": ["$set": ["state": "finished"]]]
                    try await server.command(["update": "videos", "updates": [update]], on: database)
                }
                try await fixture.kubelet.end(next.name, key == Self.failing ? .failed : .complete)
            }
        }

        private static func scaledJob(_ database: String, at server: MongoTestServer) -> JSONValue {
            var metadata = Manifests.query(of: database)
            metadata["connectionString"] = .string(server.uri())
            metadata["itemFields"] = "url"
            var scaledJob = Manifests.scaledJob(
                "items",
                triggers: [Manifests.mongodb(metadata)],
                [
                    "pollingInterval": 1, "maxReplicaCount": 6, "failedJobsHistoryLimit": 0,
                    "successfulJobsHistoryLimit": 1000,
                ]
            )
            scaledJob["metadata"]?["annotations"] = ["sluice.dev/one-job-per-item": "true"]
            return scaledJob
        }

        @Test func eachDocumentHasOneJobAndTheFailingOneItsAttempts() async throws {
            let server = try await MongoTestServer.shared(.replicaSet)
            let database = "items_\(UInt32.random(in: 0...UInt32.max))"
            try await server.insert(
                (0..<20).map { number in
                    ["_id": .string("doc-\(number)"), "state": "waiting", "url": .string("doc-\(number).mp4")]
                },
                into: "videos",
                of: database
            )
            try await HostFixture.with { fixture in
                let work = Work()
                try await fixture.create(.scaledJobs, Self.scaledJob(database, at: server))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await Self.work(fixture, database, at: server, work) }
                    group.addTask {
                        var host = try fixture.startHost(plugins: ["sluice-plugin-mongodb"])
                        for part in [4, 12] {
                            try await fixture.jobs.created(part, of: "items")
                            try await host.kill()
                            #expect(work.jobs.count < 20, "the work was over before the host was killed")
                            host = try fixture.startHost(plugins: ["sluice-plugin-mongodb"])
                        }
                        try await fixture.jobs.created(22, of: "items", within: .seconds(60))
                        try await fixture.lastDecision(of: "items", contains: "1 exhausted")
                        try await Self.isTold(fixture)
                        // A host that knows nothing of all that counts on from what is in the cluster.
                        try await host.kill()
                        #expect(try await Self.failedJobs(fixture) == ["3"])
                        let attempts: JSONValue = ["sluice.dev/item-attempts": "4"]
                        try await fixture.patch(.scaledJobs, "items", ["metadata": ["annotations": attempts]])
                        host = try fixture.startHost(plugins: ["sluice-plugin-mongodb"])
                        try await fixture.jobs.created(23, of: "items")
                        try await eventually("only the last failed Job of the document is left") {
                            try await Self.failedJobs(fixture) == ["4"]
                        }
                        try await fixture.lastDecision(of: "items", contains: "1 exhausted")
                        try await host.stop()
                    }
                    try await group.firstToEnd()
                }
                #expect(work.oddities == [])
                #expect(work.jobs.count == 20)
                for (key, names) in work.jobs {
                    #expect(names.count == (key == Self.failing ? 4 : 1), "\(key): \(names)")
                }
                #expect(fixture.jobs.all(of: "items").count == 23)
                #expect(fixture.jobs.most(of: "items") <= 6)
                #expect(fixture.jobs.killed == [])
                #expect(try await server.count(["state": "finished"], in: "videos", of: database) == 19)
            }
        }

        /// The attempts of the failed Jobs that exist.
        private static func failedJobs(_ fixture: HostFixture) async throws -> [String] {
            try await fixture.list(.jobs).compactMap { job in
                let annotations = job[path: "metadata", "annotations"]
                guard annotations?["sluice.dev/item-key"]?.stringValue == Self.failing else { return nil }
                return annotations?["sluice.dev/item-attempt"]?.stringValue
            }
        }

        private static func isTold(_ fixture: HostFixture) async throws {
            try await eventually("an Event about the failing document") {
                try await fixture.list(.events).contains { event in
                    event["reason"] == "ItemFailed" && event["note"]?.stringValue?.contains(Self.failing) == true
                }
            }
        }
    }
}
