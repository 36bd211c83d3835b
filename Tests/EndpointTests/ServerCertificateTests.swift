import Endpoints
import Foundation
import Subprocess
import Testing

@Suite(.timeLimit(.minutes(2))) struct ServerCertificateTests {
    /// A folder with a fresh pair for `localhost`, made by openssl.
    private static func makePair(in folder: String, _ name: String = "tls") async throws {
        let result = try await run(
            .name("openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).crt",
            ],
            output: .discarded,
            error: .string(limit: 1 << 16)
        )
        #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
    }

    private static func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "\(NSTemporaryDirectory())sluice-certificate-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private static func replace(_ folder: String, _ name: String, with other: String) throws {
        let file = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(other)"))
        try file.write(to: URL(fileURLWithPath: "\(folder)/\(name)"), options: .atomic)
    }

    /// Asks on a new connection, which trusts this certificate only, until the server shows it.
    private static func eventuallyAnswers(_ port: Int, trusting certificate: String) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let client = try await RawClient(port: port, trusting: certificate)
            try? await client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            if await client.receiveToTheEnd().contains("200 OK") { return true }
        }
        return false
    }

    @Test func aChangedPairServesNewConnectionsAndKeepsOldOnes() async throws {
        try await Self.withFolder { folder in
            try await Self.makePair(in: folder)
            try Self.replace(folder, "first.crt", with: "tls.crt")
            try await Self.makePair(in: folder, "second")
            let certificate = ServerCertificate(folder: folder, pause: .milliseconds(5), logger: .quiet)
            try await Serving.with(certificate: certificate, answer: { .text("at \($0.path)") }) { port in
                let old = try await RawClient(port: port, trusting: "\(folder)/first.crt")
                try await old.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(await old.receive(until: "at /1\n").contains("200 OK"))

                // A key that does not fit the certificate changes nothing.
                try Self.replace(folder, "tls.key", with: "second.key")
                #expect(try await Self.eventuallyAnswers(port, trusting: "\(folder)/first.crt"))

                try Self.replace(folder, "tls.crt", with: "second.crt")
                #expect(try await Self.eventuallyAnswers(port, trusting: "\(folder)/second.crt"))
                try await old.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(await old.receive(until: "at /2\n").hasSuffix("at /2\n"))
                try await old.close()
            }
        }
    }

    @Test func connectionsAreTurnedAwayUntilThereIsAPair() async throws {
        try await Self.withFolder { folder in
            let certificate = ServerCertificate(folder: folder, pause: .milliseconds(5), logger: .quiet)
            try await Serving.with(certificate: certificate, answer: { _ in .text("served") }) { port in
                let early = try await RawClient(port: port)
                #expect(await early.receiveToTheEnd() == "(closed)")
                try await Self.makePair(in: folder)
                #expect(try await Self.eventuallyAnswers(port, trusting: "\(folder)/tls.crt"))
            }
        }
    }
}
