package import Kubernetes

/// The environment of the container that `<parameter>FromEnv` keys refer to.
package struct ContainerEnvironment: Sendable {
    private let container: JSONValue?
    private let namespace: String
    private let path: String

    /// Takes the named container of the Job template, or the first.
    package init(jobTargetRef: JSONValue, containerName: String?, namespace: String) {
        let containers = jobTargetRef[path: "template", "spec", "containers"]?.arrayValue ?? []
        let index = containerName.map { name in containers.firstIndex { $0["name"]?.stringValue == name } } ?? 0
        self.container = index.flatMap { containers.indices.contains($0) ? containers[$0] : nil }
        self.path = "spec.jobTargetRef.template.spec.containers[\(index ?? 0)]"
        self.namespace = namespace
    }

    /// Every Secret that a variable may come from.
    package var referencedSecrets: Set<ObjectKey> {
        var names: Set<String> = []
        for entry in self.container?["env"]?.arrayValue ?? [] {
            if let name = entry[path: "valueFrom", "secretKeyRef", "name"]?.stringValue { names.insert(name) }
        }
        for entry in self.container?["envFrom"]?.arrayValue ?? [] {
            if let name = entry[path: "secretRef", "name"]?.stringValue { names.insert(name) }
        }
        return Set(names.map { ObjectKey(namespace: self.namespace, name: $0) })
    }

    /// The value of a variable.
    ///
    /// Later entries win over earlier ones, and `env` over `envFrom`.
    package func value(of variable: String, in secrets: SecretStore) -> Lookup {
        let entries = self.container?["env"]?.arrayValue ?? []
        if let index = entries.lastIndex(where: { $0["name"]?.stringValue == variable }) {
            return self.value(of: entries[index], at: index, among: entries, in: secrets)
        }
        for (index, entry) in (self.container?["envFrom"]?.arrayValue ?? []).enumerated().reversed() {
            let prefix = entry["prefix"]?.stringValue ?? ""
            guard variable.hasPrefix(prefix) else { continue }
            let key = String(variable.dropFirst(prefix.count))
            if let name = entry[path: "secretRef", "name"]?.stringValue {
                let secret = ObjectKey(namespace: self.namespace, name: name)
                switch secrets[secret] {
                case .present(let data) where data[key] == nil: continue
                case .missing where entry[path: "secretRef", "optional"] == true: continue
                default: return secrets.text(key, of: secret, neededAt: "\(self.path).envFrom[\(index)]")
                }
            }
            if entry["configMapRef"] != nil {
                return .problem(
                    Problem(
                        "\(self.path).envFrom[\(index)]",
                        "variables from a ConfigMap are not offered by this version; use a Secret or env.value"
                    )
                )
            }
        }
        return .absent
    }

    private func value(
        of entry: JSONValue,
        at index: Int,
        among entries: [JSONValue],
        in secrets: SecretStore
    ) -> Lookup {
        if let source = entry[path: "valueFrom", "secretKeyRef"] {
            guard let name = source["name"]?.stringValue, let key = source["key"]?.stringValue else { return .absent }
            let secret = ObjectKey(namespace: self.namespace, name: name)
            if source["optional"] == true, secrets[secret] == .missing { return .absent }
            return secrets.text(key, of: secret, neededAt: "\(self.path).env[\(index)]")
        }
        if entry["valueFrom"] != nil {
            return .problem(
                Problem(
                    "\(self.path).env[\(index)].valueFrom",
                    "only secretKeyRef is offered by this version; use it, or env.value"
                )
            )
        }
        let text = entry["value"]?.stringValue ?? ""
        return .text(self.expand(text, entries: entries[..<index], secrets: secrets))
    }

    /// Replaces `$(NAME)` by variables above; what is unknown stays as it is, and `$$` is one `$`.
    private func expand(_ text: String, entries: ArraySlice<JSONValue>, secrets: SecretStore) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                result += self.earlier(name, entries, secrets) ?? "$(\(name))"
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    private func earlier(_ name: String, _ entries: ArraySlice<JSONValue>, _ secrets: SecretStore) -> String? {
        let all = Array(entries)
        guard let index = all.lastIndex(where: { $0["name"]?.stringValue == name }) else { return nil }
        guard case .text(let text) = self.value(of: all[index], at: index, among: all, in: secrets) else { return nil }
        return text
    }
}
