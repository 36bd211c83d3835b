internal import SystemPackage

/// Files of credentials and configuration, which are small or wrong.
enum SmallFile {
    static let limit = 4 << 20

    /// Reads the whole file.
    ///
    /// The error names the path, never the content.
    static func read(_ path: String) throws(KubernetesError) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var part = [UInt8](repeating: 0, count: 16 << 10)
                while case let count = try unsafe part.withUnsafeMutableBytes({ try unsafe file.read(into: $0) }),
                    count > 0
                {
                    bytes.append(contentsOf: part[..<count])
                    guard bytes.count <= Self.limit else {
                        throw KubernetesError(.configuration, "\(path) is larger than \(Self.limit) bytes")
                    }
                }
                return bytes
            }
        } catch let error as KubernetesError {
            throw error
        } catch {
            throw KubernetesError(.configuration, "\(path) cannot be read: \(error)")
        }
    }

    static func readText(_ path: String) throws(KubernetesError) -> String {
        guard let text = String(validating: try Self.read(path), as: UTF8.self) else {
            throw KubernetesError(.configuration, "\(path) is not UTF-8 text")
        }
        return text
    }
}
