import Foundation
import Kubernetes
import MongoDB
import MongoTestServer
import Testing

extension WholeHostTests {
    /// A Secret that appears or changes reaches the plugin by itself, and its value nobody else.
    @Suite struct SecretTests {
        @Test func aSecretIsAwaitedReadAndFollowed() async throws {
            let server = try await MongoTestServer.shared(.replicaSetWithUsers)
            let database = "media_\(UInt32.random(in: 0...UInt32.max))"
            func makeUser(_ name: String, _ password: String) async throws {
                try await server.command(
                    ["createUser": .string(name), "pwd": .string(password), "roles": ["read"]],
                    on: database
                )
            }
            @Sendable func connection(_ name: String, _ password: String) -> JSONValue {
                .string(server.uri(username: name, password: password, source: database))
            }
            try await makeUser("anna", "hunter2-anna")
            try await makeUser("bert", "hunter2-bert")
            let waiting: BSONDocument = ["state": "waiting"]
            try await server.insert([waiting, waiting], into: "videos", of: database)

            try await HostFixture.with { fixture in
                let trigger = Manifests.mongodb(Manifests.query(of: database), authentication: "media")
                try await fixture.create(
                    .triggerAuthentications,
                    Manifests.authentication("media", secret: "connection")
                )
                try await fixture.create(
                    .scaledJobs,
                    Manifests.scaledJob("videos", triggers: [trigger], ["pollingInterval": 2])
                )
                let host = try fixture.startHost(plugins: ["sluice-plugin-mongodb"])
                var said = try await fixture.condition("Ready", of: "videos") { $0.status == "False" }.message
                #expect(said.contains("/connection does not exist"))

                try await fixture.create(.secrets, Manifests.secret("connection", ["other": "hunter2-other"]))
                said += try await fixture.condition("Ready", of: "videos") { $0.message.contains("no key") }.message

                try await fixture.patch(
                    .secrets,
                    "connection",
                    ["stringData": ["connect": connection("anna", "hunter2-wrong")]]
                )
                said += try await fixture.condition("Ready", of: "videos") { $0.message.contains("plugin mongodb") }
                    .message
                #expect(fixture.jobs.all(of: "videos").isEmpty)

                try await fixture.patch(
                    .secrets,
                    "connection",
                    ["stringData": ["connect": connection("anna", "hunter2-anna")]]
                )
                try await fixture.jobs.created(2, of: "videos", within: .seconds(10))
                try await fixture.isReady("videos")

                // Anna goes: what was open with her name is of no use any more.
                try await server.command(["dropUser": "anna"], on: database)
                said += try await fixture.condition("Ready", of: "videos") { $0.status != "True" }.message
                try await server.insert([waiting], into: "videos", of: database)
                try await fixture.patch(
                    .secrets,
                    "connection",
                    ["stringData": ["connect": connection("bert", "hunter2-bert")]]
                )
                try await fixture.jobs.created(3, of: "videos", within: .seconds(10))
                try await fixture.isReady("videos")
                #expect(fixture.jobs.all(of: "videos").count == 3)

                said += host.log + (try await fixture.kubectl("get", "scaledjobs,events", "-o", "yaml"))
                #expect(!said.contains("hunter2"), "a secret was shown")
            }
        }
    }
}
