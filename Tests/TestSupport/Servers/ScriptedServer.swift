internal import Glibc
internal import NIOConcurrencyHelpers

/// A plain HTTP/1.1 server on loopback whose answers a test writes byte for byte, to make faults happen on purpose.
///
/// Unchecked: the socket is set once, and the log is behind a lock.
package final class ScriptedServer: @unchecked Sendable {
    package struct Request: Sendable {
        package let head: String
        package let number: Int
        package var line: String { String(self.head.prefix { $0 != "\r\n" }) }
    }

    /// What is written to the connection.
    package enum Answer: Sendable {
        case text(String)
        /// The text again and again, until the client goes away.
        case flood(String)
        /// Nothing, while the connection stays open until the server is stopped.
        case silence
        /// The connection is closed.
        case hangUp
    }

    package let port: Int
    private let listener: Int32
    private let requests = NIOLockedValueBox<[Request]>([])
    private let sockets = NIOLockedValueBox<[Int32]>([])
    private let written = NIOLockedValueBox(0)
    private let ended = NIOLockedValueBox(0)
    private let answer: @Sendable (Request) -> Answer

    package var address: String { "http://127.0.0.1:\(self.port)" }
    package var log: [Request] { self.requests.withLockedValue { $0 } }
    /// Bytes of floods that the client took.
    package var floodedBytes: Int { self.written.withLockedValue { $0 } }
    /// Floods that the client put an end to.
    package var endedFloods: Int { self.ended.withLockedValue { $0 } }

    package init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
        self.answer = answer
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard isBound else { throw ServerFailure() }
        self.listener = listener
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Self.onThread { self.accept() }
    }

    package struct ServerFailure: Error {}

    package static func ok(_ body: String, _ status: String = "200 OK", headers: [String] = []) -> Answer {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
        return .text(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    package func stop() {
        shutdown(self.listener, Int32(SHUT_RDWR))
        for socket in self.sockets.withLockedValue({ $0 }) { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    private func accept() {
        while case let socket = Glibc.accept(self.listener, nil, nil), socket >= 0 {
            self.sockets.withLockedValue { $0.append(socket) }
            Self.onThread {
                self.serve(socket)
                self.sockets.withLockedValue { $0.removeAll { $0 == socket } }
                close(socket)
            }
        }
        close(self.listener)
    }

    private func serve(_ socket: Int32) {
        while let head = self.readRequest(socket) {
            let request = self.requests.withLockedValue { requests in
                let request = Request(head: head, number: requests.count)
                requests.append(request)
                return request
            }
            switch self.answer(request) {
            case .text(let text):
                guard self.write(text, to: socket) else { return }
            case .flood(let text):
                guard self.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", to: socket) else { return }
                while self.write(text, to: socket) {
                    self.written.withLockedValue { $0 += text.utf8.count }
                }
                self.ended.withLockedValue { $0 += 1 }
                return
            case .silence:
                var byte: UInt8 = 0
                while recv(socket, &byte, 1, 0) > 0 {}
                return
            case .hangUp: return
            }
        }
    }

    /// The head; the body is read and dropped.
    private func readRequest(_ socket: Int32) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
            guard recv(socket, &byte, 1, 0) == 1 else { return nil }
            bytes.append(byte)
        }
        let head = String(decoding: bytes, as: UTF8.self)
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        var left = length.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
        while left > 0, recv(socket, &byte, 1, 0) == 1 { left -= 1 }
        return head
    }

    private func write(_ text: String, to socket: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Box(body)).toOpaque()
        pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            context
        )
        pthread_detach(thread)
    }
}
