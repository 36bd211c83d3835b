/// Cuts a byte stream into lines, however the bytes arrive.
struct LineSplitter: Sendable {
    struct LineTooLong: Error {}

    private let limit: Int
    private var partial: [UInt8] = []

    /// The limit is that of the longest line, without its newline.
    init(limit: Int) {
        self.limit = limit
    }

    /// Appends the lines that end in these bytes, without their newlines.
    ///
    /// Empty lines are dropped.
    ///
    /// After an error the stream has no known line boundary left and must be closed.
    mutating func append(_ bytes: Span<UInt8>, to lines: inout [[UInt8]]) throws(LineTooLong) {
        var start = 0
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
            guard self.partial.count + index - start <= self.limit else { throw LineTooLong() }
            if self.partial.isEmpty {
                if index > start { lines.append(Self.copy(bytes.extracting(start..<index))) }
            } else {
                self.keep(bytes.extracting(start..<index))
                lines.append(self.partial)
                self.partial = []
            }
            start = index + 1
        }
        guard self.partial.count + bytes.count - start <= self.limit else { throw LineTooLong() }
        if start < bytes.count { self.keep(bytes.extracting(start..<bytes.count)) }
    }

    /// The last line of a stream that ended without a newline.
    mutating func finish() -> [UInt8]? {
        defer { self.partial = [] }
        return self.partial.isEmpty ? nil : self.partial
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe self.partial.append(contentsOf: $0) }
    }

    private static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
