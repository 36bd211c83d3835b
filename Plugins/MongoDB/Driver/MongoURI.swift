/// Connection texts: made of parts, and searched for what must not be shown.
package enum MongoURI {
    /// `scheme://user:password@host[:port]/database`, with everything escaped that needs it.
    package static func make(
        scheme: String,
        username: String,
        password: String,
        host: String,
        port: String?,
        database: String
    ) -> String {
        let address = port.map { "\(host):\($0)" } ?? host
        return "\(scheme)://\(escaped(username)):\(escaped(password))@\(address)/\(escaped(database))"
    }

    /// Escapes everything but letters, digits and `-._~`.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += digits.count < 2 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return escaped
    }

    /// What of a URI must not be shown: all of it, the userinfo, the password as written and as meant.
    static func secrets(of uri: String) -> [String] {
        var secrets = [uri]
        if let scheme = uri.firstRange(of: "://"), let end = uri.lastIndex(of: "@"), scheme.upperBound < end {
            let userinfo = uri[scheme.upperBound..<end]
            secrets.append(String(userinfo))
            if let colon = userinfo.firstIndex(of: ":") {
                let password = String(userinfo[userinfo.index(after: colon)...])
                secrets += [password, Self.unescaped(password)]
            }
        }
        return secrets
    }

    private static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, let code = UInt8(String(Substring(digits)), radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
