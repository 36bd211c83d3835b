/// Text inside of a URL.
package enum PercentEncoding {
    /// All but the characters that RFC 3986 leaves alone everywhere.
    ///
    /// A lone `.` or `..` would be taken for a folder, and is encoded too.
    package static func segment(_ text: some StringProtocol) -> String {
        if text == "." || text == ".." { return String(repeating: "%2E", count: text.utf8.count) }
        return self.encoded(text, space: "%20")
    }

    /// A path whose slashes stay; empty segments are left out.
    package static func path(_ text: String) -> String {
        text.split(separator: "/", omittingEmptySubsequences: true).map(self.segment).joined(separator: "/")
    }

    /// A name or value of a form, in which a space is a plus.
    package static func form(_ text: String) -> String { self.encoded(text, space: "+") }

    private static func encoded(_ text: some StringProtocol, space: String) -> String {
        var encoded = ""
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): encoded += space
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
