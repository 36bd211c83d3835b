import FoundationEssentials
import MongoDB
import MongoTestServer
import Subprocess
import SystemPackage
import Testing

@testable import MongoDBPlugin

/// The example's program, run as a Job would run it.
@Suite struct TranscodeWorkerTests {
    private let database = uniqueDatabase()

    private func configuration(
        _ server: MongoTestServer,
        _ options: [String],
        environment: [Environment.Key: String] = [:]
    ) throws -> Configuration {
        let directory = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            .split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
        return Configuration(
            executable: .path(FilePath("\(directory)/transcode-worker")),
            arguments: Arguments(
                ["--connectStr", server.uri(), "--dataBase", self.database, "--collection", "videos"] + options
            ),
            environment: .inherit.updating(environment.mapValues(Optional.some))
        )
    }

    private func work(
        _ server: MongoTestServer,
        _ options: [String],
        environment: [Environment.Key: String] = [:]
    ) async throws -> (isSuccess: Bool, text: String) {
        let result = try await run(
            self.configuration(server, options, environment: environment),
            output: .string(limit: 1 << 16),
            error: .discarded
        )
        return (result.terminationStatus.isSuccess, result.standardOutput)
    }

    private func video(_ number: Int) -> BSONDocument {
        ["_id": .int64(Int64(number)), "type": "mp4", "state": "waiting", "url": .string("\(number).mp4")]
    }

    @Test func fiveWorkersFinishFiveVideos() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        try await server.insert((0..<5).map(self.video), into: "videos", of: self.database)
        let texts = try await withThrowingTaskGroup(of: (isSuccess: Bool, text: String).self) { group in
            for _ in 0..<5 {
                group.addTask { try await self.work(server, ["--seconds", "0.5"]) }
            }
            return try await group.reduce(into: [String]()) { texts, result in
                #expect(result.isSuccess)
                texts.append(result.text)
            }
        }
        for number in 0..<5 {
            #expect(texts.filter { $0.contains("finished \(number).mp4") }.count == 1)
        }
        let done: BSONDocument = [
            "state": "finished", "endTimeStamp": ["$type": "date"], "claimedBy": ["$exists": false],
        ]
        #expect(try await server.count(done, in: "videos", of: self.database) == 5)
    }

    @Test func aWorkerWithAnItemTakesThatVideoAndNoOther() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        try await server.insert([self.video(1), self.video(2)], into: "videos", of: self.database)
        let environment: [Environment.Key: String] = [
            "SLUICE_ITEM_KEY": #"{ "$numberLong" : "2" }"#,
            "SLUICE_ITEM_PAYLOAD": #"{ "_id" : { "$numberLong" : "2" } }"#,
        ]
        let options = ["--seconds", "0.1", "--patience", "0.1"]
        let first = try await self.work(server, options, environment: environment)
        #expect(first.text.contains("finished 2.mp4"))
        let second = try await self.work(server, options, environment: environment)
        #expect(second.text.contains("no video can be claimed"))
        #expect(try await server.count(["state": "waiting", "_id": 1], in: "videos", of: self.database) == 1)
    }

    @Test func videoStaysCountedWhileItIsWorkedOn() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        try await server.insert([self.video(1)], into: "videos", of: self.database)
        async let result = self.work(server, ["--seconds", "1", "--claim", "0.3"])
        try await eventually("it is claimed") {
            try await server.count(
                ["claimedBy": ["$exists": true], "state": "waiting"],
                in: "videos",
                of: self.database
            ) == 1
        }
        // Renewed all the while: a second worker finds nothing.
        let second = try await self.work(server, ["--patience", "0.5"])
        #expect(second.isSuccess)
        #expect(second.text.contains("no video can be claimed"))
        #expect(try await result.isSuccess)
    }

    @Test func videoOfAKilledWorkerIsClaimedAgainAfterItsClaim() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        try await server.insert([self.video(1)], into: "videos", of: self.database)
        _ = try await self.interrupted(server, by: .kill)
        #expect(try await server.count(["claimedBy": ["$exists": true]], in: "videos", of: self.database) == 1)
        let next = try await self.work(server, ["--seconds", "0", "--patience", "20"])
        #expect(next.isSuccess)
        #expect(next.text.contains("finished 1.mp4"))
    }

    @Test func askedToEndTheWorkerGivesTheVideoBack() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        try await server.insert([self.video(1)], into: "videos", of: self.database)
        let (isSuccess, text) = try await self.interrupted(server, by: .terminate)
        #expect(!isSuccess)
        #expect(text.contains("gave up 1.mp4"))
        #expect(try await server.count(["claimedBy": ["$exists": true]], in: "videos", of: self.database) == 0)
    }

    @Test func lostClaimEndsTheWorkerWithoutFinishing() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        try await server.insert([self.video(1)], into: "videos", of: self.database)
        async let result = self.work(server, ["--seconds", "20", "--claim", "1"])
        try await eventually("another one has it") {
            try await server.pool.run { [database] client throws(MongoError) in
                try client.withCollection("videos", in: database) { collection throws(MongoError) in
                    try collection.updateOne(
                        ["claimedBy": ["$exists": true]],
                        update: ["$set": ["claimedBy": "another"]]
                    )
                }
            }
        }
        #expect(try await !result.isSuccess)
        #expect(try await result.text.contains("the claim was lost"))
        #expect(
            try await server.count(["claimedBy": "another", "state": "waiting"], in: "videos", of: self.database) == 1
        )
    }

    private func interrupted(
        _ server: MongoTestServer,
        by signal: Signal
    ) async throws -> (isSuccess: Bool, text: String) {
        let result = try await run(
            self.configuration(server, ["--seconds", "60", "--claim", "2"]),
            input: .none,
            output: .sequence,
            error: .discarded
        ) { execution in
            var text = ""
            for try await line in execution.standardOutput.strings() {
                text += line
                if line.contains("transcoding") { try execution.send(signal: signal) }
            }
            return text
        }
        return (result.terminationStatus.isSuccess, result.closureResult)
    }
}
