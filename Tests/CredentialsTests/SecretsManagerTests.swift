import Credentials
import FoundationEssentials
import HTTP
import Kubernetes
import Servers
import Standalone
import Testing

/// Against moto, and with a signature that Amazon's own library checks.
@Suite struct SecretsManagerTests {
    private func fetcher(_ endpoint: String) -> CredentialFetcher {
        var settings = CredentialFetcher.Settings()
        settings.awsEndpoint = endpoint
        return CredentialFetcher(api: InProcessCluster(), settings: settings)
    }

    /// Runs boto3 against the server and returns what it prints.
    private func boto(_ server: ToolServer, _ code: String) async throws -> String {
        let start = """
            import boto3
            client = boto3.client("secretsmanager", region_name="eu-central-1", endpoint_url="\(server.address)",
                aws_access_key_id="AKIATEST", aws_secret_access_key="secret")
            """
        return try await ToolServer.run(try await ToolServer.tool("moto", "python"), ["-c", start + "\n" + code])
    }

    private func request(_ name: String, version: String? = nil, stage: String? = nil) -> CredentialRequest {
        .aws(
            AWSSecretRequest(
                region: "eu-central-1",
                name: name,
                versionID: version,
                versionStage: stage,
                accessKey: "AKIATEST",
                secretKey: "secret"
            )
        )
    }

    @Test func versionsAndStagesAreRead() async throws {
        let server = try await ToolServer.shared(.moto)
        let name = "db/\(UInt32.random(in: 0...UInt32.max))"
        let first = try await self.boto(
            server,
            """
            print(client.create_secret(Name="\(name)", SecretString="one")["VersionId"])
            client.put_secret_value(SecretId="\(name)", SecretString="two")
            """
        )
        let fetcher = self.fetcher(server.address)
        func text(_ request: CredentialRequest) async throws -> String? {
            try await fetcher.fetch(request).get().values[CredentialRequest.textKey]
        }
        #expect(try await text(self.request(name)) == "two")
        #expect(try await text(self.request(name, version: first)) == "one")
        #expect(try await text(self.request(name, stage: "AWSPREVIOUS")) == "one")
    }

    @Test func aSecretThatIsNotThereIsNamed() async throws {
        let server = try await ToolServer.shared(.moto)
        guard case .failure(let failure) = await self.fetcher(server.address).fetch(self.request("nope")) else {
            Issue.record("found")
            return
        }
        #expect(failure.isRefusal)
        #expect(
            failure.message.hasPrefix(
                "secret \"nope\" of AWS Secrets Manager in eu-central-1, or the version asked for, does"
            )
        )
    }

    @Test(arguments: [nil, "the/session+token="] as [String?])
    func theSignatureIsTheOneThatAmazonComputes(sessionToken: String?) async throws {
        let script = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/check_signature.py"
        let folder = FileManager.default.temporaryDirectory.path + "/sluice-sigv4-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let python = try await ToolServer.tool("moto", "python")
        async let verdict = ToolServer.run(python, [script, folder])
        var port: String?
        let deadline = ContinuousClock.now + .seconds(30)
        while port == nil, ContinuousClock.now < deadline {
            port = try? String(contentsOfFile: "\(folder)/port", encoding: .utf8)
            if port == nil { try await Task.sleep(for: .milliseconds(10)) }
        }
        let request = AWSSecretRequest(
            region: "eu-central-1",
            name: "db",
            accessKey: "AKIATEST",
            secretKey: "secret",
            sessionToken: sessionToken
        )
        let result = await self.fetcher("http://127.0.0.1:\(try #require(port))").fetch(.aws(request))
        let said = try await verdict
        #expect(said == "right", "\(said)")
        #expect(try result.get().values == [CredentialRequest.textKey: "signed"])
    }
}
