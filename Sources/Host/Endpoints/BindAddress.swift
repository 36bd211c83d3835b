/// Where a server listens: a port of one address, or of all.
package struct BindAddress: Sendable, Equatable, CustomStringConvertible {
    /// A name or an address; empty for every address of the machine.
    package let host: String
    /// 0 lets the system choose.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `:8080`, `127.0.0.1:8080`, `[::1]:8080` or `name:8080`; `0` and nothing mean off, which is nil.
    package static func parse(_ text: String) throws(BindAddressProblem) -> BindAddress? {
        if text.isEmpty || text == "0" { return nil }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw BindAddressProblem(text: text) }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw BindAddressProblem(text: text)
        }
        return BindAddress(host: String(host), port: Int(port))
    }

    package var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}

/// A text that names no place to listen.
package struct BindAddressProblem: Error, Sendable, CustomStringConvertible {
    package let text: String

    package var description: String {
        "\"\(self.text)\" is not an address; write host:port, :port for every address, or 0 for none"
    }
}
