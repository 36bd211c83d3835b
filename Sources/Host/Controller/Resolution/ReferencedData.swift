package import Kubernetes

/// What is known about the Secrets, or the ConfigMaps, that manifests refer to.
package struct ReferencedData: Sendable {
    package enum Kind: String, Sendable {
        case secret = "Secret"
        case configMap = "ConfigMap"
    }

    /// One object, as far as the host knows it.
    package enum Entry: Sendable, Equatable {
        /// Asked for; no answer yet.
        case loading
        case missing
        case present([String: [UInt8]])
        /// It is not here to look at, such as in `sluice validate`, and taken for granted.
        case assumed
        /// It may not be read, and why.
        case unreadable(String)
    }

    package let kind: Kind
    private var entries: [ObjectKey: Entry] = [:]

    package init(_ kind: Kind = .secret) {
        self.kind = kind
    }

    package subscript(key: ObjectKey) -> Entry { self.entries[key] ?? .loading }

    /// Notes what an object is now; true when that is news.
    package mutating func set(_ key: ObjectKey, to entry: Entry) -> Bool {
        self.entries.updateValue(entry, forKey: key) != entry
    }

    /// Forgets objects that nothing refers to any more.
    package mutating func forget(_ keys: Set<ObjectKey>) {
        for key in keys { self.entries[key] = nil }
    }

    /// The text at one key of an object, or why there is none.
    package func text(_ key: String, of object: ObjectKey, neededAt field: String) -> Lookup {
        let name = "\(self.kind.rawValue) \(object)"
        switch self.data(of: object, neededAt: field) {
        case .absent: return .problem(Problem(field, "\(name) does not exist; create it with the key \"\(key)\""))
        case .waiting(let what): return .waiting(what)
        case .problem(let problem): return .problem(problem)
        case .assumed: return .assumed
        case .data(let data):
            guard let bytes = data[key] else {
                return .problem(Problem(field, "\(name) has no key \"\(key)\"; add it"))
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .problem(Problem(field, "key \"\(key)\" of \(name) is not UTF-8 text; store text"))
            }
            return .text(text)
        }
    }

    /// The whole object, or why there is none.
    func data(of object: ObjectKey, neededAt field: String) -> Content {
        let name = "\(self.kind.rawValue) \(object)"
        switch self[object] {
        case .loading: return .waiting("\(name) is being read")
        case .missing: return .absent
        case .assumed: return .assumed
        case .unreadable(let reason):
            return .problem(Problem(field, "\(name) cannot be read (\(reason)); allow list and watch on it"))
        case .present(let data): return .data(data)
        }
    }

    /// What came of looking for one object.
    enum Content {
        case data([String: [UInt8]])
        case absent
        case assumed
        case waiting(String)
        case problem(Problem)
    }
}

/// The Secrets that manifests refer to.
package typealias SecretStore = ReferencedData

/// What came of looking for one value.
package enum Lookup: Sendable, Equatable {
    case text(String)
    case absent
    case waiting(String)
    case problem(Problem)
    /// It will be there, but can only be read where the host runs.
    case assumed
}

/// Everything outside of the manifests that parameters come from, as far as it is known.
package struct ParameterSources: Sendable {
    package var secrets: ReferencedData
    package var configMaps: ReferencedData
    package var credentials: FetchedCredentials

    package init(
        secrets: ReferencedData = ReferencedData(.secret),
        configMaps: ReferencedData = ReferencedData(.configMap),
        credentials: FetchedCredentials = FetchedCredentials()
    ) {
        self.secrets = secrets
        self.configMaps = configMaps
        self.credentials = credentials
    }
}
