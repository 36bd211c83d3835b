/// The server that an engine talks to, and how it is trusted.
struct HTTPEndpoint: Sendable {
    /// `https://host:port/prefix`, without a slash at the end.
    var address: String
    /// Certificates as PEM.
    ///
    /// Nil means the certificates that the system trusts.
    var certificateAuthority: [UInt8]?
    var verifiesServer = true
    /// The name that the server's certificate must carry, when it isn't the address's host.
    var serverName: String?
    var identity: ClientIdentity?
    var proxy: String?
    /// Plain HTTP, which only a proxy on loopback may be spoken to with.
    var allowsPlainHTTP = false
    var limits = HTTPLimits()
}

/// Bounds on what a server can make the client hold.
struct HTTPLimits: Sendable {
    var answerBytes = 128 << 20
    var lineBytes = 16 << 20
    /// How far a stream may run ahead of its reader.
    var bufferedBytes = 4 << 20
    /// One for each call under way and each stream; what is beyond waits for one.
    var connections = 1024
    /// How many are kept for the next calls.
    var idleConnections = 64
    var connectTimeout: Duration = .seconds(10)
}

extension HTTPEndpoint {
    /// The parts of the address.
    struct Address: Equatable {
        var isSecure: Bool
        var host: String
        var port: Int
        var prefix: String

        /// Nil unless the text is `http(s)://host[:port][/prefix]`.
        init?(_ text: String) {
            let rest: Substring
            if text.hasPrefix("https://") {
                self.isSecure = true
                rest = text.dropFirst(8)
            } else if text.hasPrefix("http://") {
                self.isSecure = false
                rest = text.dropFirst(7)
            } else {
                return nil
            }
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            var authority = rest[..<slash]
            var prefix = rest[slash...]
            while prefix.hasSuffix("/") { prefix.removeLast() }
            self.prefix = String(prefix)
            guard !authority.contains("@"), !rest.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }) else {
                return nil
            }
            self.port = self.isSecure ? 443 : 80
            // A colon inside brackets belongs to an IPv6 address.
            let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
            if let colon = authority[bracket...].lastIndex(of: ":") {
                guard let port = UInt16(authority[authority.index(after: colon)...]) else { return nil }
                self.port = Int(port)
                authority = authority[..<colon]
            }
            self.host = String(authority)
            guard !self.host.isEmpty else { return nil }
        }

        var isLoopback: Bool {
            self.host == "localhost" || self.host == "[::1]" || self.host.hasPrefix("127.")
        }

        func url(host: String) -> String {
            "\(self.isSecure ? "https" : "http")://\(host):\(self.port)\(self.prefix)"
        }
    }
}
