import Credentials
import HTTP
import Kubernetes
import Servers
import Standalone
import Testing

/// Against a real server.
@Suite struct VaultTests {
    private let fetcher = CredentialFetcher(api: InProcessCluster())

    private func fetch(
        _ server: VaultServer,
        _ path: String,
        _ kind: VaultRequest.Kind = .detected,
        token: String = "root",
        namespace: String? = nil
    ) async -> Result<FetchedCredential, CredentialFailure> {
        let login = VaultLogin(address: server.address, namespace: namespace, method: .token(token))
        return await self.fetcher.fetch(.vault(VaultRequest(login: login, path: path, kind: kind)))
    }

    private func failure(_ result: Result<FetchedCredential, CredentialFailure>) -> CredentialFailure? {
        if case .failure(let failure) = result { failure } else { nil }
    }

    @Test func bothVersionsOfTheStoreAreReadAndTellThemselvesApart() async throws {
        let server = try await VaultServer.shared
        let first = try await server.mount("kv", options: ["version": "1"])
        let second = try await server.mount("kv", options: ["version": "2"])
        try await server.call(.post, "\(first)/db", ["user": "u1", "n": 7])
        try await server.call(.post, "\(second)/data/db", ["data": ["user": "u2", "list": ["a", "b"]]])
        let one = try await self.fetch(server, "\(first)/db").get()
        #expect(one.values == ["user": "u1", "n": "7"])
        #expect(one.lifetime == nil)
        #expect(!one.isIssued)
        #expect(try await self.fetch(server, "\(first)/db", .version1).get() == one)
        let two = try await self.fetch(server, "\(second)/data/db").get()
        #expect(two.values == ["user": "u2", "list": "a\nb"])
        #expect(try await self.fetch(server, "\(second)/data/db", .version2).get() == two)
        let wrong = self.failure(await self.fetch(server, "\(first)/db", .version2))
        #expect(wrong?.message.contains("is not of version 2") == true)
    }

    @Test func whatIsNotThereOrNotAllowedIsARefusalThatNamesThePath() async throws {
        let server = try await VaultServer.shared
        let store = try await server.mount("kv", options: ["version": "1"])
        let missing = self.failure(await self.fetch(server, "\(store)/nope"))
        #expect(missing?.isRefusal == true)
        #expect(
            missing?.message.contains("path \"\(store)/nope\" of the Vault at \(server.address) does not exist") == true
        )
        let blind = try await server.token(["deny"])
        let denied = self.failure(await self.fetch(server, "\(store)/nope", token: blind))
        #expect(denied?.isRefusal == true)
        #expect(denied?.message.contains("status 403") == true)
        #expect(denied?.message.contains(blind) == false)
        let unknown = self.failure(await self.fetch(server, "\(store)/nope", token: "s.hunter2hunter2hunter2hunter2"))
        #expect(unknown?.message.contains("status 403") == true)
        #expect(unknown?.message.contains("hunter2") == false)
    }

    @Test func aServerThatIsAwayIsNoRefusal() async throws {
        let server = try VaultServer("http://127.0.0.1:1")
        let failure = self.failure(await self.fetch(server, "kv/x"))
        #expect(failure?.isRefusal == false)
        #expect(failure?.message == "http://127.0.0.1:1 cannot be reached; it is tried again")
    }

    @Test func aServerIsTrustedByItsAuthorityAndNotWithoutIt() async throws {
        let tool = try await ToolServer.shared(.vaultTLS)
        let server = try VaultServer(tool.address, authority: tool.authority)
        let store = try await server.mount("kv", options: ["version": "1"])
        try await server.call(.post, "\(store)/db", ["user": "u"])
        let untrusted = self.failure(await self.fetch(server, "\(store)/db"))
        #expect(untrusted?.message == "the certificate of \(tool.address) is not trusted")
        #expect(untrusted?.isRefusal == false)
        let trusting = CredentialFetcher(
            api: InProcessCluster(),
            settings: CredentialFetcher.Settings(environment: ["VAULT_CACERT": tool.authority])
        )
        let login = VaultLogin(address: tool.address, namespace: nil, method: .token("root"))
        let found = await trusting.fetch(.vault(VaultRequest(login: login, path: "\(store)/db", kind: .detected)))
        #expect(try found.get().values == ["user": "u"])
    }

    @Test func namespacesAreKeptApart() async throws {
        let server = try await VaultServer.shared
        let namespace = VaultServer.name("team")
        try await server.call(.put, "sys/namespaces/\(namespace)", .object([:]))
        let store = try await server.mount("kv", options: ["version": "1"], namespace: namespace)
        try await server.call(.post, "\(store)/db", ["user": "theirs"], namespace: namespace)
        let found = try await self.fetch(server, "\(store)/db", namespace: namespace).get()
        #expect(found.values == ["user": "theirs"])
        #expect(self.failure(await self.fetch(server, "\(store)/db"))?.isRefusal == true)
    }

    @Test func aCertificateIsIssuedWithItsChainAndItsEnd() async throws {
        let server = try await VaultServer.shared
        let authority = try await server.mount("pki")
        try await server.call(.post, "\(authority)/root/generate/internal", ["common_name": "root", "ttl": "24h"])
        try await server.call(
            .post,
            "\(authority)/roles/worker",
            ["allow_any_name": true, "max_ttl": "1h", "enforce_hostnames": false]
        )
        let data = ["common_name": "worker.test", "alt_names": "other.test", "ttl": "30m"]
        let issued = try await self.fetch(server, "\(authority)/issue/worker", .certificate(data)).get()
        #expect(issued.isIssued)
        #expect(issued.values["certificate"]?.hasPrefix("-----BEGIN CERTIFICATE-----") == true)
        #expect(issued.values["private_key"]?.contains("PRIVATE KEY") == true)
        #expect(issued.values["ca_chain"]?.contains("BEGIN CERTIFICATE") == true)
        let lifetime = try #require(issued.lifetime)
        #expect(lifetime > .seconds(25 * 60) && lifetime <= .seconds(30 * 60))
    }

    @Test func aTokenWithAnEndIsRenewedBeforeItAndReadInTime() async throws {
        let server = try await VaultServer.shared
        let store = try await server.mount("kv", options: ["version": "1"])
        try await server.call(.post, "\(store)/db", ["user": "u"])
        let token = try await server.token(ttl: "3s")
        let first = try await self.fetch(server, "\(store)/db", token: token).get()
        let within = try #require(first.renewWithin)
        #expect(within <= .seconds(2))
        // Longer than the token would have lived.
        let end = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(700))
            #expect(try await self.fetch(server, "\(store)/db", token: token).get().values == ["user": "u"])
        }
    }
}
