import MongoDB
import MongoTestServer
import PluginKit
import PluginProtocol
import Testing

@testable import MongoDBPlugin

@Suite struct ItemTests {
    private let database = uniqueDatabase()
    private let fixture = PluginFixture()

    private func items(_ count: Int, _ extra: [String: String] = [:], _ server: MongoTestServer) async throws
        -> [[String]]
    {
        let parameters = PluginFixture.parameters(server, self.database).merging(extra) { $1 }
        let trigger = try await self.fixture.open(parameters)
        let reading = try await self.fixture.reading(trigger, items: count)
        await self.fixture.plugin.close(trigger.handle)
        return reading.items.map {
            [String(decoding: $0.key, as: UTF8.self), String(decoding: $0.payload, as: UTF8.self)]
        }
    }

    @Test func identifiersOfEveryKindBecomeStableKeys() async throws {
        let server = try await MongoTestServer.shared(.standalone)
        let long = String(repeating: "x", count: 254)
        for document in [
            #"{"_id":{"$oid":"65a0c0ffee65a0c0ffee65a0"}}"#, #"{"_id":"a video.mp4"}"#, #"{"_id":7}"#, #"{"_id":""}"#,
            #"{"_id":{"$numberLong":"7000000000"}}"#, #"{"_id":{"day":1,"part":"b"}}"#, #"{"_id":"a\u0000b"}"#,
            #"{"_id":"\#(long)"}"#,
        ] {
            var document = try BSONDocument(json: document)
            document.append("state", "waiting")
            try await server.insert([document], into: "videos", of: self.database)
        }
        let found = try await self.items(100, [:], server)
        let keys: Set = [
            "65a0c0ffee65a0c0ffee65a0", "a video.mp4", #"{ "$numberInt" : "7" }"#, "\"\"", #""a\u0000b""#,
            #"{ "$numberLong" : "7000000000" }"#, #"{ "day" : { "$numberInt" : "1" }, "part" : "b" }"#,
        ]
        #expect(Set(found.map { $0[0] }.filter { !$0.hasPrefix("sha256:") }) == keys)
        let hashed = try #require(found.first { $0[0].hasPrefix("sha256:") })
        #expect(hashed[0].utf8.count == 71)
        #expect(hashed[1].contains(long))
        #expect(found.first { $0[0] == "a video.mp4" }?[1] == #"{ "_id" : "a video.mp4" }"#)
        #expect(found.first { $0[0].hasPrefix("65a") }?[1] == #"{ "_id" : { "$oid" : "65a0c0ffee65a0c0ffee65a0" } }"#)
        let again = try await self.items(100, [:], server)
        #expect(again == found)
    }

    @Test func theOldestComeFirstAndNoMoreThanAskedFor() async throws {
        let server = try await MongoTestServer.shared(.standalone)
        var documents: [BSONDocument] = [["_id": 0]]
        for number in (1...9 as ClosedRange<Int32>).reversed() {
            documents.append(["_id": .int32(number), "state": "waiting", "rank": .int32(-number)])
        }
        try await server.insert(documents, into: "videos", of: self.database)
        let first = try await self.items(3, [:], server)
        #expect(first.map { $0[1] } == [#"{ "_id" : 1 }"#, #"{ "_id" : 2 }"#, #"{ "_id" : 3 }"#])
        let ranked = try await self.items(2, ["itemSort": #"{"rank":1}"#], server)
        #expect(ranked.map { $0[1] } == [#"{ "_id" : 9 }"#, #"{ "_id" : 8 }"#])
    }

    @Test func onlyFieldsThatAreNamedTravelAndNoneThatAreTooLarge() async throws {
        let server = try await MongoTestServer.shared(.standalone)
        try await server.insert(
            [
                ["_id": 1, "state": "waiting", "url": "a.mp4", "meta": ["size": 5, "secret": "s"]],
                ["_id": 2, "state": "waiting", "url": .string(String(repeating: "x", count: 5000))],
                // In quotes and escaped it is longer than as BSON.
                ["_id": 3, "state": "waiting", "url": .string(String(repeating: "\n", count: 3000))],
                ["_id": 4, "state": "waiting"],
            ],
            into: "videos",
            of: self.database
        )
        let found = try await self.items(9, ["itemFields": " url, meta.size ,_id"], server)
        #expect(
            found.map { $0[1] } == [
                #"{ "_id" : 1, "url" : "a.mp4", "meta" : { "size" : 5 } }"#, #"{ "_id" : 2 }"#, #"{ "_id" : 3 }"#,
                #"{ "_id" : 4 }"#,
            ]
        )
    }

    @Test(arguments: [
        ("itemFields", "a,,b"), ("itemFields", "$where"), ("itemFields", "a,a.b"), ("itemSort", "_id"),
        ("itemSort", "{}"),
    ])
    func parametersThatCannotWorkAreRefusedByName(parameter: String, value: String) throws {
        var parameters = ["connectionString": "mongodb://h", "dbName": "d", "collection": "c", "queryValue": "1"]
        parameters["query"] = #"{"a":1}"#
        parameters[parameter] = value
        let failure = #expect(throws: PluginFailure.self) { try TriggerSettings(parameters: parameters) }
        #expect(failure?.parameter == parameter)
        #expect(failure?.message.contains(parameter) == true)
    }

    @Test func whoWantsNoItemsIsAskedNothingMore() async throws {
        let server = try await MongoTestServer.shared(.standalone)
        let trigger = try await self.fixture.open(PluginFixture.parameters(server, self.database))
        try await server.insert([["_id": 1, "state": "waiting"]], into: "videos", of: self.database)
        try await server.command(["profile": 2], on: self.database)
        _ = try await self.fixture.reading(trigger)
        let without = try await server.count(["command.aggregate": "videos"], in: "system.profile", of: self.database)
        _ = try await self.fixture.reading(trigger, items: 1)
        let with = try await server.count(["command.aggregate": "videos"], in: "system.profile", of: self.database)
        try await server.command(["profile": 0], on: self.database)
        #expect(without == 1)
        #expect(with == 3)
        await self.fixture.plugin.close(trigger.handle)
    }
}
