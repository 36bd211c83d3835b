import CPluginMessages

/// Owns the C tree of one received message while it is turned into values.
///
/// The tree lies in the arena; it ends with this owner, so nothing of it may leave the function that holds it.
@safe
struct UnpackedFrame: ~Copyable {
    let tree: UnsafeMutablePointer<Sluice__Plugin__V1__Frame>
    let arena: MessageArena

    /// Decodes bytes; throws when they are not a frame or need too much memory.
    init(_ bytes: UnsafeRawBufferPointer, in arena: MessageArena) throws(FrameError) {
        var allocator = unsafe ProtobufCAllocator(
            alloc: { arena, size in
                guard let arena = unsafe arena else { return nil }
                return unsafe Unmanaged<MessageArena>.fromOpaque(arena).takeUnretainedValue().allocate(size)
            },
            free: { _, _ in },
            allocator_data: Unmanaged.passUnretained(arena).toOpaque()
        )
        let tree = unsafe sluice__plugin__v1__frame__unpack(
            &allocator,
            bytes.count,
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        guard let tree = unsafe tree else {
            let error =
                arena.isExhausted
                ? FrameError.memoryExceeded(limit: ProtocolLimits.messageMemoryBytes) : FrameError.malformed
            arena.reset()
            throw error
        }
        unsafe self.tree = tree
        self.arena = arena
    }

    deinit {
        self.arena.reset()
    }
}
