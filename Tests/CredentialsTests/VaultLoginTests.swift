import FoundationEssentials
import Glibc
import NIOConcurrencyHelpers
import Servers
import Standalone
import Testing

@testable import Credentials

/// How often a Vault is logged in at, counted by a server that answers as Vault does.
@Suite struct VaultLoginTests {
    /// Gives out tokens by number, and lets only some of them read.
    private final class Vault: Sendable {
        let server: ScriptedServer
        let file = "/tmp/sluice-vault-\(UInt64.random(in: 0...UInt64.max))"

        init(mayRead: @escaping @Sendable (String) -> Bool, isKnown: @escaping @Sendable (String) -> Bool) throws {
            let logins = NIOLockedValueBox(0)
            self.server = try ScriptedServer { request in
                let token = request.head.split(separator: "\r\n").first { $0.hasPrefix("X-Vault-Token: ") }
                    .map { String($0.dropFirst(15)) }
                if request.line.contains("/login ") {
                    let number = logins.withLockedValue { count in
                        count += 1
                        return count
                    }
                    return ScriptedServer.ok(
                        #"{"auth":{"client_token":"t\#(number)","lease_duration":1200,"renewable":true}}"#
                    )
                }
                guard let token, isKnown(token) else { return ScriptedServer.ok("{}", "403 Forbidden") }
                if request.line.contains("lookup-self") { return ScriptedServer.ok(#"{"data":{}}"#) }
                guard mayRead(request.line) else { return ScriptedServer.ok("{}", "403 Forbidden") }
                return ScriptedServer.ok(
                    #"{"lease_id":"a/1","lease_duration":3600,"data":{"user":"\#(token)"}}"#
                )
            }
            let claims = Data(#"{"sub":"system:serviceaccount:n:s"}"#.utf8).base64EncodedString()
            try Data("e30.\(claims).x".utf8).write(to: URL(filePath: self.file))
        }

        deinit {
            self.server.stop()
            unlink(self.file)
        }

        func request(_ path: String) -> CredentialRequest {
            let login = VaultLogin(
                address: self.server.address,
                namespace: nil,
                method: .kubernetes(role: "r", mount: "kubernetes", .file(self.file))
            )
            return .vault(VaultRequest(login: login, path: path, kind: .detected))
        }

        var logins: Int { self.server.log.count { $0.line.contains("/login ") } }
    }

    private let fetcher = CredentialFetcher(api: InProcessCluster())

    @Test func allReadsShareOneLogin() async throws {
        let vault = try Vault(mayRead: { _ in true }, isKnown: { _ in true })
        let requests = (0..<4).map { vault.request("db/\($0)") }
        let values = try await withThrowingTaskGroup(of: FetchedCredential.self) { group in
            for request in requests { group.addTask { [fetcher] in try await fetcher.fetch(request).get() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(values.allSatisfy { $0.values == ["user": "t1"] })
        // The token ends before the lease, and the lease with it.
        #expect(values.allSatisfy { $0.renewWithin.map { $0 <= .seconds(800) } == true })
        #expect(vault.logins == 1)
    }

    @Test func aPathThatStaysRefusedCausesNoLogins() async throws {
        let vault = try Vault(mayRead: { !$0.contains("/no") }, isKnown: { _ in true })
        for _ in 0..<5 {
            guard case .failure(let failure) = await self.fetcher.fetch(vault.request("db/no")) else {
                Issue.record("it may be read")
                return
            }
            #expect(failure.isRefusal)
        }
        #expect(try await self.fetcher.fetch(vault.request("db/yes")).get().values == ["user": "t1"])
        #expect(vault.logins == 1)
    }
}
