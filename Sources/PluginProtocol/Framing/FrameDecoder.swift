package import NIOCore

/// Cuts a stream of bytes into frames: a 4-byte big-endian length, then as many bytes.
///
/// The length is checked before anything is kept, so a peer cannot make the host wait for gigabytes.
package struct FrameDecoder: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = Frame

    private let codec: FrameCodec

    package init(codec: FrameCodec = FrameCodec()) {
        self.codec = codec
    }

    package mutating func decode(buffer: inout ByteBuffer) throws -> Frame? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        guard length <= ProtocolLimits.frameBytes else {
            throw FrameError.oversized(bytes: Int(length), limit: ProtocolLimits.frameBytes)
        }
        guard buffer.readableBytes >= 4 + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let bytes = buffer.readSlice(length: Int(length)) else { return nil }
        return try self.codec.decode(bytes)
    }

    /// An unfinished frame at the end of the stream is dropped: the end itself says enough.
    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Frame? {
        let frame = try self.decode(buffer: &buffer)
        if frame == nil, seenEOF {
            buffer.clear()
        }
        return frame
    }
}
