/// What a ``CredentialRequest`` came to.
///
/// No description shows a value.
package struct FetchedCredential: Sendable, Equatable {
    package var values: [String: String]
    /// How long the values are good for; nil when they have no end of their own.
    package var lifetime: Duration?
    /// True where fetching makes something new at the server, so that it is done only when the lifetime asks for it.
    package var isIssued: Bool
    /// Fetched again within this time, although the values stay good: whoever fetched them has to be heard from.
    package var renewWithin: Duration?

    package init(
        _ values: [String: String],
        lifetime: Duration? = nil,
        isIssued: Bool = false,
        renewWithin: Duration? = nil
    ) {
        self.values = values
        self.lifetime = lifetime
        self.isIssued = isIssued
        self.renewWithin = renewWithin
    }
}

extension FetchedCredential: CustomStringConvertible, CustomReflectable {
    package var description: String { "FetchedCredential(keys: \(self.values.keys.sorted()))" }
    package var customMirror: Mirror { Mirror(self, children: ["keys": self.values.keys.sorted()]) }
}

/// Why a ``CredentialRequest`` came to nothing.
package struct CredentialFailure: Error, Sendable, Equatable {
    /// One sentence with its mend, never a secret.
    package var message: String
    /// True where the server has said no: what was fetched before is not good any more.
    ///
    /// Otherwise it was not asked, and what it said before still holds.
    package var isRefusal: Bool
    /// Not to be tried again before this has passed.
    package var retryAfter: Duration?

    package init(_ message: String, isRefusal: Bool, retryAfter: Duration? = nil) {
        self.message = message
        self.isRefusal = isRefusal
        self.retryAfter = retryAfter
    }
}

/// Fetches credentials.
package protocol CredentialProvider: Sendable {
    /// Answers within a bounded time.
    func fetch(_ request: CredentialRequest) async -> Result<FetchedCredential, CredentialFailure>
}

/// Fetches nothing and says so.
package struct NoCredentials: CredentialProvider {
    private let reason: String

    package init(_ reason: String = "this program fetches no credentials; put the values into a Secret") {
        self.reason = reason
    }

    package func fetch(_ request: CredentialRequest) async -> Result<FetchedCredential, CredentialFailure> {
        .failure(CredentialFailure("\(request) cannot be had: \(self.reason)", isRefusal: true))
    }
}
