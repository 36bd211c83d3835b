import MongoDB
import MongoTestServer
import PluginProtocol
import Testing

@testable import MongoDBPlugin

@Suite struct AuthenticationTests {
    private let database = uniqueDatabase()
    private let fixture = PluginFixture()

    private func parts(_ server: MongoTestServer, password: String) -> [String: String] {
        [
            "host": "127.0.0.1", "port": "\(server.port)", "username": "anna", "password": password,
            "dbName": self.database, "collection": "videos", "query": #"{"state":"waiting"}"#, "queryValue": "1",
        ]
    }

    private func makeUser(_ server: MongoTestServer, roles: BSONValue) async throws {
        try await server.command(
            ["createUser": "anna", "pwd": "s3cret/@:%word", "roles": roles],
            on: self.database
        )
    }

    @Test func partsLogInToTheirOwnDatabase() async throws {
        let server = try await MongoTestServer.shared(.replicaSetWithUsers)
        try await self.makeUser(server, roles: ["read"])
        try await server.insert([["state": "waiting"]], into: "videos", of: self.database)
        let trigger = try await self.fixture.open(self.parts(server, password: "s3cret/@:%word"))
        #expect(try await self.fixture.reading(trigger).waiting == 1)
        #expect(trigger.opened.push == .available)
        // The role `read` is enough for pushing as well.
        try await trigger.wakes.reach(1)
        await self.fixture.plugin.close(trigger.handle)
    }

    @Test func wrongPasswordIsUnauthenticatedAndNotShown() async throws {
        let server = try await MongoTestServer.shared(.replicaSetWithUsers)
        try await self.makeUser(server, roles: ["read"])
        let failure = await #expect(throws: PluginFailure.self) {
            try await self.fixture.open(self.parts(server, password: "wr0ng/passw@rd"))
        }
        #expect(failure?.code == .unauthenticated)
        #expect(failure?.message.contains("wr0ng") == false)
    }

    @Test func missingRoleIsPermissionDenied() async throws {
        let server = try await MongoTestServer.shared(.replicaSetWithUsers)
        try await self.makeUser(server, roles: [["role": "read", "db": "elsewhere"]])
        let failure = await #expect(throws: PluginFailure.self) {
            try await self.fixture.open(self.parts(server, password: "s3cret/@:%word"))
        }
        #expect(failure?.code == .permissionDenied)
    }

    @Test func unusableURIIsInvalidAndNotShown() async throws {
        var parameters = ["dbName": "a", "collection": "b", "query": #"{"c":1}"#, "queryValue": "1"]
        for uri in ["nonsense", "mongodb://anna:s3cret%zz@localhost", "mongodb://anna:s3cret@localhost:port/x"] {
            parameters["connectionString"] = uri
            let failure = await #expect(throws: PluginFailure.self) { try await self.fixture.open(parameters) }
            #expect(failure?.code == .invalidParameter)
            #expect(failure?.parameter == "connectionString")
            #expect(failure?.message.contains("s3cret") == false, "\(failure?.message ?? "")")
        }
    }
}
