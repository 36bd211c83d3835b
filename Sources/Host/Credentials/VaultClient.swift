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
    /// The logins and renewals under way: one for everyone who waits for it.
    private var logins: [VaultLogin: Task<Result<VaultSession, CredentialFailure>, Never>] = [:]

    /// A token that came of a login so lately is not the reason for a refusal.
    private static let leastBetweenLogins = Duration.seconds(10)

    init(engines: HTTPEngines, tokens: ServiceAccountTokens, settings: CredentialFetcher.Settings) {
        self.engines = engines
        self.tokens = tokens
        self.settings = settings
    }

    func read(_ request: VaultRequest) async throws(CredentialFailure) -> FetchedCredential {
        var session = try await self.session(request.login)
        var answer = try await self.send(Self.readRequest(request), request.login, token: session.token)
        if answer.status == 403, session.canLogIn, await self.isOver(session, request.login) {
            if self.sessions[request.login]?.token == session.token { self.sessions[request.login] = nil }
            session = try await self.session(request.login)
            answer = try await self.send(Self.readRequest(request), request.login, token: session.token)
        }
        let subject = CredentialRequest.vault(request).description
        guard answer.status / 100 == 2 else {
            if answer.status == 404 {
                throw CredentialFailure("\(subject) does not exist; create it, or correct the path", isRefusal: true)
            }
            throw self.failure(answer, subject, hiding: [session.token])
        }
        return try VaultAnswer(answer.body).credential(request.kind, subject) { isLeased in
            session.renewWithin(at: .now, isLeased: isLeased)
        }
    }

    /// Whether the token has been revoked, rather than not being allowed to read one path.
    private func isOver(_ session: VaultSession, _ login: VaultLogin) async -> Bool {
        guard self.sessions[login]?.token == session.token else { return true }
        if let loggedInAt = session.loggedInAt, .now - loggedInAt < Self.leastBetweenLogins { return false }
        let answer = try? await self.send((.get, "auth/token/lookup-self", nil), login, token: session.token)
        return answer?.status == 403
    }

    private static func readRequest(_ request: VaultRequest) -> (HTTPRequest.Method, String, JSONValue?) {
        guard case .certificate(let data) = request.kind else { return (.get, request.path, nil) }
        return (.put, request.path, .object(data.mapValues(JSONValue.string)))
    }

    // MARK: - Sessions

    private func session(_ login: VaultLogin) async throws(CredentialFailure) -> VaultSession {
        let known = self.sessions[login]
        let step = known?.step(at: .now)
        if let known, step == .use { return known }
        // Unowned on purpose: none of those who wait may end it for the others. Its calls have deadlines.
        let task =
            self.logins[login] ?? Task { await self.establish(login, renewing: step == .renew ? known : nil) }
        self.logins[login] = task
        return try await task.value.get()
    }

    private func establish(
        _ login: VaultLogin,
        renewing known: VaultSession?
    ) async -> Result<VaultSession, CredentialFailure> {
        defer { self.logins[login] = nil }
        do throws(CredentialFailure) {
            let session: VaultSession
            if let known {
                session = await self.renewed(known, login)
            } else {
                switch login.method {
                case .token(let token): session = try await self.adopt(token, login)
                case .kubernetes(let role, let mount, let identity):
                    session = try await self.logIn(login, role: role, mount: mount, identity)
                }
            }
            self.keep(session, for: login)
            return .success(session)
        } catch {
            return .failure(error)
        }
    }

    private func keep(_ session: VaultSession, for login: VaultLogin) {
        if self.sessions.count >= Self.mostSessions {
            self.sessions = self.sessions.filter { $0.value.step(at: .now) != .logIn }
            if self.sessions.count >= Self.mostSessions { self.sessions = [:] }
        }
        self.sessions[login] = session
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
        // Near the end of all renewals each gives less; a login gives the whole time again.
        let isWaning = session.canLogIn && session.lifetime.map { .seconds(seconds) < $0 / 2 } ?? false
        session.startedAt = .now
        session.lifetime = .seconds(seconds)
        session.isRenewable = auth["renewable"] == true && !isWaning
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
            canLogIn: true,
            loggedInAt: .now
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
