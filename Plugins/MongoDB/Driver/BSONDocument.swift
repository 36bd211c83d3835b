/// A document as its bytes: a value that can be kept, compared and passed between threads.
///
/// The C library's `bson_t` is aligned to 128 bytes, which Swift cannot import as a value, so it exists only for the length
/// of a call; see ``withPointer(_:)``. Keys keep their order.
package struct BSONDocument: Sendable, Hashable {
    /// Length, elements, a zero byte: as it travels.
    package private(set) var bytes: [UInt8]

    /// An empty document.
    package init() {
        self.bytes = [5, 0, 0, 0, 0]
    }

    /// A document of these elements, in this order.
    package init(_ elements: some Sequence<(String, BSONValue)>) {
        self.init()
        for (key, value) in elements {
            self.append(key, value)
        }
    }

    /// An update that is a pipeline: the driver takes a document of numbered stages for one.
    package static func pipeline(_ stages: [BSONValue]) -> BSONDocument {
        BSONDocument(stages.enumerated().lazy.map { (String($0.offset), $0.element) })
    }

    /// Takes bytes that the C library has made or checked.
    init(checkedBytes: [UInt8]) {
        self.bytes = checkedBytes
    }

    /// Whether it has no element.
    package var isEmpty: Bool { self.bytes.count <= 5 }

    /// The first value of this name.
    package subscript(key: String) -> BSONValue? {
        self.elements.first { $0.key == key }?.value
    }

    /// Adds an element at the end, whether or not there is one of this name.
    package mutating func append(_ key: String, _ value: BSONValue) {
        self.bytes.removeLast()
        self.bytes.append(value.type)
        // A zero byte ends a key: it cannot hold one.
        self.bytes.append(contentsOf: key.utf8.lazy.filter { $0 != 0 })
        self.bytes.append(0)
        value.encode(into: &self.bytes)
        self.bytes.append(0)
        let length = UInt32(truncatingIfNeeded: self.bytes.count)
        for index in 0..<4 {
            self.bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index)))
        }
    }
}

extension BSONDocument: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, BSONValue)...) {
        self.init(elements)
    }
}

extension BSONValue {
    /// The type's number in BSON.
    fileprivate var type: UInt8 {
        switch self {
        case .double: 0x01
        case .string: 0x02
        case .document: 0x03
        case .array: 0x04
        case .bool: 0x08
        case .date: 0x09
        case .null: 0x0A
        case .int32: 0x10
        case .int64: 0x12
        case .other(let type, _): type
        }
    }

    fileprivate func encode(into bytes: inout [UInt8]) {
        switch self {
        case .double(let number): bytes.appendLittleEndian(number.bitPattern)
        case .string(let text):
            bytes.appendLittleEndian(UInt32(truncatingIfNeeded: text.utf8.count + 1))
            bytes.append(contentsOf: text.utf8)
            bytes.append(0)
        case .document(let document): bytes.append(contentsOf: document.bytes)
        case .array(let elements):
            let numbered = elements.enumerated().lazy.map { (String($0.offset), $0.element) }
            bytes.append(contentsOf: BSONDocument(numbered).bytes)
        case .bool(let flag): bytes.append(flag ? 1 : 0)
        case .date(let milliseconds): bytes.appendLittleEndian(UInt64(bitPattern: milliseconds))
        case .null: break
        case .int32(let number): bytes.appendLittleEndian(UInt32(bitPattern: number))
        case .int64(let number): bytes.appendLittleEndian(UInt64(bitPattern: number))
        case .other(_, let payload): bytes.append(contentsOf: payload)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func appendLittleEndian(_ number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: 0, to: number.bitWidth, by: 8) {
            self.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
