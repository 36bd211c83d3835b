import Credentials
import Kubernetes
import Testing

/// Requests carry secrets, and are printed in logs and messages.
@Suite struct HiddenValueTests {
    private static let secret = "hunter2"

    static let values: [any Sendable] = {
        let login = VaultLogin(address: "https://vault", namespace: nil, method: .token(secret))
        let vault = VaultRequest(login: login, path: "kv/x", kind: .certificate(["private": secret]))
        let aws = AWSSecretRequest(
            region: "eu-central-1",
            name: "n",
            accessKey: secret,
            secretKey: secret,
            sessionToken: secret
        )
        return [login, login.method, vault, aws, CredentialRequest.vault(vault), CredentialRequest.aws(aws)]
    }()

    @Test(arguments: values.indices) func noPrintedFormShowsASecret(index: Int) {
        let value = Self.values[index]
        var dumped = ""
        dump(value, to: &dumped)
        for text in ["\(value)", String(describing: value), String(reflecting: value), dumped, "\([value])"] {
            #expect(!text.contains(Self.secret) && !text.isEmpty)
        }
    }
}
