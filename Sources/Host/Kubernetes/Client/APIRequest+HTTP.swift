internal import HTTP

extension APIRequest {
    /// True when the call changes something.
    var isWrite: Bool {
        switch self.verb {
        case .get, .list, .watch: false
        case .create, .mergePatch, .replace, .delete: true
        }
    }

    var httpMethod: HTTPRequest.Method {
        switch self.verb {
        case .get, .list, .watch: .get
        case .create: .post
        case .mergePatch: .patch
        case .replace: .put
        case .delete: .delete
        }
    }

    /// Path and query, percent-encoded.
    var target: String {
        var target = self.resource.group.isEmpty ? "/api/" : "/apis/\(Self.encoded(self.resource.group))/"
        target += Self.encoded(self.resource.version)
        if self.resource.isNamespaced, let namespace = self.namespace {
            target += "/namespaces/\(Self.encoded(namespace))"
        }
        target += "/\(Self.encoded(self.resource.plural))"
        if let name = self.name { target += "/\(Self.encoded(name))" }
        if let subresource = self.subresource { target += "/\(Self.encoded(subresource))" }
        var query = self.query
        if self.verb == .watch, !query.contains(where: { $0.name == "watch" }) {
            query.append(QueryItem("watch", "true"))
        }
        for (index, item) in query.enumerated() {
            target += "\(index == 0 ? "?" : "&")\(Self.encoded(item.name))=\(Self.encoded(item.value))"
        }
        return target
    }

    func headers(token: String?) -> [String] {
        var headers = ["Accept: application/json", "User-Agent: sluice"]
        if self.body != nil {
            headers.append("Content-Type: application/\(self.verb == .mergePatch ? "merge-patch+" : "")json")
        }
        if let token { headers.append("Authorization: Bearer \(token)") }
        return headers
    }

    /// All but the characters that RFC 3986 leaves alone everywhere.
    ///
    /// A lone `.` or `..` would be taken for a folder.
    private static func encoded(_ text: String) -> String {
        if text == "." || text == ".." { return String(repeating: "%2E", count: text.utf8.count) }
        var encoded = ""
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
