package import Kubernetes

/// What is known about the Secrets that manifests refer to.
package struct SecretStore: Sendable {
    /// One Secret, as far as the host knows it.
    package enum Entry: Sendable, Equatable {
        /// Asked for; no answer yet.
        case loading
        case missing
        case present([String: [UInt8]])
        /// It may not be read, and why.
        case unreadable(String)
    }

    private var entries: [ObjectKey: Entry] = [:]

    package init() {}

    package subscript(key: ObjectKey) -> Entry { self.entries[key] ?? .loading }

    /// Notes what a Secret is now; true when that is news.
    package mutating func set(_ key: ObjectKey, to entry: Entry) -> Bool {
        self.entries.updateValue(entry, forKey: key) != entry
    }

    /// Forgets every Secret that nothing refers to any more.
    package mutating func keep(only keys: Set<ObjectKey>) {
        self.entries = self.entries.filter { keys.contains($0.key) }
    }

    /// The text at one key of a Secret, or why there is none.
    package func text(_ key: String, of secret: ObjectKey, neededAt field: String) -> Lookup {
        switch self[secret] {
        case .loading:
            return .waiting("Secret \(secret) is being read")
        case .missing:
            return .problem(Problem(field, "Secret \(secret) does not exist; create it with the key \"\(key)\""))
        case .unreadable(let reason):
            return .problem(
                Problem(field, "Secret \(secret) cannot be read (\(reason)); allow get, list and watch on it")
            )
        case .present(let data):
            guard let bytes = data[key] else {
                return .problem(Problem(field, "Secret \(secret) has no key \"\(key)\"; add it"))
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .problem(Problem(field, "key \"\(key)\" of Secret \(secret) is not UTF-8 text; store text"))
            }
            return .text(text)
        }
    }
}

/// What came of looking for one value.
package enum Lookup: Sendable, Equatable {
    case text(String)
    case absent
    case waiting(String)
    case problem(Problem)
}
