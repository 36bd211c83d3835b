internal import Glibc
internal import NIOConcurrencyHelpers

/// Passes plain HTTP/1.1 on to another server on loopback, byte for byte, and keeps what was asked for.
///
/// Unchecked: the socket is set once, and the log is behind a lock.
package final class AuditProxy: @unchecked Sendable {
    /// A request that arrived whole.
    package struct Entry: Sendable {
        package let method: String
        package let target: String
    }

    package let port: Int
    private let upstream: Int
    private let listener: Int32
    private let entries = NIOLockedValueBox<[Entry]>([])
    private let sockets = NIOLockedValueBox<Set<Int32>>([])

    private let holding = NIOLockedValueBox<(@Sendable (Entry) -> Bool)?>(nil)

    package var address: String { "http://127.0.0.1:\(self.port)" }
    package var log: [Entry] { self.entries.withLockedValue { $0 } }

    /// Begins to listen; `upstream` is the port of the server behind it.
    package init(upstream: Int) throws {
        self.upstream = upstream
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard isBound else { throw ScriptedServer.ServerFailure() }
        self.listener = listener
        self.port = Int(UInt16(bigEndian: address.sin_port))
        ServerThread.start { self.accept() }
    }

    /// Keeps the answers to such requests back from now on; the requests are passed on.
    package func holdAnswers(to matches: @escaping @Sendable (Entry) -> Bool) {
        self.holding.withLockedValue { $0 = matches }
    }

    /// Hands over what was kept back.
    package func release() {
        self.holding.withLockedValue { $0 = nil }
    }

    package func stop() {
        self.release()
        shutdown(self.listener, Int32(SHUT_RDWR))
        self.sockets.withLockedValue { for socket in $0 { shutdown(socket, Int32(SHUT_RDWR)) } }
    }

    private func accept() {
        while case let client = Glibc.accept(self.listener, nil, nil), client >= 0 {
            ServerThread.start { self.serve(client) }
        }
        close(self.listener)
    }

    private func serve(_ client: Int32) {
        defer { close(client) }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard server >= 0 else { return }
        var address = Self.loopback(self.upstream)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                connect(server, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else {
            close(server)
            return
        }
        self.sockets.withLockedValue { $0.formUnion([client, server]) }
        let last = NIOLockedValueBox<Entry?>(nil)
        let back = ServerThread.startJoinable {
            self.copyAnswers(from: server, to: client, last)
            shutdown(client, Int32(SHUT_RDWR))
        }
        self.copyRequests(from: client, to: server, last)
        shutdown(server, Int32(SHUT_RDWR))
        back.join()
        self.sockets.withLockedValue { $0.subtract([client, server]) }
        close(server)
    }

    private func copyAnswers(from server: Int32, to client: Int32, _ last: NIOLockedValueBox<Entry?>) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while case let count = recv(server, &buffer, buffer.count, 0), count > 0 {
            while let entry = last.withLockedValue({ $0 }), self.holding.withLockedValue({ $0 })?(entry) == true {
                usleep(1_000)
            }
            guard Self.write(buffer[..<count], to: client) else { return }
        }
    }

    private func copyRequests(from client: Int32, to server: Int32, _ last: NIOLockedValueBox<Entry?>) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while case let count = recv(client, &buffer, buffer.count, 0), count > 0 {
            bytes += buffer[..<count]
            while let length = Self.lengthOfRequest(bytes) {
                let line = String(decoding: bytes.prefix { $0 != 13 }, as: UTF8.self).split(separator: " ")
                if line.count >= 2 {
                    let entry = Entry(method: String(line[0]), target: String(line[1]))
                    self.entries.withLockedValue { $0.append(entry) }
                    last.withLockedValue { $0 = entry }
                }
                guard Self.write(bytes[..<length], to: server) else { return }
                bytes.removeFirst(length)
            }
        }
    }

    /// Head and body of the first request; nil while it is not complete.
    private static func lengthOfRequest(_ bytes: [UInt8]) -> Int? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let head = text.start(of: "\r\n\r\n") else { return nil }
        let lines = text[..<head].split(separator: "\r\n")
        let length = lines.first { $0.lowercased().hasPrefix("content-length:") }
        let body = length.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
        let whole = text[..<head].utf8.count + 4 + body
        return bytes.count >= whole ? whole : nil
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to socket: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

extension String {
    /// Where a part begins; the part is ASCII.
    fileprivate func start(of part: String) -> String.Index? { self.firstRange(of: part)?.lowerBound }
}
