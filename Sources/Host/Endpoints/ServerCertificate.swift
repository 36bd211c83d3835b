package import Logging
internal import NIOConcurrencyHelpers
internal import NIOSSL

/// The certificate of a server, read from `tls.crt` and `tls.key` of a folder, and again when they change.
///
/// Connections keep what they began with. A pair that cannot be used is passed over, said once, and tried again: files
/// that are being replaced need not fit together at every moment.
package final class ServerCertificate: Sendable {
    private struct Pair {
        var certificates: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey
        var context: NIOSSLContext
    }

    private struct State {
        var pair: Pair?
        var complaint: String?
    }

    private let folder: String
    private let pause: Duration
    private let logger: Logger
    private let state = NIOLockedValueBox(State())

    /// Reads the folder at once, then every `pause` while ``run()`` runs.
    package init(folder: String, pause: Duration = .seconds(5), logger: Logger) {
        self.folder = folder
        self.pause = pause
        self.logger = logger
        self.read()
    }

    /// For the next connection; nil while no usable pair was seen.
    var context: NIOSSLContext? { self.state.withLockedValue { $0.pair?.context } }

    func run() async {
        while (try? await Task.sleep(for: self.pause)) != nil { self.read() }
    }

    private func read() {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile("\(self.folder)/tls.crt")
            let key = try NIOSSLPrivateKey(file: "\(self.folder)/tls.key", format: .pem)
            let isNew = self.state.withLockedValue { state in
                state.pair?.certificates != certificates || state.pair?.key != key
            }
            guard isNew else { return self.state.withLockedValue { $0.complaint = nil } }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) },
                privateKey: .privateKey(key)
            )
            configuration.minimumTLSVersion = .tlsv12
            let context = try NIOSSLContext(configuration: configuration)
            self.state.withLockedValue { state in
                state.pair = Pair(certificates: certificates, key: key, context: context)
                state.complaint = nil
            }
            self.logger.info("certificate in use", metadata: ["folder": "\(self.folder)"])
        } catch {
            let complaint = "\(error)"
            let (isNews, isUseless) = self.state.withLockedValue { state in
                defer { state.complaint = complaint }
                return (state.complaint != complaint, state.pair == nil)
            }
            guard isNews else { return }
            self.logger.warning(
                isUseless
                    ? "no certificate: connections are turned away until tls.crt and tls.key can be used"
                    : "the new certificate cannot be used; the old one stays",
                metadata: ["folder": "\(self.folder)", "error": "\(complaint)"]
            )
        }
    }
}
