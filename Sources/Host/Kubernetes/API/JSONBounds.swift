/// What a JSON text asks of its parser, and what parsers pass over: a key that is there twice.
///
/// Looked at before the text is parsed, so that what is far too large costs nothing. Whether it is JSON is not for this to say.
package struct JSONBounds {
    /// Why a text is refused.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The same as for YAML.
    private static let maximumValues = 500_000
    private static let maximumDepth = 200

    /// An object with the keys that it has so far, or nil for a list.
    private var open: [Set<[UInt8]>?] = []
    private var values = 1
    /// Whether the next text is a key.
    private var expectsKey = false

    package static func check(_ bytes: [UInt8]) throws(Failure) {
        var bounds = Self()
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                let end = Self.end(ofTextAt: index, in: bytes)
                if bounds.expectsKey { try bounds.takeKey(bytes[index..<end]) }
                index = end
                continue
            case UInt8(ascii: "{"):
                bounds.open.append([])
                bounds.values += 1
                bounds.expectsKey = true
            case UInt8(ascii: "["):
                bounds.open.append(Set<[UInt8]>?.none)
                bounds.values += 1
                bounds.expectsKey = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = bounds.open.popLast()
                bounds.expectsKey = false
            case UInt8(ascii: ","):
                bounds.values += 1
                bounds.expectsKey = bounds.open.last.flatMap { $0 } != nil
            case UInt8(ascii: ":"): bounds.values += 1
            default: break
            }
            guard bounds.values <= Self.maximumValues else { throw Failure(description: "has too many values") }
            guard bounds.open.count <= Self.maximumDepth else { throw Failure(description: "nested too deeply") }
            index += 1
        }
    }

    private mutating func takeKey(_ text: ArraySlice<UInt8>) throws(Failure) {
        self.expectsKey = false
        var key = Array(text)
        // An escape is another spelling of the same key.
        if key.contains(UInt8(ascii: "\\")), let value = (try? JSONValue(parsing: key))?.stringValue {
            key = [UInt8(ascii: "\"")] + Array(value.utf8) + [UInt8(ascii: "\"")]
        }
        guard !self.open.isEmpty, self.open[self.open.count - 1]?.insert(key).inserted == false else { return }
        let name = String(decoding: key.dropFirst().dropLast().prefix(100), as: UTF8.self)
        throw Failure(description: "the key \(name) is there twice")
    }

    /// Behind the closing quote, or the end of all.
    private static func end(ofTextAt start: Int, in bytes: [UInt8]) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, bytes.count)
    }
}
