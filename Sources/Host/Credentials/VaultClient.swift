internal import FoundationEssentials
internal import HTTP
internal import Kubernetes

/// Reads from Vault servers, and keeps the tokens that it logs in with.
actor VaultClient {
    private static let mostSessions = 256

    private let engines: HTTPEngines
    private let tokens: ServiceAccountTokens
    private let settings: CredentialFetcher.Settings
    private var sessions: [VaultLogin: VaultSession] = [:]

    init(engines: HTTPEngines, tokens: ServiceAccountTokens, settings: CredentialFetcher.Settings) {
        self.engines = engines
        self.tokens = tokens
        self.settings = settings
    }

    func read(_ request: VaultRequest) async throws(CredentialFailure) -> FetchedCredential {
        let session = try await self.session(request.login)
        var answer = try await self.send(Self.readRequest(request), request.login, token: session.token)
        if answer.status == 403, session.canLogIn {
            // The token may have been revoked; another one tells.
            self.sessions[request.login] = nil
            let other = try await self.session(request.login)
            answer = try await self.send(Self.readRequest(request), request.login, token: other.token)
        }
        let subject = CredentialRequest.vault(request).description
        guard answer.status / 100 == 2 else {
            if answer.status == 404 {
                throw CredentialFailure("\(subject) does not exist; create it, or correct the path", isRefusal: true)
            }
            throw self.failure(answer, subject, hiding: [session.token])
        }
        let renewWithin = self.sessions[request.login]?.renewWithin(at: .now)
        return try VaultAnswer(answer.body).credential(request.kind, subject, renewWithin: renewWithin)
    }

    private static func readRequest(_ request: VaultRequest) -> (HTTPRequest.Method, String, JSONValue?) {
        guard case .certificate(let data) = request.kind else { return (.get, request.path, nil) }
        return (.put, request.path, .object(data.mapValues(JSONValue.string)))
    }

    // MARK: - Sessions

    private func session(_ login: VaultLogin) async throws(CredentialFailure) -> VaultSession {
        let known = self.sessions[login]
        switch known?.step(at: .now) {
        case .use: if let known { return known }
        case .renew:
            if let known {
                let renewed = await self.renewed(known, login)
                self.sessions[login] = renewed
                return renewed
            }
        case .logIn, nil: break
        }
        let session: VaultSession
        switch login.method {
        case .token(let token): session = try await self.adopt(token, login)
        case .kubernetes(let role, let mount, let identity):
            session = try await self.logIn(login, role: role, mount: mount, identity)
        }
        if self.sessions.count >= Self.mostSessions {
            self.sessions = self.sessions.filter { $0.value.step(at: .now) != .logIn }
            if self.sessions.count >= Self.mostSessions { self.sessions = [:] }
        }
        self.sessions[login] = session
        return session
    }

    /// Takes a token that somebody else made, and asks how long it lives.
    private func adopt(_ token: String, _ login: VaultLogin) async throws(CredentialFailure) -> VaultSession {
        let token = token.filter { !$0.isWhitespace }
        guard !token.isEmpty, SecretsManagerClient.isHeaderText(token) else {
            throw CredentialFailure("the token for the Vault at \(login.address) is not a token", isRefusal: true)
        }
        var session = VaultSession(
            token: token,
            lifetime: nil,
            startedAt: .now,
            isRenewable: false,
            canLogIn: false
        )
        let answer = try await self.send((.get, "auth/token/lookup-self", nil), login, token: token)
        // A token that may not look at itself may still be good for reading.
        guard answer.status == 200 else {
            if answer.status == 403 { return session }
            throw self.failure(answer, "the Vault at \(login.address)", hiding: [token])
        }
        let data = (try? JSONValue(parsing: answer.body))?["data"]
        if let seconds = data?["ttl"]?.integerValue, seconds > 0 { session.lifetime = .seconds(seconds) }
        session.isRenewable = data?["renewable"] == true
        return session
    }

    private func renewed(_ session: VaultSession, _ login: VaultLogin) async -> VaultSession {
        var session = session
        let answer = try? await self.send(
            (.put, "auth/token/renew-self", .object([:])),
            login,
            token: session.token
        )
        guard let answer, answer.status == 200,
            let auth = (try? JSONValue(parsing: answer.body))?["auth"],
            let seconds = auth["lease_duration"]?.integerValue, seconds > 0
        else {
            // It is good until its end; then another one is needed.
            if answer?.isRefusal == true { session.isRenewable = false }
            return session
        }
        session.startedAt = .now
        session.lifetime = .seconds(seconds)
        session.isRenewable = auth["renewable"] == true
        return session
    }

    private func logIn(
        _ login: VaultLogin,
        role: String,
        mount: String,
        _ identity: VaultLogin.Identity
    ) async throws(CredentialFailure) -> VaultSession {
        let token: String
        switch identity {
        case .serviceAccount(let request):
            token = try await self.tokens.issue(request).values[CredentialRequest.tokenKey] ?? ""
        case .file(let path):
            token = try ServiceAccountTokenFile(path: path).read()
        }
        let answer = try await self.send(
            (.put, "auth/\(mount)/login", ["role": .string(role), "jwt": .string(token)]),
            login,
            token: nil
        )
        let subject = "the login at the Vault at \(login.address) as role \"\(role)\""
        guard answer.status == 200 else { throw self.failure(answer, subject, hiding: [token]) }
        let auth = (try? JSONValue(parsing: answer.body))?["auth"]
        guard let client = auth?["client_token"]?.stringValue, SecretsManagerClient.isHeaderText(client) else {
            throw CredentialFailure("\(subject) gave no token", isRefusal: false)
        }
        let seconds = auth?["lease_duration"]?.integerValue ?? 0
        return VaultSession(
            token: client,
            lifetime: seconds > 0 ? .seconds(seconds) : nil,
            startedAt: .now,
            isRenewable: auth?["renewable"] == true,
            canLogIn: true
        )
    }

    // MARK: - Requests

    private func send(
        _ call: (method: HTTPRequest.Method, path: String, body: JSONValue?),
        _ login: VaultLogin,
        token: String?
    ) async throws(CredentialFailure) -> HTTPAnswer {
        var headers = ["Accept: application/json", "X-Vault-Request: true"]
        if let token { headers.append("X-Vault-Token: \(token)") }
        if let namespace = login.namespace {
            guard SecretsManagerClient.isHeaderText(namespace) else {
                throw CredentialFailure("the namespace \"\(namespace)\" is not one of Vault", isRefusal: true)
            }
            headers.append("X-Vault-Namespace: \(namespace)")
        }
        if call.body != nil { headers.append("Content-Type: application/json") }
        return try await self.engines.answer(
            from: login.address,
            authority: self.settings.vaultAuthority,
            to: HTTPRequest(
                call.method,
                "/v1/\(PercentEncoding.path(call.path))",
                headers: headers,
                body: call.body.flatMap { try? $0.encoded() },
                timeout: self.settings.timeout
            )
        )
    }

    /// What the server says is shown, but never what it was sent.
    private func failure(_ answer: HTTPAnswer, _ subject: String, hiding secrets: [String]) -> CredentialFailure {
        let errors = (try? JSONValue(parsing: answer.body))?["errors"]?.arrayValue ?? []
        let words = errors.first?.stringValue.map { ServerWords.shown($0, hiding: secrets) } ?? ""
        // A sealed or standby server answers 4xx and 5xx of its own kind; only these are about the request.
        let isRefusal = [400, 403, 404, 405, 422].contains(answer.status)
        let said = words.isEmpty ? "status \(answer.status)" : "status \(answer.status): \(words)"
        return CredentialFailure("\(subject) is refused (\(said))", isRefusal: isRefusal, retryAfter: answer.retryAfter)
    }
}
