internal import FoundationEssentials
internal import Kubernetes
package import SystemPackage

/// The files that the user named: single files, and folders of which every `.yaml`, `.yml` and `.json` counts.
package struct ManifestFolder: Sendable {
    /// What tells one state of the files from another without reading them.
    package struct Fingerprint: Sendable, Equatable {
        fileprivate let entries: [String]
    }

    /// The longest file that is read.
    private static let maximumSize = 4 << 20

    package let paths: [FilePath]

    package init(paths: [FilePath]) {
        self.paths = paths
    }

    package func fingerprint() -> Fingerprint {
        let files = self.files().map { file in
            let attributes = try? FileManager.default.attributesOfItem(atPath: file.string)
            let modified = (attributes?[.modificationDate] as? Date)?.timeIntervalSinceReferenceDate ?? 0
            let size = attributes?[.size] as? Int ?? -1
            // Editors that write a new file and rename it change the number even when time and size stay the same.
            let number = attributes?[.systemFileNumber] as? Int ?? 0
            return "\(file.string) \(modified) \(size) \(number)"
        }
        return Fingerprint(entries: files)
    }

    /// Reads every object of every file; the first problem ends it.
    package func read(for purpose: Manifest.Purpose = .running) throws(ManifestProblem) -> [Manifest] {
        var manifests: [Manifest] = []
        for file in self.files() {
            let name = file.string
            guard let data = FileManager.default.contents(atPath: name) else {
                throw ManifestProblem("\(name): cannot be read")
            }
            guard data.count <= Self.maximumSize else { throw ManifestProblem("\(name): larger than 4 MiB") }
            guard let text = String(bytes: data, encoding: .utf8) else { throw ManifestProblem("\(name): not UTF-8") }
            manifests += try Manifest.read(text, file: name, for: purpose)
        }
        var seen: [String: Manifest] = [:]
        for manifest in manifests {
            let identity = "\(manifest.resource.kind) \(manifest.key)"
            if let first = seen.updateValue(manifest, forKey: identity) {
                throw ManifestProblem("\(manifest.source): \(identity) is there already, in \(first.source)")
            }
        }
        return manifests
    }

    private func files() -> [FilePath] {
        self.paths.flatMap { path -> [FilePath] in
            guard Self.isDirectory(path) else { return [path] }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []
            return names.filter(Self.isManifest).sorted().map { path.appending($0) }
        }
    }

    private static func isDirectory(_ path: FilePath) -> Bool {
        var isDirectory = false
        return FileManager.default.fileExists(atPath: path.string, isDirectory: &isDirectory) && isDirectory
    }

    private static func isManifest(_ name: String) -> Bool {
        !name.hasPrefix(".") && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
    }
}
