#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A socket path in a folder of its own that only this user can enter; short, since socket paths are limited.
struct TemporarySocket {
    let folder: String
    var path: String { "\(self.folder)/host.sock" }

    init() throws {
        var template = Array("/tmp/sluice-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure("cannot make a folder for the plugin socket in /tmp: \(String(cString: strerror(errno)))")
        }
        self.folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        unlink(self.path)
        rmdir(self.folder)
    }
}
