import Testing

@testable import HTTP

@Suite struct LineSplitterTests {
    private static let text = "first\n\nsecond line\nthird\n"
    private static let lines = ["first", "second line", "third"]

    private func split(_ parts: [[UInt8]], limit: Int = 100) throws -> (lines: [String], rest: String?) {
        var splitter = LineSplitter(limit: limit)
        var lines: [[UInt8]] = []
        for part in parts { try splitter.append(part.span, to: &lines) }
        let rest = splitter.finish()
        return (lines.map { String(decoding: $0, as: UTF8.self) }, rest.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test func linesAreTheSameHoweverTheBytesArrive() throws {
        let bytes = Array(Self.text.utf8)
        #expect(try self.split([bytes]).lines == Self.lines)
        #expect(try self.split(bytes.map { [$0] }).lines == Self.lines)
        for cut in 0...bytes.count {
            let result = try self.split([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(result.lines == Self.lines, "cut at \(cut)")
            #expect(result.rest == nil)
        }
        for _ in 0..<200 {
            var rest = bytes[...]
            var parts: [[UInt8]] = []
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...8))
                parts.append(Array(part))
                rest = rest.dropFirst(part.count)
            }
            #expect(try self.split(parts).lines == Self.lines, "\(parts.map(\.count))")
        }
    }

    @Test func theLastLineMayLackItsNewline() throws {
        let result = try self.split([Array("a\nb".utf8)])
        #expect(result.lines == ["a"])
        #expect(result.rest == "b")
    }

    @Test func aLineBeyondTheLimitIsRefusedBeforeItIsHeld() throws {
        #expect(try self.split([Array("12345\n".utf8)], limit: 5).lines == ["12345"])
        #expect(throws: LineSplitter.LineTooLong.self) { try self.split([Array("123456\n".utf8)], limit: 5) }
        #expect(throws: LineSplitter.LineTooLong.self) { try self.split([Array("123456".utf8)], limit: 5) }
        #expect(throws: LineSplitter.LineTooLong.self) {
            try self.split([Array("123".utf8), Array("456".utf8)], limit: 5)
        }
    }
}
