import CPluginMessages
package import NIOCore

/// Turns frames into bytes and back, one at a time.
///
/// It owns the memory for that; one owner, on one event loop.
package struct FrameCodec {
    private let arena = MessageArena()

    package init() {}

    /// The frame that these bytes, without their length, are the encoding of.
    package func decode(_ bytes: ByteBuffer) throws(FrameError) -> Frame {
        let result = unsafe bytes.withUnsafeReadableBytes { bytes -> Result<Frame, FrameError> in
            do throws(FrameError) {
                let tree = unsafe try UnpackedFrame(bytes, in: self.arena)
                return .success(try FrameReader(arena: self.arena).frame(tree))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Appends a frame with its length; on an error the buffer is as it was.
    package func encode(_ frame: Frame, into buffer: inout ByteBuffer) throws(FrameError) {
        defer { self.arena.reset() }
        let tree = unsafe try FrameWriter(arena: self.arena).tree(frame)
        let size = unsafe sluice__plugin__v1__frame__get_packed_size(tree)
        guard size <= ProtocolLimits.frameBytes else {
            throw .oversized(bytes: size, limit: ProtocolLimits.frameBytes)
        }
        buffer.reserveCapacity(minimumWritableBytes: size + 4)
        buffer.writeInteger(UInt32(size))
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
            unsafe sluice__plugin__v1__frame__pack(tree, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
    }
}
