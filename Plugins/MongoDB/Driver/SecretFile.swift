internal import CMongo
internal import Glibc

/// A file that exists in memory only, for a library that wants a path: nothing of it is left when the process ends.
package final class SecretFile: Sendable {
    private let descriptor: Int32

    /// Fails when the system has no memory or no descriptors left.
    package init?(_ text: String) {
        let descriptor = unsafe sluice_memory_file("sluice-secret")
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return nil }
            rest = rest.dropFirst(written)
        }
    }

    deinit {
        close(self.descriptor)
    }

    /// Valid in this process, as long as the file lives.
    package var path: String { "/proc/self/fd/\(self.descriptor)" }
}
