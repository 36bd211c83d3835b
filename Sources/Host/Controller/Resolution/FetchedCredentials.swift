package import Credentials

/// What has been fetched from vaults, token issuers and files, and what came of the rest.
package struct FetchedCredentials: Sendable {
    package enum Entry: Sendable, Equatable {
        case known(FetchedCredential)
        case failed(CredentialFailure)
    }

    private var entries: [CredentialRequest: Entry] = [:]
    /// Where nothing can be fetched, such as in `sluice validate`, credentials are taken for granted.
    package let areAssumed: Bool

    package init(areAssumed: Bool = false) {
        self.areAssumed = areAssumed
    }

    /// Notes what a request came to; true when that is news.
    package mutating func set(_ request: CredentialRequest, to entry: Entry) -> Bool {
        self.entries.updateValue(entry, forKey: request) != entry
    }

    mutating func remove(_ request: CredentialRequest) {
        self.entries[request] = nil
    }

    /// All values of a request, or why there are none.
    func values(of request: CredentialRequest, neededAt field: String) -> Content {
        if self.areAssumed { return .assumed }
        switch self.entries[request] {
        case nil: return .waiting("\(request) is being fetched")
        case .known(let credential): return .values(credential.values)
        case .failed(let failure): return .problem(Problem(field, failure.message))
        }
    }

    enum Content {
        case values([String: String])
        case waiting(String)
        case problem(Problem)
        case assumed
    }
}
