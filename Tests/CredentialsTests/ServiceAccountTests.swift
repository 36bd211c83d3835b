import ClusterTestSupport
import Credentials
import FoundationEssentials
import HTTP
import Kubernetes
import Servers
import Testing

/// Against a real API server, and a real Vault that has it look at tokens.
@Suite struct ServiceAccountTests {
    private func token(
        _ fetcher: CredentialFetcher,
        _ namespace: String,
        _ name: String
    ) async throws -> FetchedCredential {
        let account = ObjectKey(namespace: namespace, name: name)
        let request = ServiceAccountTokenRequest(account: account, lifetime: .seconds(3600))
        return try await fetcher.fetch(.serviceAccountToken(request)).get()
    }

    @Test func theAPIServerIssuesATokenForTheTimeAskedFor() async throws {
        let cluster = try await TestCluster.shared
        let namespace = try await cluster.freshNamespace()
        try await cluster.kubectl("-n", namespace, "create", "serviceaccount", "reader")
        let fetcher = CredentialFetcher(api: try cluster.client())
        let issued = try await self.token(fetcher, namespace, "reader")
        let text = try #require(issued.values[CredentialRequest.tokenKey])
        let lifetime = try #require(issued.lifetime)
        #expect(lifetime > .seconds(3500) && lifetime <= .seconds(3600))
        let said = try await cluster.kubectl(
            "--token",
            text,
            "-n",
            namespace,
            "auth",
            "can-i",
            "get",
            "pods",
            "--quiet=false"
        ).description
        #expect(said == "yes" || said == "no")
    }

    @Test func anAccountThatIsNotThereIsNamed() async throws {
        let cluster = try await TestCluster.shared
        let namespace = try await cluster.freshNamespace()
        await #expect(
            throws: CredentialFailure("ServiceAccount \(namespace)/nobody does not exist; create it", isRefusal: true)
        ) {
            _ = try await self.token(CredentialFetcher(api: try cluster.client()), namespace, "nobody")
        }
    }

    @Test func aVaultThatReviewsTokensLetsTheRightAccountIn() async throws {
        let cluster = try await TestCluster.shared
        let server = try await VaultServer.shared
        let namespace = try await cluster.freshNamespace()
        for name in ["reader", "stranger", "reviewer"] {
            try await cluster.kubectl("-n", namespace, "create", "serviceaccount", name)
        }
        try await cluster.kubectl(
            "create",
            "clusterrolebinding",
            namespace,
            "--clusterrole",
            "system:auth-delegator",
            "--serviceaccount",
            "\(namespace):reviewer"
        )
        let fetcher = CredentialFetcher(api: try cluster.client())
        let configuration = try cluster.configuration()
        let reviewer = try await self.token(fetcher, namespace, "reviewer").values[CredentialRequest.tokenKey] ?? ""
        let mount = VaultServer.name("kubernetes")
        try await server.call(.post, "sys/auth/\(mount)", ["type": "kubernetes"])
        try await server.call(
            .post,
            "auth/\(mount)/config",
            [
                "kubernetes_host": .string(configuration.server), "token_reviewer_jwt": .string(reviewer),
                "kubernetes_ca_cert": .string(
                    String(decoding: configuration.certificateAuthority ?? [], as: UTF8.self)
                ),
                "disable_local_ca_jwt": true,
            ]
        )
        let store = try await server.mount("kv", options: ["version": "2"])
        try await server.call(.post, "\(store)/data/db", ["data": ["user": "u"]])
        let policy = VaultServer.name("reader")
        let rule = #"path "\#(store)/*" { capabilities = ["read"] }"#
        try await server.call(.put, "sys/policies/acl/\(policy)", ["policy": .string(rule)])
        try await server.call(
            .post,
            "auth/\(mount)/role/reader",
            [
                "bound_service_account_names": ["reader"],
                "bound_service_account_namespaces": [.string(namespace)],
                "token_policies": [.string(policy)], "token_ttl": "2s",
            ]
        )
        func read(as account: String) async -> Result<FetchedCredential, CredentialFailure> {
            let request = ServiceAccountTokenRequest(
                account: ObjectKey(namespace: namespace, name: account),
                lifetime: .seconds(3600)
            )
            let login = VaultLogin(
                address: server.address,
                namespace: nil,
                method: .kubernetes(role: "reader", mount: mount, .serviceAccount(request))
            )
            return await fetcher.fetch(.vault(VaultRequest(login: login, path: "\(store)/data/db", kind: .detected)))
        }
        #expect(try await read(as: "reader").get().values == ["user": "u"])
        guard case .failure(let failure) = await read(as: "stranger") else {
            Issue.record("let in")
            return
        }
        #expect(failure.isRefusal)
        #expect(failure.message.contains("the login at the Vault at \(server.address) as role \"reader\" is refused"))
        #expect(!failure.message.contains("eyJ"))
        // After the end of the login's token there is another login.
        let end = ContinuousClock.now + .seconds(4)
        while ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(500))
            #expect(try await read(as: "reader").get().values == ["user": "u"])
        }
    }
}
