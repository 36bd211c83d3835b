internal import NIOConcurrencyHelpers
internal import NIOCore
internal import PluginProtocol

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A Unix domain socket bound to a path that only the host's user may open.
struct ListeningSocket: Sendable {
    /// The mode of new files belongs to the process, so one bind at a time.
    private static let bindLock = NIOLock()

    private let path: String
    private let descriptor: Int32
    private let inode: UInt64

    /// Binds; removes a file that a host which is no more left there.
    ///
    /// - Throws: ``PluginHostError``, which says what to do.
    init(path: String) throws {
        guard path.utf8.count <= ProtocolLimits.socketPathBytes, !path.isEmpty else {
            throw PluginHostError(
                .pathTooLong,
                "socket path \(path) has \(path.utf8.count) bytes; 1 to \(ProtocolLimits.socketPathBytes) are allowed"
            )
        }
        self.path = path
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard self.descriptor >= 0 else {
            throw PluginHostError(.cannotListen, "no socket could be made: \(Self.errorText())")
        }
        do {
            try Self.removeStaleFile(path)
            try Self.bind(self.descriptor, path)
        } catch {
            close(self.descriptor)
            throw error
        }
        self.inode = Self.inode(path) ?? 0
    }

    /// The bound socket; whoever takes it closes it.
    func takeDescriptor() -> Int32 {
        self.descriptor
    }

    /// Removes the file, unless another host has put its own there.
    func removeFile() {
        if Self.inode(self.path) == self.inode {
            unlink(self.path)
        }
    }

    private static func bind(_ descriptor: Int32, _ path: String) throws {
        let result = Self.bindLock.withLock {
            let mask = umask(0o077)
            defer { umask(mask) }
            return Self.withAddress(path) { Glibc.bind(descriptor, $0, $1) }
        }
        guard result == 0 else {
            throw PluginHostError(.cannotListen, "cannot listen on \(path): \(Self.errorText())")
        }
    }

    private static func removeStaleFile(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw PluginHostError(.inUse, "\(path) exists and is not a socket")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(probe) }
        if Self.withAddress(path, { connect(probe, $0, $1) }) == 0 {
            throw PluginHostError(.inUse, "another host listens on \(path)")
        }
        unlink(path)
    }

    private static func withAddress(
        _ path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func inode(_ path: String) -> UInt64? {
        var status = stat()
        return lstat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    private static func errorText() -> String {
        String(cString: strerror(errno))
    }
}

/// Who is at the other end of a Unix domain socket, as the kernel knows it.
enum PeerCredentials {
    /// The kernel's `struct ucred`, which the C library hides behind a feature macro.
    private struct Credentials: Sendable {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }

    static func user(of channel: any Channel) -> EventLoopFuture<UInt32> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let credentials: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(
            level: .socket,
            name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        )
        return credentials.map { $0.user }
    }
}
