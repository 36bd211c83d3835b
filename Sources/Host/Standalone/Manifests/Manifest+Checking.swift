import Kubernetes

extension Manifest {
    /// The longest text that is read.
    package static let maximumSize = 4 << 20

    /// Reads what can be read of a text for a check, and says what cannot.
    ///
    /// One object that is wrong hides no other, and whatever comes is answered: any bytes may.
    package static func check(
        _ bytes: [UInt8],
        file: String
    ) -> (manifests: [Manifest], problems: [ManifestProblem], warnings: [ManifestProblem]) {
        var manifests: [Manifest] = []
        var problems: [ManifestProblem] = []
        var warnings: [ManifestProblem] = []
        do throws(ManifestProblem) {
            let text = try Self.text(bytes, file: file)
            for (value, source) in try Self.objects(in: text, file: file) {
                guard Self.isOurs(value) else {
                    if let warning = Self.warning(passingOver: value, source) { warnings.append(warning) }
                    continue
                }
                do throws(ManifestProblem) {
                    var manifest = try Manifest(value, source: source, purpose: .checking)
                    manifest.keepMetadataThatCounts()
                    manifests.append(manifest)
                } catch {
                    problems.append(error)
                }
            }
        } catch {
            problems.append(error)
        }
        return (manifests, problems, warnings)
    }

    /// Says of an object in KEDA's group that nothing looks at it, and what its kind perhaps should be.
    private static func warning(passingOver value: JSONValue, _ source: String) -> ManifestProblem? {
        guard let kind = value["kind"]?.stringValue, let version = value["apiVersion"]?.stringValue else { return nil }
        let own = Self.resources.filter { $0.group == "keda.sh" || $0.group == "sluice.dev" }.map(\.kind)
        if let meant = own.first(where: { $0.lowercased() == kind.lowercased() }) {
            return ManifestProblem("\(source): \(kind) is not known and passed over; write \(meant)")
        }
        let groups = ["keda.sh/", "eventing.keda.sh/", "sluice.dev/"]
        guard groups.contains(where: version.hasPrefix) else { return nil }
        guard !Self.keptByKEDA.contains(kind) else {
            return ManifestProblem("\(source): \(kind) is passed over: Sluice runs ScaledJobs; keep KEDA for this one")
        }
        let kinds = own.joined(separator: ", ")
        return ManifestProblem("\(source): \(kind.prefix(100)) is not known and passed over; there are \(kinds)")
    }

    private static let keptByKEDA: Set<String> = ["ScaledObject", "CloudEventSource", "ClusterCloudEventSource"]

    /// The text of a file, as far as it can be one.
    package static func text(_ bytes: [UInt8], file: String) throws(ManifestProblem) -> String {
        guard bytes.count <= Self.maximumSize else { throw ManifestProblem("\(file): larger than 4 MiB") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw ManifestProblem("\(file): not UTF-8") }
        return text
    }

    /// One problem for each manifest of an object that is there already.
    package static func repetitions(in manifests: [Manifest]) -> [ManifestProblem] {
        var seen: [String: Manifest] = [:]
        return manifests.compactMap { manifest in
            let identity = "\(manifest.resource.kind) \(manifest.key)"
            guard let first = seen.updateValue(manifest, forKey: identity) else { return nil }
            return ManifestProblem("\(manifest.source): \(identity) is there already, in \(first.source)")
        }
    }

    /// Leaves out what a person does not write and a check does not read, of whatever shape it is.
    private mutating func keepMetadataThatCounts() {
        let kept = ["name", "namespace", "labels", "annotations"]
        self.object.metadata = .object(
            (self.object.metadata.objectValue ?? [:]).filter { kept.contains($0.key) && $0.value != .null }
        )
        for field in ["labels", "annotations"] where self.object.metadata[field]?.objectValue == nil {
            self.object.metadata[field] = nil
        }
    }
}
