import MongoDB
import MongoTestServer
import PluginKit
import PluginProtocol
import Testing

@testable import MongoDBPlugin

@Suite struct MeasureTests {
    private let database = uniqueDatabase()
    private let fixture = PluginFixture()

    @Test(arguments: [MongoTestServer.Kind.standalone, .replicaSet])
    func documentsThatMatchAreCounted(kind: MongoTestServer.Kind) async throws {
        let server = try await MongoTestServer.shared(kind)
        var parameters = PluginFixture.parameters(server, self.database)
        parameters["queryValue"] = "2.5"
        parameters["activationQueryValue"] = "1"
        let trigger = try await self.fixture.open(parameters)
        #expect(try await self.fixture.reading(trigger).waiting == 0)
        try await server.insert(
            [["state": "waiting"], ["state": "waiting"], ["state": "finished"]],
            into: "videos",
            of: self.database
        )
        let reading = try await self.fixture.reading(trigger)
        #expect(reading.waiting == 2)
        #expect(reading.items.isEmpty)
        #expect(reading.observedAtMilliseconds > 1_600_000_000_000)
        #expect(trigger.opened.target == 2.5)
        #expect(trigger.opened.metricName == "mongodb-videos")
        #expect(trigger.opened.activation == 1)
        switch (kind, trigger.opened.push) {
        case (.standalone, .unavailable(let reason)): #expect(reason.contains("standalone"))
        case (.replicaSet, .available): break
        default: Issue.record("\(kind) with \(trigger.opened.push)")
        }
        await self.fixture.plugin.close(trigger.handle)
    }

    @Test(arguments: [
        #"{"owner":{"$oid":"0123456789abcdef01234567"}}"#,
        #"{"at":{"$lt":{"$date":"2024-06-01T00:00:00Z"}}}"#,
        #"{"at":{"$lt":{"$date":{"$numberLong":"1717200000000"}}}}"#,
        #"{"size":{"$numberInt":"3"}}"#,
        #"{"size":{"$in":[1,3]},"none":{"$exists":false}}"#,
        #"{"$or":[{"size":3},{"size":-1}]}"#,
    ])
    func bothFlavoursOfExtendedJSONMatch(query: String) async throws {
        let server = try await MongoTestServer.shared(.standalone)
        let document = try BSONDocument(
            json: #"{"owner":{"$oid":"0123456789abcdef01234567"},"at":{"$date":"2024-01-01T00:00:00Z"},"size":3}"#
        )
        try await server.insert([document, ["size": 9]], into: "videos", of: self.database)
        let trigger = try await self.fixture.open(PluginFixture.parameters(server, self.database, query: query))
        #expect(try await self.fixture.reading(trigger).waiting == 1)
        await self.fixture.plugin.close(trigger.handle)
    }

    @Test func equalQuestionsAreAskedOnce() async throws {
        let server = try await MongoTestServer.shared(.standalone)
        var triggers: [TriggerHandle] = []
        for _ in 0..<20 {
            triggers.append(try await self.fixture.open(PluginFixture.parameters(server, self.database)).handle)
        }
        let other = #"{"state":"new"}"#
        triggers.append(
            try await self.fixture.open(PluginFixture.parameters(server, self.database, query: other)).handle
        )
        try await server.command(["profile": 2], on: self.database)
        let answers = await self.fixture.measure(triggers)
        try await server.command(["profile": 0], on: self.database)
        #expect(answers.count == 21)
        #expect(answers.values.allSatisfy { (try? $0.get().waiting) == 0 })
        let asked = try await server.count(
            ["command.aggregate": "videos"],
            in: "system.profile",
            of: self.database
        )
        #expect(asked == 2)
        for trigger in triggers { await self.fixture.plugin.close(trigger) }
    }

    @Test func manyTriggersShareFewConnections() async throws {
        let server = try await MongoTestServer.start(.replicaSet)
        @Sendable func connections() async throws -> Int64 {
            let status = try await server.command(["serverStatus": 1])
            return try #require(status["connections"]?.document?["current"]?.integer)
        }
        let before = try await connections()
        var triggers: [TriggerHandle] = []
        for number in 0..<200 {
            let query = #"{"number":\#(number)}"#
            let parameters = PluginFixture.parameters(server, self.database, query: query)
            triggers.append(try await self.fixture.open(parameters).handle)
        }
        for _ in 0..<3 {
            let answers = await self.fixture.measure(triggers)
            #expect(answers.values.filter { (try? $0.get()) != nil }.count == 200)
        }
        #expect(try await connections() - before <= 10)
        for trigger in triggers { await self.fixture.plugin.close(trigger) }
        // The test's own driver may have opened up to two more meanwhile; a pool that stays would be more than that.
        try await eventually("the connections end with the last trigger") { try await connections() <= before + 2 }
        try await server.stop()
    }

    @Test func slowServerDelaysOnlyItsOwnTriggers() async throws {
        let slow = try await MongoTestServer.start(.standalone)
        let quick = try await MongoTestServer.shared(.standalone)
        let first = try await self.fixture.open(PluginFixture.parameters(slow, self.database))
        let second = try await self.fixture.open(PluginFixture.parameters(quick, self.database))
        try slow.pause()
        let (order, told) = AsyncStream<TriggerHandle>.makeStream()
        async let measured: Void = self.fixture.plugin.measure(
            [first, second].map { MeasureRequest(trigger: $0.handle, maximumItems: 0, timeout: .seconds(2)) },
            report: MeasureReport { trigger, answer in
                #expect(((try? answer.get()) != nil) == (trigger == second.handle))
                told.yield(trigger)
            }
        )
        var answered = order.makeAsyncIterator()
        #expect(await answered.next() == second.handle)
        #expect(await answered.next() == first.handle)
        await measured
        try slow.resume()
        await self.fixture.plugin.close(first.handle)
        await self.fixture.plugin.close(second.handle)
        try await slow.stop()
    }

    @Test func queryThatTheServerRefusesIsNamed() async throws {
        let server = try await MongoTestServer.shared(.standalone)
        let parameters = PluginFixture.parameters(server, self.database, query: #"{"state":{"$nope":1}}"#)
        let failure = await #expect(throws: PluginFailure.self) { try await self.fixture.open(parameters) }
        #expect(failure?.code == .invalidParameter)
        #expect(failure?.parameter == "query")
        #expect(failure?.message.contains("$nope") == true)
    }

    @Test func triggerThatIsNotOpenIsUnknown() async throws {
        let answers = await self.fixture.measure([TriggerHandle(number: 99)])
        #expect(throws: PluginFailure.self) { try answers[TriggerHandle(number: 99)]?.get() }
    }
}
