/// One value of a document.
package enum BSONValue: Sendable, Hashable {
    case double(Double)
    case string(String)
    case document(BSONDocument)
    case array([BSONValue])
    case bool(Bool)
    /// Milliseconds of Unix time.
    case date(milliseconds: Int64)
    case null
    case int32(Int32)
    case int64(Int64)
    /// Any other type, kept as it came, so that it can be written back.
    case other(type: UInt8, bytes: [UInt8])

    /// The text, if it is one.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The whole number, if it is one of any width.
    package var integer: Int64? {
        switch self {
        case .int32(let number): Int64(number)
        case .int64(let number): number
        case .double(let number): Int64(exactly: number)
        default: nil
        }
    }

    /// The document, if it is one.
    package var document: BSONDocument? {
        guard case .document(let document) = self else { return nil }
        return document
    }

    /// The elements, if it is an array.
    package var array: [BSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}

extension BSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) {
        self = Int32(exactly: value).map(BSONValue.int32) ?? .int64(value)
    }
}

extension BSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    package init(dictionaryLiteral elements: (String, BSONValue)...) {
        self = .document(BSONDocument(elements))
    }
    package init(arrayLiteral elements: BSONValue...) { self = .array(elements) }
}
