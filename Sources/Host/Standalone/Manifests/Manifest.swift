package import Kubernetes

/// One object of a manifest file.
package struct Manifest: Sendable, Equatable {
    package let resource: APIResource
    package internal(set) var object: JSONValue
    /// File, document and line, for messages.
    package let source: String

    package var key: ObjectKey { self.object.key }

    /// What manifests are read for.
    package enum Purpose: Sendable {
        /// To run on this machine: whatever cannot be is a problem.
        case running
        /// To be looked at: kinds that are not Sluice's are left out, and templates are for a cluster.
        case checking
    }

    /// What the standalone mode takes from files.
    package static let resources: [APIResource] = [
        .scaledJobs, .triggerAuthentications, .clusterTriggerAuthentications, .secrets, .configMaps, .jobBudgets,
    ]
}

/// Why manifests cannot be used; it names the place.
package struct ManifestProblem: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension Manifest {
    /// Reads all objects of a YAML or JSON text.
    package static func read(
        _ text: String,
        file: String,
        for purpose: Purpose = .running
    ) throws(ManifestProblem) -> [Manifest] {
        var manifests: [Manifest] = []
        for (value, source) in try Self.objects(in: text, file: file) where purpose == .running || Self.isOurs(value) {
            manifests.append(try Manifest(value, source: source, purpose: purpose))
        }
        return manifests
    }

    /// The objects of a text, those of a `List` one by one, each with its place.
    static func objects(in text: String, file: String) throws(ManifestProblem) -> [(JSONValue, source: String)] {
        let documents: [YAML.Document]
        do {
            documents = try YAML.documents(text)
        } catch {
            throw ManifestProblem("\(file): \(error)")
        }
        return documents.flatMap { document -> [(JSONValue, source: String)] in
            let source = "\(file), document \(document.number), line \(document.line)"
            return Self.unpacked(document.value).map { ($0, source) }
        }
    }

    /// The objects of a list of any kind, and of lists in it; any other value as it is.
    private static func unpacked(_ value: JSONValue) -> [JSONValue] {
        guard let kind = value["kind"]?.stringValue, kind.hasSuffix("List"), let items = value["items"]?.arrayValue
        else {
            return [value]
        }
        return items.flatMap { item -> [JSONValue] in
            var item = item
            // The API server leaves these out in the items of a list of one kind.
            if kind != "List", item.objectValue != nil {
                if item["kind"] == nil { item["kind"] = .string(String(kind.dropLast(4))) }
                if item["apiVersion"] == nil { item["apiVersion"] = value["apiVersion"] }
            }
            return Self.unpacked(item)
        }
    }

    static func isOurs(_ value: JSONValue) -> Bool {
        guard let kind = value["kind"]?.stringValue else { return true }
        return self.resources.contains { $0.kind == kind }
    }

    init(_ value: JSONValue, source: String, purpose: Purpose) throws(ManifestProblem) {
        guard value.objectValue != nil else { throw ManifestProblem("\(source): not an object but a bare value") }
        guard let kind = value["kind"]?.stringValue, let apiVersion = value["apiVersion"]?.stringValue else {
            throw ManifestProblem("\(source): apiVersion and kind are required")
        }
        guard let resource = Self.resources.first(where: { $0.kind == kind }) else {
            let kinds = Self.resources.map(\.kind).joined(separator: ", ")
            throw ManifestProblem("\(source): \(kind) needs a cluster: the standalone mode takes \(kinds)")
        }
        guard resource.apiVersion == apiVersion else {
            throw ManifestProblem("\(source): \(kind) of \(apiVersion) is not known, write \(resource.apiVersion)")
        }
        guard let name = value.metadata["name"]?.stringValue, !name.isEmpty else {
            throw ManifestProblem("\(source): \(kind) needs metadata.name, a string")
        }
        for field in ["labels", "annotations"] {
            for (key, entry) in value.metadata[field]?.objectValue ?? [:] where entry.stringValue == nil {
                throw ManifestProblem("\(source): metadata.\(field).\(key) must be a string: write it in quotes")
            }
        }
        var object = value
        object.metadata["namespace"] =
            resource.isNamespaced ? .string(value.namespace.isEmpty ? "default" : value.namespace) : nil
        self.resource = resource
        self.object = object
        self.source = source
        if resource == .scaledJobs, purpose == .running { try self.checkJobTemplate() }
    }

    /// Finds out now, rather than when work arrives, what the local runner would refuse.
    private func checkJobTemplate() throws(ManifestProblem) {
        guard var spec = self.object[path: "spec", "jobTargetRef"] else { return }
        if var pod = spec[path: "template", "spec"] {
            if (pod["restartPolicy"]?.stringValue ?? "").isEmpty { pod["restartPolicy"] = "OnFailure" }
            var template = spec["template"] ?? .object([:])
            template["spec"] = pod
            spec["template"] = template
        }
        do {
            _ = try LocalJob(["spec": spec])
        } catch {
            let sentences = error.sentences.map { sentence in
                sentence.hasPrefix("spec") ? "spec.jobTargetRef\(sentence.dropFirst(4))" : sentence
            }
            throw ManifestProblem("\(self.source): ScaledJob \(self.key): \(sentences.joined(separator: "; "))")
        }
    }
}
