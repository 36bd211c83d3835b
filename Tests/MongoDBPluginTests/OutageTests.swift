import MongoDB
import MongoTestServer
import PluginProtocol
import Testing

@testable import MongoDBPlugin

@Suite struct OutageTests {
    private let database = uniqueDatabase()
    private let fixture = PluginFixture()

    @Test func serverThatComesBackIsReadAgain() async throws {
        let server = try await MongoTestServer.start(.standalone)
        let trigger = try await self.fixture.open(PluginFixture.parameters(server, self.database))
        try await server.insert([["state": "waiting"]], into: "videos", of: self.database)
        #expect(try await self.fixture.reading(trigger).waiting == 1)
        try await server.stop()

        let failure = await #expect(throws: PluginFailure.self) { try await self.fixture.reading(trigger) }
        #expect(failure?.code == .unavailable)

        try await server.start()
        try await eventually("it is read again") {
            (try? await self.fixture.reading(trigger).waiting) == 1
        }
        await self.fixture.plugin.close(trigger.handle)
        try await server.stop()
    }

    @Test func serverThatIsNotThereIsUnavailable() async throws {
        let parameters = [
            "connectionString": "mongodb://anna:s3cret@127.0.0.1:1", "dbName": "a", "collection": "b",
            "query": #"{"c":1}"#, "queryValue": "1",
        ]
        let failure = await #expect(throws: PluginFailure.self) { try await self.fixture.open(parameters) }
        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains("s3cret") == false)
    }

    @Test func manyTriggersOfAMissingServerFailTogether() async throws {
        let begin = ContinuousClock.now
        await withTaskGroup(of: PluginFailure.Code?.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let parameters = [
                        "connectionString": "mongodb://127.0.0.1:1", "dbName": "a", "collection": "b",
                        "query": #"{"c":\#(number)}"#, "queryValue": "1",
                    ]
                    do {
                        _ = try await self.fixture.open(parameters)
                        return nil
                    } catch {
                        return (error as? PluginFailure)?.code
                    }
                }
            }
            for await code in group { #expect(code == .unavailable) }
        }
        #expect(ContinuousClock.now - begin < .seconds(9))
    }
}
