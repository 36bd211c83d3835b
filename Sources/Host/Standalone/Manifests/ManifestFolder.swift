internal import FoundationEssentials
internal import Kubernetes
package import SystemPackage

/// The files that the user named: single files, and folders of which every `.yaml`, `.yml` and `.json` counts.
package struct ManifestFolder: Sendable {
    /// What tells one state of the files from another without reading them.
    package struct Fingerprint: Sendable, Equatable {
        fileprivate let entries: [String]
    }

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
            let text = try Manifest.text(try Self.contents(of: file), file: file.string)
            manifests += try Manifest.read(text, file: file.string, for: purpose)
        }
        if let problem = Manifest.repetitions(in: manifests).first { throw problem }
        return manifests
    }

    /// The bytes of a file, or of the standard input for `-`; one more than are allowed at most.
    package static func contents(of file: FilePath) throws(ManifestProblem) -> [UInt8] {
        do {
            if file == "-" { return try Self.bytes(of: .standardInput) }
            let descriptor = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
            return try descriptor.closeAfter { try Self.bytes(of: descriptor) }
        } catch {
            throw ManifestProblem("\(file.string): cannot be read: \(error)")
        }
    }

    private static func bytes(of file: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Manifest.maximumSize,
            case let count = try part.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0
        {
            bytes += part[..<count]
        }
        return bytes
    }

    /// The files in order: those that were named, and those of the folders.
    package func files() -> [FilePath] {
        self.paths.flatMap { path -> [FilePath] in
            guard Self.isDirectory(path) else { return [path] }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []
            return names.filter(Self.isManifest).sorted().map { path.appending($0) }
        }
    }

    /// One warning for each folder that has folders in it: those are not looked into.
    package func subfolders() -> [ManifestProblem] {
        self.paths.filter(Self.isDirectory).compactMap { path in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []
            let folders = names.filter { !$0.hasPrefix(".") && Self.isDirectory(path.appending($0)) }.sorted()
            guard !folders.isEmpty else { return nil }
            let list = folders.prefix(5).joined(separator: ", ") + (folders.count > 5 ? ", …" : "")
            return ManifestProblem("\(path.string): folders in it are not read (\(list)); name them as well")
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
