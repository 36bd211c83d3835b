import FoundationEssentials
import MongoTestServer
import PluginProtocol
import Subprocess
import SystemPackage
import Testing

@testable import MongoDBPlugin

/// A server that demands TLS and a certificate of the client.
@Suite struct TLSTests {
    private let database = uniqueDatabase()
    private let fixture = PluginFixture()

    /// An authority, a server's certificate, and a client's with an encrypted key.
    private static let makeCertificates = """
        set -e
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout server.key -out server.csr
        printf 'subjectAltName=IP:127.0.0.1' > server.ext
        openssl x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile server.ext -out server.crt
        cat server.crt server.key > server.pem
        openssl req -newkey rsa:2048 -passout pass:s3cret -subj /CN=client -keyout client.key -out client.csr
        openssl x509 -req -days 2 -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out client.crt
        mkdir data
        """

    @Test func materialFromParametersIsUsed() async throws {
        let directory = "/tmp/sluice-tls-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let made = try await run(
            .path("/bin/sh"),
            arguments: ["-c", Self.makeCertificates],
            workingDirectory: FilePath(directory),
            output: .discarded,
            error: .string(limit: 1 << 16)
        )
        try #require(made.terminationStatus.isSuccess, "\(made.standardError)")
        let port = try MongoTestServer.freePort()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var options = PlatformOptions()
                options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
                _ = try await run(
                    .path(FilePath(try await MongoTestServer.program())),
                    arguments: [
                        "--dbpath", "data", "--port", "\(port)", "--bind_ip", "127.0.0.1", "--nounixsocket",
                        "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", "server.pem", "--tlsCAFile", "ca.pem",
                    ],
                    workingDirectory: FilePath(directory),
                    platformOptions: options,
                    output: .discarded,
                    error: .discarded
                )
            }
            try await self.check(port: port, directory: directory)
            group.cancelAll()
        }
    }

    private func check(port: Int, directory: String) async throws {
        func text(_ file: String) throws -> String {
            try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)
        }
        let plain = [
            "connectionString": "mongodb://127.0.0.1:\(port)", "dbName": self.database, "collection": "videos",
            "query": #"{"state":"waiting"}"#, "queryValue": "1",
        ]
        let material = try plain.merging([
            "tls": "enable", "ca": text("ca.pem"), "cert": text("client.crt"), "key": text("client.key"),
            "keyPassword": "s3cret",
        ]) { $1 }
        try await eventually("the server answers over TLS") {
            guard let trigger = try? await self.fixture.open(material) else { return false }
            let waiting = try await self.fixture.reading(trigger).waiting
            #expect(waiting == 0)
            await self.fixture.plugin.close(trigger.handle)
            return true
        }
        for unfit in [
            plain, material.filter { $0.key != "ca" }, material.filter { !["cert", "key"].contains($0.key) },
        ] {
            let failure = await #expect(throws: PluginFailure.self) { try await self.fixture.open(unfit) }
            #expect(failure?.code == .unavailable)
        }
    }
}
