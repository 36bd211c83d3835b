import Testing

@testable import HTTP

@Suite struct LineStreamTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func linesComeInOrderThenTheEnd() async throws {
        let stream = LineStream(limit: 100) {}
        #expect(stream.deliver([self.bytes("a"), self.bytes("b")]))
        stream.end(.success(()))
        #expect(try await stream.next() == self.bytes("a"))
        #expect(try await stream.next() == self.bytes("b"))
        #expect(try await stream.next() == nil)
        #expect(try await stream.next() == nil)
        #expect(!stream.deliver([self.bytes("late")]))
    }

    @Test func aWaitingReaderGetsTheLineThatComes() async throws {
        let stream = LineStream(limit: 100) {}
        async let line = stream.next()
        await Task.yield()
        #expect(stream.deliver([self.bytes("a")]))
        #expect(try await line == self.bytes("a"))
    }

    @Test func whatOverflowsIsStillReadAndThenItEnds() async throws {
        let stream = LineStream(limit: 3) {}
        #expect(!stream.deliver([self.bytes("aa"), self.bytes("bb")]))
        stream.end(.failure(.cancelled))
        #expect(try await stream.next() == self.bytes("aa"))
        #expect(stream.bufferedBytes == 2)
        #expect(try await stream.next() == self.bytes("bb"))
        #expect(try await stream.next() == nil)
    }

    @Test func aCancelledReaderGivesUpWhatIsBuffered() async throws {
        let stream = LineStream(limit: 100) {}
        let task = Task { try await stream.next() }
        task.cancel()
        await #expect(throws: TransferFailure.self) { try await task.value }
        #expect(!stream.deliver([self.bytes("a")]))
        await #expect(throws: TransferFailure.self) { try await stream.next() }
    }
}
