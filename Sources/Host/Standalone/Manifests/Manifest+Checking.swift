import Kubernetes

extension Manifest {
    /// The longest text that is read.
    package static let maximumSize = 4 << 20

    /// Reads what can be read of a text for a check, and says what cannot.
    ///
    /// One object that is wrong hides no other, and whatever comes is answered: any bytes may.
    package static func check(_ bytes: [UInt8], file: String) -> (manifests: [Manifest], problems: [ManifestProblem]) {
        var manifests: [Manifest] = []
        var problems: [ManifestProblem] = []
        do throws(ManifestProblem) {
            let text = try Self.text(bytes, file: file)
            for (value, source) in try Self.objects(in: text, file: file) where Self.isOurs(value) {
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
        return (manifests, problems)
    }

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
