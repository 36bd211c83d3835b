import Foundation

/// A certificate authority of a test and the certificate of its webhook, for 127.0.0.1, both made by openssl.
struct WebhookCertificate: Sendable {
    /// Where the host reads `tls.crt` and `tls.key`.
    let folder: String

    init(in folder: String) async throws {
        self.folder = "\(folder)/webhook"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try await Self.openssl(["req", "-x509", "-days", "1", "-subj", "/CN=authority"] + self.newKey("ca", "ca.crt"))
        try await self.issue(serial: 1)
    }

    /// The authority in the form of `caBundle`.
    var bundle: String {
        get throws { try Data(contentsOf: URL(fileURLWithPath: "\(self.folder)/ca.crt")).base64EncodedString() }
    }

    /// Puts a new certificate and key into the place of the ones before.
    func issue(serial: Int) async throws {
        let extensions = "\(self.folder)/extensions"
        try "subjectAltName=IP:127.0.0.1".write(toFile: extensions, atomically: true, encoding: .utf8)
        try await Self.openssl(["req", "-subj", "/CN=webhook"] + self.newKey("new", "new.csr"))
        try await Self.openssl([
            "x509", "-req", "-days", "1", "-set_serial", "\(serial)", "-in", "\(self.folder)/new.csr",
            "-CA", "\(self.folder)/ca.crt", "-CAkey", "\(self.folder)/ca.key", "-extfile", extensions,
            "-out", "\(self.folder)/new.crt",
        ])
        for suffix in ["key", "crt"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(self.folder)/new.\(suffix)"))
            try bytes.write(to: URL(fileURLWithPath: "\(self.folder)/tls.\(suffix)"), options: .atomic)
        }
    }

    /// The serial number of the certificate that a server shows, once it is trusted.
    func serial(at port: Int) async throws -> Int? {
        let log = "\(self.folder)/shown-\(UUID().uuidString)"
        let process = try ChildProcess(
            "/usr/bin/env",
            [
                "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", "\(self.folder)/ca.crt",
                "-verify_return_error", "-showcerts",
            ],
            logFile: log
        )
        try await eventually("the end of openssl", within: .seconds(20)) { process.hasEnded }
        let shown = "\(self.folder)/shown.pem"
        guard let begin = process.log.range(of: "-----BEGIN CERTIFICATE-----"),
            let end = process.log.range(of: "-----END CERTIFICATE-----")
        else { return nil }
        try String(process.log[begin.lowerBound..<end.upperBound]).write(
            toFile: shown,
            atomically: true,
            encoding: .utf8
        )
        let reader = try ChildProcess(
            "/usr/bin/env",
            ["openssl", "x509", "-in", shown, "-noout", "-serial"],
            logFile: "\(log).serial"
        )
        try await eventually("the end of openssl", within: .seconds(20)) { reader.hasEnded }
        return reader.log.split(separator: "=").last.flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines), radix: 16)
        }
    }

    private func newKey(_ key: String, _ output: String) -> [String] {
        [
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            "\(self.folder)/\(key).key",
            "-out", "\(self.folder)/\(output)",
        ]
    }

    private static func openssl(_ arguments: [String]) async throws {
        try await ChildProcess.run("/usr/bin/env", ["openssl"] + arguments)
    }
}
