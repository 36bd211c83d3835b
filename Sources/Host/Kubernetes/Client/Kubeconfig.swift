internal import FoundationEssentials
internal import Yams

/// The parts of kubeconfig files that say which cluster, which user and which of both together.
struct Kubeconfig {
    struct Entry {
        var value: Node
        /// Relative paths in the entry start here.
        var directory: String
    }

    private(set) var currentContext: String?
    private(set) var contexts: [String: Entry] = [:]
    private(set) var clusters: [String: Entry] = [:]
    private(set) var users: [String: Entry] = [:]

    /// Adds a file.
    ///
    /// As in kubectl, the first file that names a thing decides.
    mutating func add(_ text: String, path: String) throws(KubernetesError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text, .basic)
        } catch {
            // The parser's own message quotes the line, which may hold a secret.
            throw KubernetesError(.configuration, "\(path) is not YAML")
        }
        guard let root else { return }
        guard root.mapping != nil else { throw KubernetesError(.configuration, "\(path) is no kubeconfig") }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        if self.currentContext == nil, let context = root["current-context"]?.string, !context.isEmpty {
            self.currentContext = context
        }
        Self.add(root["contexts"], "context", directory, to: &self.contexts)
        Self.add(root["clusters"], "cluster", directory, to: &self.clusters)
        Self.add(root["users"], "user", directory, to: &self.users)
    }

    private static func add(_ list: Node?, _ key: String, _ directory: String, to entries: inout [String: Entry]) {
        for item in list?.sequence ?? [] {
            guard let name = item["name"]?.string, let value = item[key], value.mapping != nil, entries[name] == nil
            else { continue }
            entries[name] = Entry(value: value, directory: directory)
        }
    }
}

extension Kubeconfig.Entry {
    /// The text at a key; nil when absent, empty or null.
    func text(_ key: String) -> String? {
        guard let node = self.value[key], case .scalar(let scalar) = node, !scalar.string.isEmpty,
            scalar.style != .plain || (scalar.string != "null" && scalar.string != "~")
        else { return nil }
        return scalar.string
    }

    func isTrue(_ key: String) -> Bool { self.text(key).map { $0.lowercased() == "true" } ?? false }

    func path(_ key: String) -> String? {
        self.text(key).map { $0.hasPrefix("/") ? $0 : "\(self.directory)/\($0)" }
    }

    /// The bytes of `key-data` in base64, or else of the file that `key` names.
    func bytes(_ key: String) throws(KubernetesError) -> [UInt8]? {
        if let text = self.text("\(key)-data") {
            guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters), !data.isEmpty else {
                throw KubernetesError(.configuration, "\(key)-data in the kubeconfig is not base64")
            }
            return Array(data)
        }
        guard let path = self.path(key) else { return nil }
        return try SmallFile.read(path)
    }
}
