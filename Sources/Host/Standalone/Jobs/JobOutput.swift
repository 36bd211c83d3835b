internal import FoundationEssentials
package import Kubernetes
package import SystemPackage

/// The files that processes write to: `<state>/logs/<namespace>/<job>/<pod>-<container>.log`.
///
/// Processes write to them directly, so that a slow host never slows a worker. A file that grows beyond the limit is
/// cut; the folders of the oldest Jobs are removed.
package struct JobOutput: Sendable {
    package let directory: FilePath
    package let maximumFileSize: Int
    package let maximumJobs: Int

    package init(stateDirectory: FilePath, maximumFileSize: Int = 8 << 20, maximumJobs: Int = 500) {
        self.directory = stateDirectory.appending("logs")
        self.maximumFileSize = maximumFileSize
        self.maximumJobs = maximumJobs
    }

    /// The files of a Job in the order in which they were written to first.
    package func files(of job: ObjectKey) -> [FilePath] {
        let folder = self.folder(of: job)
        return Self.entries(of: folder).filter { $0.name.hasSuffix(".log") || $0.name.hasSuffix(".log.old") }
            .sorted { ($0.modified, $0.name) < ($1.modified, $1.name) }
            .map { folder.appending($0.name) }
    }

    package func file(of job: ObjectKey, pod: String, container: String) -> FilePath {
        self.folder(of: job).appending("\(pod)-\(container).log")
    }

    private func folder(of job: ObjectKey) -> FilePath {
        self.directory.appending(job.namespace).appending(job.name)
    }

    /// Opens a container's file for its process to append to; only this user can read it.
    func open(job: ObjectKey, pod: String, container: String) throws -> FileDescriptor {
        let file = self.file(of: job, pod: pod, container: container)
        try FileManager.default.createDirectory(
            atPath: file.removingLastComponent().string,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return try FileDescriptor.open(
            file,
            .writeOnly,
            options: [.append, .create, .closeOnExec],
            permissions: [.ownerReadWrite]
        )
    }

    /// Moves the content of a file that has grown too large to `….old`, as `copytruncate` of logrotate does.
    func trim(_ file: FilePath) {
        let manager = FileManager.default
        guard let size = (try? manager.attributesOfItem(atPath: file.string))?[.size] as? Int,
            size > self.maximumFileSize
        else { return }
        let old = file.string + ".old"
        do {
            let source = try FileDescriptor.open(file, .readWrite)
            defer { try? source.close() }
            let target = try FileDescriptor.open(
                FilePath(old),
                .writeOnly,
                options: [.create, .truncate],
                permissions: [.ownerReadWrite]
            )
            defer { try? target.close() }
            // Only the newest part is kept: a fast writer may have gone far beyond the limit.
            var offset = Int64(size - self.maximumFileSize)
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while offset < size {
                let count = try buffer.withUnsafeMutableBytes { try source.read(fromAbsoluteOffset: offset, into: $0) }
                if count == 0 { break }
                try target.writeAll(buffer[..<count])
                offset += Int64(count)
            }
            try source.resize(to: 0)
        } catch {
            // The file stays as it is and the next round tries again.
            return
        }
    }

    /// Removes the folders of the oldest Jobs when there are too many, but for those that still run.
    func prune(except running: Set<ObjectKey>) {
        var folders: [(path: FilePath, modified: Date)] = []
        for namespace in Self.entries(of: self.directory) {
            let folder = self.directory.appending(namespace.name)
            for job in Self.entries(of: folder) {
                guard !running.contains(ObjectKey(namespace: namespace.name, name: job.name)) else { continue }
                folders.append((folder.appending(job.name), job.modified))
            }
        }
        guard folders.count > self.maximumJobs else { return }
        for folder in folders.sorted(by: { $0.modified < $1.modified }).dropLast(self.maximumJobs) {
            try? FileManager.default.removeItem(atPath: folder.path.string)
        }
    }

    private static func entries(of folder: FilePath) -> [(name: String, modified: Date)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
        return names.map { name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: folder.appending(name).string)
            return (name, attributes?[.modificationDate] as? Date ?? .distantPast)
        }
    }
}
