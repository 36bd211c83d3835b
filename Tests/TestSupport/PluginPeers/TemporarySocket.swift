#if canImport(Glibc)
internal import Glibc
#endif

/// A path for a socket in a folder of its own, which goes away with ``remove()``.
package struct TemporarySocket: Sendable {
    package let folder: String

    package var path: String { "\(self.folder)/host.sock" }

    package init() {
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("no temporary folder") }
        self.folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A file in the folder with this content.
    @discardableResult
    package func write(_ content: String, to name: String) -> String {
        let path = "\(self.folder)/\(name)"
        // Renamed into place, so that nobody reads half of it.
        if let file = fopen("\(path).new", "w") {
            fputs(content, file)
            fclose(file)
            rename("\(path).new", path)
        }
        return path
    }

    package func remove() {
        if let folder = opendir(self.folder) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink("\(self.folder)/\(name)")
            }
            closedir(folder)
        }
        rmdir(self.folder)
    }
}

/// Where the executables of this package lie: beside the tests.
package func builtExecutable(_ name: String) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes {
        guard let start = $0.baseAddress else { return 0 }
        return readlink("/proc/self/exe", start.assumingMemoryBound(to: CChar.self), $0.count)
    }
    let path = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    return path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/\(name)"
}
