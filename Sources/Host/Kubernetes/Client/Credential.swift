internal import HTTP
internal import NIOConcurrencyHelpers

/// What a request proves the host's identity with.
struct Credential: Sendable, Equatable, CustomStringConvertible {
    var token: String?
    var identity: ClientIdentity?

    static func == (left: Credential, right: Credential) -> Bool {
        left.token == right.token && left.identity === right.identity
    }

    /// Says what there is, and nothing of what it says.
    var description: String {
        "Credential(\(self.token == nil ? "no token" : "token"), \(self.identity == nil ? "no certificate" : "certificate"))"
    }
}

/// Where credentials come from, and come from again when they have grown old.
protocol CredentialSource: Sendable {
    /// The one to use now; fails when it could only be had after the deadline.
    func credential(by deadline: ContinuousClock.Instant) async throws(KubernetesError) -> Credential
    /// Called when the server refused a credential; returns an equal one when there is no other.
    func credential(
        afterRefusalOf refused: Credential,
        by deadline: ContinuousClock.Instant
    ) async throws(KubernetesError) -> Credential
}

extension KubernetesError {
    static let noCredentialInTime = KubernetesError(
        .timedOut,
        "no credentials for the API server in time",
        retry: .after(.seconds(1))
    )
}

/// A credential that never changes.
struct FixedCredential: CredentialSource {
    private let value: Credential

    init(_ value: Credential) {
        self.value = value
    }

    func credential(by _: ContinuousClock.Instant) async throws(KubernetesError) -> Credential { self.value }

    func credential(
        afterRefusalOf _: Credential,
        by _: ContinuousClock.Instant
    ) async throws(KubernetesError) -> Credential { self.value }
}

/// A token in a file that somebody else replaces in time, as the kubelet does.
final class TokenFile: CredentialSource {
    private struct Copy {
        var credential: Credential
        var readAt: ContinuousClock.Instant
    }

    private let path: String
    private let maximumAge: Duration
    private let copy: NIOLockedValueBox<Copy>

    init(_ path: String, identity: ClientIdentity? = nil, maximumAge: Duration = .seconds(60)) throws(KubernetesError) {
        self.path = path
        self.maximumAge = maximumAge
        let credential = Credential(token: try Self.read(path), identity: identity)
        self.copy = NIOLockedValueBox(Copy(credential: credential, readAt: .now))
    }

    func credential(by _: ContinuousClock.Instant) async throws(KubernetesError) -> Credential {
        self.copy.withLockedValue { copy in
            guard copy.readAt.duration(to: .now) >= self.maximumAge else { return copy.credential }
            return self.reread(&copy)
        }
    }

    func credential(
        afterRefusalOf refused: Credential,
        by _: ContinuousClock.Instant
    ) async throws(KubernetesError) -> Credential {
        self.copy.withLockedValue { copy in
            // Somebody else may have been refused before, and read the new one.
            copy.credential == refused ? self.reread(&copy) : copy.credential
        }
    }

    /// Keeps the old token when the file is not to be read: it may still be good, and the server will say if not.
    private func reread(_ copy: inout Copy) -> Credential {
        if let token = try? Self.read(self.path) { copy.credential.token = token }
        copy.readAt = .now
        return copy.credential
    }

    private static func read(_ path: String) throws(KubernetesError) -> String {
        let text = try SmallFile.readText(path)
        let token = text.drop(while: \.isWhitespace).prefix { !$0.isWhitespace }
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw KubernetesError(.configuration, "\(path) holds no token")
        }
        return String(token)
    }
}
