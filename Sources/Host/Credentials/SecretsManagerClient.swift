internal import FoundationEssentials
internal import HTTP
internal import Kubernetes

/// Reads secrets of AWS Secrets Manager with static credentials; libcurl signs.
struct SecretsManagerClient: Sendable {
    let engines: HTTPEngines
    let settings: CredentialFetcher.Settings

    func read(_ request: AWSSecretRequest) async throws(CredentialFailure) -> FetchedCredential {
        var body: JSONValue = ["SecretId": .string(request.name)]
        if let version = request.versionID { body["VersionId"] = .string(version) }
        if let stage = request.versionStage { body["VersionStage"] = .string(stage) }
        var headers = ["Content-Type: application/x-amz-json-1.1", "X-Amz-Target: secretsmanager.GetSecretValue"]
        if let token = request.sessionToken { headers.append("X-Amz-Security-Token: \(token)") }
        let subject = "secret \"\(request.name)\" of AWS Secrets Manager in \(request.region)"
        guard [request.accessKey, request.secretKey, request.sessionToken ?? ""].allSatisfy(Self.isHeaderText) else {
            throw CredentialFailure("the credentials for \(subject) are not the keys of an account", isRefusal: true)
        }
        let answer = try await self.engines.answer(
            from: self.address(request.region),
            authority: self.settings.awsAuthority,
            to: HTTPRequest(
                .post,
                "/",
                headers: headers,
                body: try? body.encoded(),
                timeout: self.settings.timeout,
                signing: AmazonSigning(
                    region: request.region,
                    service: "secretsmanager",
                    accessKey: request.accessKey,
                    secretKey: request.secretKey
                )
            )
        )
        let content = try? JSONValue(parsing: answer.body)
        guard answer.status == 200 else { throw Self.failure(answer, content, subject) }
        if let text = content?["SecretString"]?.stringValue {
            return FetchedCredential([CredentialRequest.textKey: text])
        }
        if let binary = content?["SecretBinary"]?.stringValue.flatMap({ Data(base64Encoded: $0) }),
            let text = String(validating: binary, as: UTF8.self)
        {
            return FetchedCredential([CredentialRequest.textKey: text])
        }
        throw CredentialFailure("\(subject) is not text; store text", isRefusal: true)
    }

    private func address(_ region: String) -> String {
        if let endpoint = self.settings.awsEndpoint { return endpoint }
        return "https://secretsmanager.\(region).amazonaws.com\(region.hasPrefix("cn-") ? ".cn" : "")"
    }

    /// Only the kind of error is shown: a refused signature is answered with all that was signed.
    private static func failure(
        _ answer: HTTPAnswer,
        _ content: JSONValue?,
        _ subject: String
    ) -> CredentialFailure {
        let type = content?["__type"]?.stringValue?.split(separator: "#").last.map(String.init) ?? ""
        let code = type.utf8.allSatisfy(Self.isLetter) && !type.isEmpty ? type : "status \(answer.status)"
        switch code {
        case "ResourceNotFoundException":
            return CredentialFailure("\(subject), or the version asked for, does not exist; create it", isRefusal: true)
        case "AccessDeniedException":
            return CredentialFailure("\(subject) may not be read; allow secretsmanager:GetSecretValue", isRefusal: true)
        case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException",
            "IncompleteSignatureException", "InvalidClientTokenId":
            return CredentialFailure("\(subject): AWS refuses the credentials (\(code)); correct them", isRefusal: true)
        case let code:
            let isPassing = code == "ThrottlingException" || code == "InternalServiceError" || !answer.isRefusal
            return CredentialFailure(
                "\(subject) could not be read (\(code))",
                isRefusal: !isPassing,
                retryAfter: answer.retryAfter
            )
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    static func isHeaderText(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } }
}
