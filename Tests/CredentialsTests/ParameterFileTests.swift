import Credentials
import FoundationEssentials
import Kubernetes
import Standalone
import Testing

@Suite struct ParameterFileTests {
    private let fetcher = CredentialFetcher(
        api: InProcessCluster(),
        noTokens: "sluice run has no cluster that could issue it"
    )

    private func fetch(_ content: String?) async throws -> Result<FetchedCredential, CredentialFailure> {
        let path = FileManager.default.temporaryDirectory.path + "/sluice-file-\(UInt64.random(in: 0...UInt64.max))"
        if let content { try content.write(toFile: path, atomically: true, encoding: .utf8) }
        defer { try? FileManager.default.removeItem(atPath: path) }
        return await self.fetcher.fetch(.file(path))
    }

    @Test func everyMemberIsAParameter() async throws {
        let found = try await self.fetch(#"{"host":"h","port":"1"}"#).get()
        #expect(found.values == ["host": "h", "port": "1"])
        #expect(found.renewWithin != nil)
    }

    @Test(
        arguments: [
            (nil, "does not exist; create it"), ("[1]", "is not a JSON object"), ("{", "is not a JSON object"),
            (#"{"hunter":2}"#, "has no text under \"hunter\""),
        ] as [(String?, String)]
    )
    func whatIsWrongIsNamed(content: String?, part: String) async throws {
        guard case .failure(let failure) = try await self.fetch(content) else {
            Issue.record("taken")
            return
        }
        #expect(failure.isRefusal)
        #expect(failure.message.contains(part), "\(failure.message)")
    }

    @Test func withoutAClusterATokenIsRefusedWithTheReason() async {
        let request = ServiceAccountTokenRequest(account: .init(namespace: "a", name: "b"), lifetime: .seconds(3600))
        guard case .failure(let failure) = await self.fetcher.fetch(.serviceAccountToken(request)) else {
            Issue.record("issued")
            return
        }
        #expect(failure.message.contains("sluice run has no cluster that could issue it"))
    }
}
