import Foundation
import Kubernetes
import MongoDB
import MongoTestServer
import Testing

extension WholeHostTests {
    /// A password that changes under load costs no reading, no restart and no connection.
    @Suite struct RotationTests {
        private static let scaledJobs = 100
        private static let rotations = 3
        /// As many ScaledJobs get documents all the time.
        private static let busy = 5

        @Test func aPasswordRotatesUnderAHundredTriggersAndNoReadingFails() async throws {
            let server = try await MongoTestServer.shared(.replicaSetWithUsers)
            let database = "media_\(UInt32.random(in: 0...UInt32.max))"
            let user = "rotating_\(UInt32.random(in: 0...UInt32.max))"
            try await server.command(
                ["createUser": .string(user), "pwd": "hunter2-0", "roles": ["read"]],
                on: database
            )
            @Sendable func connection(_ rotation: Int) -> JSONValue {
                .string(server.uri(username: user, password: "hunter2-\(rotation)", source: database))
            }
            try await HostFixture.with { fixture in
                try await fixture.create(.secrets, Manifests.secret("connection", ["connect": connection(0)]))
                try await fixture.create(
                    .triggerAuthentications,
                    Manifests.authentication("media", secret: "connection")
                )
                for number in 0..<Self.scaledJobs {
                    var query = Manifests.query(of: database)
                    query["query"] = .string(#"{"state":"waiting","team":\#(number)}"#)
                    let trigger = Manifests.mongodb(query, authentication: "media")
                    try await fixture.create(
                        .scaledJobs,
                        Manifests.scaledJob(
                            "team-\(number)",
                            triggers: [trigger],
                            ["pollingInterval": 1, "maxReplicaCount": 1000]
                        )
                    )
                }
                let host = try fixture.startHost(plugins: ["sluice-plugin-mongodb"])
                for number in 0..<Self.scaledJobs { try await fixture.isReady("team-\(number)") }
                let before = try await Self.connections(of: user, at: server)
                #expect(!before.isEmpty)

                let inserted = try await withThrowingTaskGroup(of: Int.self) { group in
                    group.addTask { try await Self.insertAllTheTime(into: database, at: server) }
                    var former = before
                    for rotation in 1...Self.rotations {
                        try await server.command(
                            ["updateUser": .string(user), "pwd": .string("hunter2-\(rotation)")],
                            on: database
                        )
                        try await fixture.patch(
                            .secrets,
                            "connection",
                            ["stringData": ["connect": connection(rotation)]]
                        )
                        // All connections of the former password go, and as many come.
                        let old = former
                        var now: Set<Int64> = []
                        try await eventually("the end of the old connections", otherwise: { "\(now) of \(old)" }) {
                            now = try await Self.connections(of: user, at: server)
                            return !now.isEmpty && now.isDisjoint(with: old)
                        }
                        #expect(now.count <= before.count + 8)
                        former = now
                    }
                    group.cancelAll()
                    return try await group.next() ?? 0
                }
                #expect(inserted > 0)
                for number in 0..<Self.busy {
                    try await fixture.jobs.created(inserted, of: "team-\(number)", within: .seconds(20))
                }
                for number in 0..<Self.scaledJobs {
                    let count = fixture.jobs.all(of: "team-\(number)").count
                    #expect(count == (number < Self.busy ? inserted : 0), "team-\(number)")
                }
                let events = try await fixture.kubectl("get", "events", "-o", "yaml")
                #expect(!events.contains("KEDAScalerFailed"), "a reading failed")
                #expect(!host.log.contains("ScaledJob has a problem"), "a reading failed")
                #expect(!host.hasEnded)
                #expect(host.log.components(separatedBy: "plugin registered").count <= 2, "the plugin was restarted")
                #expect(!(host.log + events).contains("hunter2"), "a secret was shown")
            }
        }

        /// The server's connections that are logged in as this user, idle ones included.
        private static func connections(of user: String, at server: MongoTestServer) async throws -> Set<Int64> {
            let answer = try await server.command(
                [
                    "aggregate": 1, "cursor": ["batchSize": 10000],
                    "pipeline": [
                        ["$currentOp": ["allUsers": true, "idleConnections": true]],
                        ["$match": ["effectiveUsers.user": .string(user)]],
                        ["$project": ["connectionId": 1]],
                    ],
                ]
            )
            let batch = answer["cursor"]?.document?["firstBatch"]?.array ?? []
            return Set(batch.compactMap { $0.document?["connectionId"]?.integer })
        }

        /// One document at a time for each of the busy ScaledJobs, until cancelled; returns how many each has got.
        private static func insertAllTheTime(into database: String, at server: MongoTestServer) async throws -> Int {
            var count = 0
            while !Task.isCancelled {
                let documents = (0..<Self.busy).map { team -> BSONDocument in
                    ["state": "waiting", "team": .int64(Int64(team))]
                }
                // Whole rounds only: what has been sent is counted.
                try await Task { try await server.insert(documents, into: "videos", of: database) }.value
                count += 1
                try? await Task.sleep(for: .milliseconds(20))
            }
            return count
        }
    }
}
