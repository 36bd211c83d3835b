internal import FoundationEssentials
internal import Kubernetes

/// Has the API server issue tokens of ServiceAccounts.
struct ServiceAccountTokens: Sendable {
    private static let serviceAccounts = APIResource(
        group: "",
        version: "v1",
        plural: "serviceaccounts",
        kind: "ServiceAccount"
    )

    let api: any KubernetesAPI
    /// Why there are none here.
    let unavailable: String?

    func issue(_ request: ServiceAccountTokenRequest) async throws(CredentialFailure) -> FetchedCredential {
        if let unavailable {
            throw CredentialFailure(
                "a token of ServiceAccount \(request.account) cannot be had: \(unavailable)",
                isRefusal: true
            )
        }
        let body: JSONValue = [
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": ["expirationSeconds": .integer(request.lifetime.components.seconds)],
        ]
        let answer: [UInt8]
        do throws(KubernetesError) {
            answer = try await self.api.send(
                APIRequest(
                    .create,
                    Self.serviceAccounts,
                    namespace: request.account.namespace,
                    name: request.account.name,
                    subresource: "token",
                    body: try? body.encoded(),
                    timeout: .seconds(10)
                )
            )
        } catch {
            throw Self.failure(error, request.account)
        }
        let status = (try? JSONValue(parsing: answer))?["status"]
        guard let token = status?["token"]?.stringValue, !token.isEmpty else {
            throw CredentialFailure("the API server answered without a token", isRefusal: false)
        }
        var lifetime = request.lifetime
        if let end = status?["expirationTimestamp"]?.stringValue.flatMap({ KubernetesTime($0) }) {
            // Another clock than ours says so; more than was asked for is not believed.
            let left = Duration.seconds(end.secondsSinceEpoch - Int64(Date.now.timeIntervalSince1970))
            lifetime = Swift.max(.seconds(30), Swift.min(left, lifetime))
        }
        return FetchedCredential([CredentialRequest.tokenKey: token], lifetime: lifetime, isIssued: true)
    }

    private static func failure(_ error: KubernetesError, _ account: ObjectKey) -> CredentialFailure {
        switch error.code {
        case .notFound:
            CredentialFailure("ServiceAccount \(account) does not exist; create it", isRefusal: true)
        case .forbidden, .unauthorized:
            CredentialFailure(
                "no token of ServiceAccount \(account) may be issued; allow the host create on serviceaccounts/token",
                isRefusal: true
            )
        case .invalid:
            CredentialFailure(
                "the API server refuses a token of ServiceAccount \(account): \(error.message)",
                isRefusal: true
            )
        default:
            CredentialFailure(
                "no token of ServiceAccount \(account) could be had (\(error.code.rawValue)); it is tried again",
                isRefusal: false
            )
        }
    }
}
