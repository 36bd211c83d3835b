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
            case .unreachable, .cancelled, .fenced:
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
