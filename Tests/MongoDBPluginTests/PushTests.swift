import MongoDB
import MongoTestServer
import PluginKit
import PluginProtocol
import Testing

@testable import MongoDBPlugin

@Suite struct PushTests {
    private let database = uniqueDatabase()
    private let fixture = PluginFixture()

    /// Opens a trigger and waits until its stream is open: that wakes it the first time.
    private func open(_ server: MongoTestServer, query: String = #"{"state":"waiting"}"#) async throws -> OpenFixture {
        let trigger = try await self.fixture.open(PluginFixture.parameters(server, self.database, query: query))
        #expect(trigger.opened.push == .available)
        try await trigger.wakes.reach(1)
        return trigger
    }

    /// Ends the change streams of this test's database on the server's side.
    private func killStreams(_ server: MongoTestServer) async throws -> Int {
        let cursors = try await server.pool.run { [database] client throws(MongoError) in
            try client.command(
                [
                    "aggregate": 1, "cursor": [:],
                    "pipeline": [
                        ["$currentOp": ["idleCursors": true, "allUsers": true]],
                        [
                            "$match": [
                                "cursor.originatingCommand.$db": .string(database),
                                "cursor.cursorId": ["$exists": true],
                            ]
                        ],
                    ],
                ],
                on: "admin"
            )["cursor"]?.document?["firstBatch"]?.array ?? []
        }
        for cursor in cursors.compactMap(\.document) {
            guard let identifier = cursor["cursor"]?.document?["cursorId"], let name = cursor["ns"]?.string else {
                continue
            }
            let collection = name.split(separator: ".", maxSplits: 1).last.map(String.init) ?? ""
            try await server.command(
                ["killCursors": .string(collection), "cursors": [identifier]],
                on: self.database
            )
        }
        return cursors.count
    }

    @Test func insertedAndChangedDocumentsWakeTheTrigger() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        let trigger = try await self.open(server)
        try await server.insert([["_id": 1, "state": "waiting"]], into: "videos", of: self.database)
        try await trigger.wakes.reach(2)
        try await server.insert([["_id": 2, "state": "new"]], into: "videos", of: self.database)
        try await server.pool.run { [database] client throws(MongoError) in
            try client.withCollection("videos", in: database) { collection throws(MongoError) in
                _ = try collection.updateOne(["_id": 2], update: ["$set": ["state": "waiting"]])
            }
        }
        try await trigger.wakes.reach(3)
        #expect(trigger.wakes.total == 3)
        #expect(try await self.fixture.reading(trigger).waiting == 2)
        await self.fixture.plugin.close(trigger.handle)
    }

    @Test func wakesComeAtOnce() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        let trigger = try await self.open(server)
        var fastest = Duration.seconds(1)
        for round in 1...20 {
            let begin = ContinuousClock.now
            try await server.insert([["state": "waiting"]], into: "videos", of: self.database)
            try await trigger.wakes.reach(round + 1)
            fastest = min(fastest, ContinuousClock.now - begin)
        }
        // The fastest of many, because the machine may be busy; polling could never be that fast.
        #expect(fastest < .milliseconds(20))
        await self.fixture.plugin.close(trigger.handle)
    }

    @Test func onlyTheTriggersConcernedAreWoken() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        let first = try await self.open(server, query: #"{"type":"mp4"}"#)
        let second = try await self.open(server, query: #"{"type":"mkv"}"#)
        try await server.insert([["type": "wav"], ["type": "mp4"], ["type": "mkv"]], into: "videos", of: self.database)
        try await second.wakes.reach(2)
        #expect(first.wakes.total == 2)
        #expect(second.wakes.total == 2)
        await self.fixture.plugin.close(first.handle)
        await self.fixture.plugin.close(second.handle)
    }

    @Test func collectionsOfOneDatabaseShareAStream() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        let first = try await self.open(server)
        let second = try await self.fixture.open(
            PluginFixture.parameters(server, self.database, collection: "sounds")
        )
        try await second.wakes.reach(1)
        try await server.insert([["state": "waiting"]], into: "sounds", of: self.database)
        try await second.wakes.reach(2)
        try await server.insert([["state": "waiting"]], into: "videos", of: self.database)
        try await first.wakes.reach(2)
        #expect(try await self.killStreams(server) == 1)
        await self.fixture.plugin.close(first.handle)
        await self.fixture.plugin.close(second.handle)
    }

    @Test func killedStreamIsResumedWithoutLoss() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        let trigger = try await self.open(server)
        for round in 1...3 {
            try await eventually("the stream is killed") { try await self.killStreams(server) > 0 }
            let before = trigger.wakes.total
            try await server.insert([["state": "waiting"]], into: "videos", of: self.database)
            try await trigger.wakes.reach(before + 1)
            #expect(try await self.fixture.reading(trigger).waiting == Double(round))
        }
        await self.fixture.plugin.close(trigger.handle)
    }

    @Test func droppedCollectionIsWatchedOn() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        let trigger = try await self.open(server)
        try await server.insert([["state": "waiting"]], into: "videos", of: self.database)
        try await trigger.wakes.reach(2)
        try await server.command(["drop": "videos"], on: self.database)
        try await trigger.wakes.reach(3)
        #expect(try await self.fixture.reading(trigger).waiting == 0)
        try await server.insert([["state": "waiting"]], into: "videos", of: self.database)
        try await trigger.wakes.reach(4)
        await self.fixture.plugin.close(trigger.handle)
    }

    @Test func queryThatAStreamCannotTryWakesOnEveryChange() async throws {
        let server = try await MongoTestServer.shared(.replicaSet)
        let trigger = try await self.open(server, query: #"{"$expr":{"$gt":["$size",3]}}"#)
        try await server.insert([["size": 5]], into: "videos", of: self.database)
        try await trigger.wakes.reach(2)
        #expect(try await self.fixture.reading(trigger).waiting == 1)
        await self.fixture.plugin.close(trigger.handle)
    }

    @Test func stepDownLosesNoEvent() async throws {
        let server = try await MongoTestServer.start(.replicaSet)
        let trigger = try await self.open(server)
        // Nobody else can win: the member steps down and is elected again.
        _ = try? await server.command(["replSetStepDown": 1, "force": true])
        let before = trigger.wakes.total
        try await eventually("there is a primary again") {
            (try? await server.insert([["state": "waiting"]], into: "videos", of: self.database)) != nil
        }
        try await trigger.wakes.reach(before + 1)
        try await eventually("it is read again") {
            ((try? await self.fixture.reading(trigger).waiting) ?? 0) >= 1
        }
        await self.fixture.plugin.close(trigger.handle)
        try await server.stop()
    }

    @Test func restartedServerIsWatchedOn() async throws {
        let server = try await MongoTestServer.start(.replicaSet)
        let trigger = try await self.open(server)
        try await server.stop()
        try await server.start()
        let before = trigger.wakes.total
        try await eventually("a document can be inserted") {
            (try? await server.insert([["state": "waiting"]], into: "videos", of: self.database)) != nil
        }
        try await trigger.wakes.reach(before + 1)
        await self.fixture.plugin.close(trigger.handle)
        try await server.stop()
    }
}
