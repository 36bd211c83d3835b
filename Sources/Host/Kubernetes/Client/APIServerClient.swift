internal import HTTP

/// The Kubernetes API over HTTP.
///
/// A create may be answered `alreadyExists` although this very call made the object: where a connection dies before the
/// first byte of the answer, the request is sent once more. Names are chosen by the caller, so it can look whose it is.
package final class APIServerClient: KubernetesAPI {
    private let engine: CurlEngine
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
        guard let engine = CurlEngine(endpoint) else {
            throw KubernetesError(.configuration, "\(endpoint.address) is not the https address of an API server")
        }
        self.engine = engine
        self.credentials = credentials
    }

    package func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        let credential = try await self.credentials.credential()
        var answer = try await self.answer(to: request, with: credential)
        if answer.status == 401, let other = try await self.another(than: credential) {
            answer = try await self.answer(to: request, with: other)
        }
        guard answer.status / 100 == 2 else { throw KubernetesError(answer, for: request) }
        return answer.body
    }

    package func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        let credential = try await self.credentials.credential()
        var streaming = try await self.stream(request, with: credential)
        if case .answer(let answer) = streaming, answer.status == 401,
            let other = try await self.another(than: credential)
        {
            streaming = try await self.stream(request, with: other)
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
    private func another(than refused: Credential) async throws(KubernetesError) -> Credential? {
        let other = try await self.credentials.credential(afterRefusalOf: refused)
        return other == refused ? nil : other
    }

    private func answer(
        to request: APIRequest,
        with credential: Credential
    ) async throws(KubernetesError) -> HTTPAnswer {
        do throws(TransferFailure) {
            return try await self.engine.answer(to: Self.httpRequest(request, credential))
        } catch {
            throw KubernetesError(error, for: request)
        }
    }

    private func stream(
        _ request: APIRequest,
        with credential: Credential
    ) async throws(KubernetesError) -> HTTPStreaming {
        var http = Self.httpRequest(request, credential)
        // The server ends a watch after the time it was asked for; should it not, this does.
        let asked = request.query.first { $0.name == "timeoutSeconds" }.flatMap { Int($0.value) }
        http.streamTimeout = .seconds(min(max(asked ?? 3600, 0), 86_400) + 60)
        do throws(TransferFailure) {
            return try await self.engine.stream(http)
        } catch {
            throw KubernetesError(error, for: request)
        }
    }

    private static func httpRequest(_ request: APIRequest, _ credential: Credential) -> HTTPRequest {
        HTTPRequest(
            request.httpMethod,
            request.target,
            headers: request.headers(token: credential.token),
            body: request.body,
            timeout: request.timeout,
            identity: credential.identity
        )
    }
}
