internal import FoundationEssentials
internal import HTTP
internal import NIOConcurrencyHelpers

/// One HTTP engine for each server in use, so that they cannot hold each other up.
final class HTTPEngines: Sendable {
    private struct Key: Hashable {
        let address: String
        let authority: [UInt8]?
    }

    private struct State {
        var engines: [Key: CurlEngine] = [:]
        /// Those used last come last.
        var order: [Key] = []
    }

    /// The most servers that are kept; what is beyond is connected to anew.
    private static let most = 32

    private let state = NIOLockedValueBox(State())

    /// Sends a request to a server, which is trusted by the system's certificates or by those in a file.
    func answer(
        from address: String,
        authority path: String?,
        to request: HTTPRequest
    ) async throws(CredentialFailure) -> HTTPAnswer {
        let engine = try self.engine(address, authority: path)
        do throws(TransferFailure) {
            return try await engine.answer(to: request)
        } catch {
            switch error.reason {
            case .untrusted:
                throw CredentialFailure("the certificate of \(address) is not trusted", isRefusal: false)
            case .timedOut: throw CredentialFailure("\(address) does not answer; it is tried again", isRefusal: false)
            case .misconfigured, .malformed:
                throw CredentialFailure("\(address) cannot be talked to as an HTTP server", isRefusal: false)
            case .unreachable, .cancelled:
                throw CredentialFailure("\(address) cannot be reached; it is tried again", isRefusal: false)
            }
        }
    }

    private func engine(_ address: String, authority path: String?) throws(CredentialFailure) -> CurlEngine {
        var authority: [UInt8]?
        if let path {
            guard let bytes = FileManager.default.contents(atPath: path) else {
                throw CredentialFailure("the certificates in \(path) cannot be read", isRefusal: false)
            }
            authority = Array(bytes)
        }
        let key = Key(address: address, authority: authority)
        let engine = self.state.withLockedValue { state -> CurlEngine? in
            state.order.removeAll { $0 == key }
            if state.engines[key] == nil {
                var endpoint = HTTPEndpoint(address: address)
                endpoint.certificateAuthority = authority
                endpoint.allowsPlainHTTP = address.hasPrefix("http://")
                endpoint.limits.answerBytes = 1 << 20
                endpoint.limits.connections = 8
                endpoint.limits.idleConnections = 1
                endpoint.limits.connectTimeout = .seconds(5)
                state.engines[key] = CurlEngine(endpoint)
            }
            guard let engine = state.engines[key] else { return nil }
            state.order.append(key)
            if state.order.count > Self.most { state.engines[state.order.removeFirst()] = nil }
            return engine
        }
        guard let engine else {
            throw CredentialFailure(
                "\(address) is not an address; write one such as https://host:8200",
                isRefusal: true
            )
        }
        return engine
    }
}

extension HTTPAnswer {
    /// Whether the server said no, rather than that it could not say.
    var isRefusal: Bool { self.status / 100 == 4 && self.status != 408 && self.status != 429 }
}

/// Words of a server, made fit to be shown.
enum ServerWords {
    /// Without the secrets that were sent, and without what looks like one.
    static func shown(_ text: String, hiding secrets: [String]) -> String {
        var text = text
        for secret in secrets where secret.utf8.count > 3 { text = text.replacing(secret, with: "…") }
        let words = text.split(whereSeparator: \.isWhitespace).map { word in
            Self.looksSecret(word) ? "…" : String(word)
        }
        let shown = words.joined(separator: " ").unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }
        return String(String(String.UnicodeScalarView(shown)).prefix(300))
    }

    private static func looksSecret(_ word: Substring) -> Bool {
        ["hvs.", "hvb.", "s.", "eyJ"].contains { prefix in
            guard let start = word.ranges(of: prefix).first?.lowerBound else { return false }
            return word[start...].count > 20
        }
    }
}

/// Text in the path of a URL.
enum PathText {
    /// Slashes stay as they are; everything else that could mean something is percent-encoded.
    static func encoded(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: true).map { segment in
            if segment == "." || segment == ".." { return String(repeating: "%2E", count: segment.count) }
            var encoded = ""
            for byte in segment.utf8 {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"):
                    encoded.unicodeScalars.append(Unicode.Scalar(byte))
                default:
                    let digits = String(byte, radix: 16, uppercase: true)
                    encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
                }
            }
            return encoded
        }
        .joined(separator: "/")
    }
}
