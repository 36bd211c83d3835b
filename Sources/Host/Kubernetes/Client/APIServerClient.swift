internal import HTTP

/// The Kubernetes API over HTTP.
///
/// A create may be answered `alreadyExists` although this very call made the object: where a connection dies before the
/// first byte of the answer, the request is sent once more. Names are chosen by the caller, so it can look whose it is.
package final class APIServerClient: KubernetesAPI {
    private let engines: Engines
    private let credentials: any CredentialSource

    package convenience init(_ configuration: ClientConfiguration) throws(KubernetesError) {
        var endpoint = HTTPEndpoint(address: configuration.server)
        endpoint.certificateAuthority = configuration.certificateAuthority
        endpoint.verifiesServer = configuration.verifiesServer
        endpoint.serverName = configuration.serverName
        endpoint.proxy = configuration.proxy
        endpoint.allowsPlainHTTP = configuration.allowsPlainHTTP
        try self.init(endpoint, credentials: configuration.credentials)
    }

    init(_ endpoint: HTTPEndpoint, credentials: any CredentialSource) throws(KubernetesError) {
        guard let engines = Engines(endpoint) else {
            throw KubernetesError(.configuration, "\(endpoint.address) is not the https address of an API server")
        }
        self.engines = engines
        self.credentials = credentials
    }

    package func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        guard request.fence?.stands != false else { throw .fenced }
        let deadline = ContinuousClock.now + request.timeout
        let credential = try await self.credentials.credential(by: deadline)
        var answer = try await self.answer(to: request, with: credential, by: deadline)
        if answer.status == 401, let other = try await self.another(than: credential, by: deadline) {
            answer = try await self.answer(to: request, with: other, by: deadline)
        }
        guard answer.status / 100 == 2 else { throw KubernetesError(answer, for: request) }
        return answer.body
    }

    package func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        let deadline = ContinuousClock.now + request.timeout
        let credential = try await self.credentials.credential(by: deadline)
        var streaming = try await self.stream(request, with: credential, by: deadline)
        if case .answer(let answer) = streaming, answer.status == 401,
            let other = try await self.another(than: credential, by: deadline)
        {
            streaming = try await self.stream(request, with: other, by: deadline)
        }
        switch streaming {
        case .answer(let answer):
            // A 2xx without a body that ended at once is a watch that ended at once.
            guard answer.status / 100 == 2 else { throw KubernetesError(answer, for: request) }
            return WatchStream { () throws(KubernetesError) in nil }
        case .lines(let lines):
            return WatchStream { () async throws(KubernetesError) in
                do throws(TransferFailure) {
                    return try await lines.next()
                } catch {
                    throw KubernetesError(error, for: request)
                }
            }
        }
    }

    /// Nil when the server's refusal is final.
    private func another(
        than refused: Credential,
        by deadline: ContinuousClock.Instant
    ) async throws(KubernetesError) -> Credential? {
        let other = try await self.credentials.credential(afterRefusalOf: refused, by: deadline)
        return other == refused ? nil : other
    }

    private func answer(
        to request: APIRequest,
        with credential: Credential,
        by deadline: ContinuousClock.Instant
    ) async throws(KubernetesError) -> HTTPAnswer {
        let engine = request.lane == .lease ? self.engines.leases : self.engines.calls
        let http = try Self.httpRequest(request, credential, by: deadline)
        do throws(TransferFailure) {
            return try await engine.answer(to: http)
        } catch {
            throw KubernetesError(error, for: request)
        }
    }

    private func stream(
        _ request: APIRequest,
        with credential: Credential,
        by deadline: ContinuousClock.Instant
    ) async throws(KubernetesError) -> HTTPStreaming {
        var http = try Self.httpRequest(request, credential, by: deadline)
        // The server ends a watch after the time it was asked for; should it not, this does.
        let asked = request.query.first { $0.name == "timeoutSeconds" }.flatMap { Int($0.value) }
        http.streamTimeout = .seconds(min(max(asked ?? 3600, 0), 86_400) + 60)
        do throws(TransferFailure) {
            return try await self.engines.watches.stream(http)
        } catch {
            throw KubernetesError(error, for: request)
        }
    }

    /// Credentials and attempts share the one timeout that the request has.
    private static func httpRequest(
        _ request: APIRequest,
        _ credential: Credential,
        by deadline: ContinuousClock.Instant
    ) throws(KubernetesError) -> HTTPRequest {
        let left = deadline - .now
        guard left > .zero else { throw .noCredentialInTime }
        var http = HTTPRequest(
            request.httpMethod,
            request.target,
            headers: request.headers(token: credential.token),
            body: request.body,
            timeout: left,
            identity: credential.identity
        )
        if let fence = request.fence { http.fence = { fence.deadline } }
        return http
    }
}
