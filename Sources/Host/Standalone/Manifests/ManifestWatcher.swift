internal import Kubernetes
package import Logging
internal import NIOConcurrencyHelpers

/// Keeps the objects of an in-process cluster equal to manifest files.
///
/// A change takes effect as a whole or not at all: while one file is broken, every object stays as it was.
package final class ManifestWatcher: Sendable {
    private let folder: ManifestFolder
    private let cluster: InProcessCluster
    private let interval: Duration
    private let logger: Logger
    private let applied = NIOLockedValueBox<Applied>(Applied())

    private struct Applied {
        var fingerprint: ManifestFolder.Fingerprint?
        var manifests: [Manifest] = []
    }

    package init(
        folder: ManifestFolder,
        cluster: InProcessCluster,
        interval: Duration = .seconds(1),
        logger: Logger
    ) {
        self.folder = folder
        self.cluster = cluster
        self.interval = interval
        self.logger = logger
    }

    /// Reads the files and applies them; false when nothing has changed since the last time.
    @discardableResult
    package func load() throws(ManifestProblem) -> Bool {
        let fingerprint = self.folder.fingerprint()
        let before = self.applied.withLockedValue { applied in
            defer { applied.fingerprint = fingerprint }
            return applied
        }
        guard before.fingerprint != fingerprint else { return false }
        let manifests = try self.folder.read()
        guard manifests != before.manifests else { return false }
        try self.apply(manifests, over: before.manifests)
        self.applied.withLockedValue { $0.manifests = manifests }
        return true
    }

    /// Looks for changes until it is cancelled.
    package func run() async {
        while !Task.isCancelled {
            do throws(ManifestProblem) {
                if try self.load() { self.logger.info("Manifests applied") }
            } catch {
                self.logger.warning(
                    "A manifest cannot be used; everything stays as it was",
                    metadata: ["problem": "\(error)"]
                )
            }
            // Polling sees every way in which editors and tools replace files, on every file system.
            try? await Task.sleep(for: self.interval)
        }
    }

    private func apply(_ manifests: [Manifest], over old: [Manifest]) throws(ManifestProblem) {
        for manifest in manifests { try self.write(manifest, over: old, isTrial: true) }
        for manifest in manifests { try self.write(manifest, over: old, isTrial: false) }
        for gone in old where !manifests.contains(where: { $0.resource == gone.resource && $0.key == gone.key }) {
            // It may be gone already; the result is the same.
            _ = try? self.cluster.answer(Self.request(.delete, gone))
        }
    }

    private func write(_ manifest: Manifest, over old: [Manifest], isTrial: Bool) throws(ManifestProblem) {
        do {
            let query = isTrial ? [QueryItem("dryRun", "All")] : []
            let current = try? self.cluster.answer(Self.request(.get, manifest))
            guard let current else {
                var create = Self.request(.create, manifest)
                create.name = nil
                create.query = query
                try self.cluster.answer(create, body: manifest.object)
                return
            }
            let previous = old.first { $0.resource == manifest.resource && $0.key == manifest.key }
            var replace = Self.request(.replace, manifest)
            replace.query = query
            let object = Self.merged(manifest.object, over: current, previous: previous?.object)
            try self.cluster.answer(replace, body: object)
        } catch {
            throw ManifestProblem("\(manifest.source): \(error.message)")
        }
    }

    /// The new content, with the labels, annotations and finalizers that others have added to the object.
    private static func merged(_ wanted: JSONValue, over current: JSONValue, previous: JSONValue?) -> JSONValue {
        var object = wanted
        for field in ["labels", "annotations"] {
            var entries = current.metadata[field]?.objectValue ?? [:]
            for key in (previous?.metadata[field]?.objectValue ?? [:]).keys { entries[key] = nil }
            entries.merge(wanted.metadata[field]?.objectValue ?? [:]) { _, new in new }
            object.metadata[field] = entries.isEmpty ? nil : .object(entries)
        }
        object.metadata["finalizers"] = current.metadata["finalizers"]
        return object
    }

    private static func request(_ verb: APIRequest.Verb, _ manifest: Manifest) -> APIRequest {
        let namespace = manifest.resource.isNamespaced ? manifest.key.namespace : nil
        return APIRequest(verb, manifest.resource, namespace: namespace, name: manifest.key.name)
    }
}
