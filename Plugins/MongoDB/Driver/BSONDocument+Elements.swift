extension BSONDocument {
    /// What the document holds, in order, up to the first byte that makes no sense.
    package var elements: [(key: String, value: BSONValue)] {
        var reader = BSONReader(bytes: self.bytes[...])
        guard reader.skip(4) else { return [] }
        var elements: [(key: String, value: BSONValue)] = []
        while let type = reader.byte(), type != 0, let key = reader.terminatedText(),
            let value = reader.value(of: type)
        {
            elements.append((key, value))
        }
        return elements
    }
}

/// Reads the parts of a document, never past its end.
private struct BSONReader {
    var bytes: ArraySlice<UInt8>

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= self.bytes.count else { return nil }
        defer { self.bytes = self.bytes.dropFirst(count) }
        return self.bytes.prefix(count)
    }

    mutating func skip(_ count: Int) -> Bool {
        self.take(count) != nil
    }

    mutating func byte() -> UInt8? {
        self.take(1)?.first
    }

    mutating func terminatedText() -> String? {
        guard let end = self.bytes.firstIndex(of: 0), let text = self.take(end - self.bytes.startIndex) else {
            return nil
        }
        return self.skip(1) ? String(decoding: text, as: UTF8.self) : nil
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
        self.take(Number.bitWidth / 8)?.reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    /// The length that the next four bytes name, without taking them.
    func announcedLength() -> Int? {
        var ahead = self
        return ahead.number(Int32.self).map(Int.init)
    }

    mutating func value(of type: UInt8) -> BSONValue? {
        switch type {
        case 0x01: return self.number(UInt64.self).map { .double(Double(bitPattern: $0)) }
        case 0x02:
            guard let length = self.number(Int32.self), let text = self.take(Int(length)) else { return nil }
            return .string(String(decoding: text.dropLast(), as: UTF8.self))
        case 0x03, 0x04:
            guard let length = self.announcedLength(), length >= 5, let bytes = self.take(length) else { return nil }
            let document = BSONDocument(checkedBytes: Array(bytes))
            return type == 0x03 ? .document(document) : .array(document.elements.map(\.value))
        case 0x08: return self.byte().map { .bool($0 != 0) }
        case 0x09: return self.number(Int64.self).map { .date(milliseconds: $0) }
        case 0x0A: return .null
        case 0x10: return self.number(Int32.self).map(BSONValue.int32)
        case 0x12: return self.number(Int64.self).map(BSONValue.int64)
        default:
            guard let size = self.size(of: type), let bytes = self.take(size) else { return nil }
            return .other(type: type, bytes: Array(bytes))
        }
    }

    /// How many bytes the next value of one of the rarer types takes.
    private func size(of type: UInt8) -> Int? {
        switch type {
        case 0x05: return self.announcedLength().map { $0 + 5 }
        case 0x06, 0x7F, 0xFF: return 0
        case 0x07: return 12
        case 0x0B:
            guard let pattern = self.bytes.firstIndex(of: 0) else { return nil }
            return self.bytes[(pattern + 1)...].firstIndex(of: 0).map { $0 + 1 - self.bytes.startIndex }
        case 0x0C: return self.announcedLength().map { $0 + 16 }
        case 0x0D, 0x0E: return self.announcedLength().map { $0 + 4 }
        case 0x0F: return self.announcedLength()
        case 0x11: return 8
        case 0x13: return 16
        default: return nil
        }
    }
}
