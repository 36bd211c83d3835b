/// The server that an engine talks to, and how it is trusted.
package struct HTTPEndpoint: Sendable {
    /// `https://host:port/prefix`, without a slash at the end.
    package var address: String
    /// Certificates as PEM.
    ///
    /// Nil means the certificates that the system trusts.
    package var certificateAuthority: [UInt8]?
    package var verifiesServer = true
    /// The name that the server's certificate must carry, when it isn't the address's host.
    package var serverName: String?
    package var identity: ClientIdentity?
    package var proxy: String?
    /// Plain HTTP, which only a proxy on loopback may be spoken to with.
    package var allowsPlainHTTP = false
    package var limits = HTTPLimits()

    package init(address: String) {
        self.address = address
    }
}

/// Bounds on what a server can make the client hold.
package struct HTTPLimits: Sendable {
    package var answerBytes = 128 << 20
    package var lineBytes = 16 << 20
    /// How far a stream may run ahead of its reader.
    package var bufferedBytes = 4 << 20
    /// One for each call under way and each stream; what is beyond waits for one.
    package var connections = 1024
    /// How many are kept for the next calls.
    package var idleConnections = 64
    package var connectTimeout: Duration = .seconds(10)

    package init() {}
}

extension HTTPEndpoint {
    /// The parts of the address.
    package struct Address: Equatable {
        package var isSecure: Bool
        package var host: String
        package var port: Int
        package var prefix: String

        /// Nil unless the text is `http(s)://host[:port][/prefix]`.
        package init?(_ text: String) {
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

        package var isLoopback: Bool {
            self.host == "localhost" || self.host == "[::1]" || self.host.hasPrefix("127.")
        }

        package func url(host: String) -> String {
            "\(self.isSecure ? "https" : "http")://\(host):\(self.port)\(self.prefix)"
        }
    }
}
