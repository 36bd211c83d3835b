/// Memory for the C tree of one message at a time, within a budget.
///
/// protobuf-c turns a small frame of empty submessages into a tree of many times its size, so memory comes from here and
/// ends at the budget. Nothing is freed one by one: ``reset()`` forgets the whole tree, and keeps a little memory for the
/// next one. Each block remembers its size, which is the only way to see a NUL inside a string of protobuf-c.
///
/// Not thread-safe: one owner, on one event loop.
@safe
package final class MessageArena {
    private static let headerBytes = 8
    private static let firstChunkBytes = 4 << 10
    private static let largestChunkBytes = 1 << 20
    private static let keptBytes = 256 << 10

    private let budget: Int
    private var chunks: [UnsafeMutableRawBufferPointer] = unsafe []
    private var current = 0
    private var offset = 0
    private var total = 0
    /// Whether an allocation was refused since the last reset.
    private(set) var isExhausted = false

    /// Creates an arena that never holds more than `budget` bytes.
    package init(budget: Int = ProtocolLimits.messageMemoryBytes) {
        self.budget = budget
    }

    deinit {
        self.freeChunks()
    }

    /// A block of at least this size, aligned to 8 bytes; nil when the budget is spent.
    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= 0, size <= self.budget else {
            self.isExhausted = true
            return nil
        }
        let needed = Self.headerBytes + (size + 7) & ~7
        while unsafe self.current < self.chunks.count {
            let chunk = unsafe self.chunks[self.current]
            if self.offset + needed <= chunk.count, let base = chunk.baseAddress {
                let block = unsafe base + self.offset
                unsafe block.storeBytes(of: size, as: Int.self)
                self.offset += needed
                return unsafe block + Self.headerBytes
            }
            self.current += 1
            self.offset = 0
        }
        let wanted = max(needed, min(max(self.total, Self.firstChunkBytes), Self.largestChunkBytes))
        guard self.total + wanted <= self.budget else {
            self.isExhausted = true
            return nil
        }
        self.total += wanted
        unsafe self.chunks.append(.allocate(byteCount: wanted, alignment: 16))
        return unsafe self.allocate(size)
    }

    /// The size that was asked for when this block was allocated; nil when it is not one of this arena's.
    func size(of block: UnsafeRawPointer) -> Int? {
        for index in unsafe self.chunks.indices {
            guard let base = unsafe self.chunks[index].baseAddress else { continue }
            let end = unsafe UnsafeRawPointer(base) + self.chunks[index].count
            if unsafe block > UnsafeRawPointer(base), unsafe block < end {
                return unsafe (block - Self.headerBytes).load(as: Int.self)
            }
        }
        return nil
    }

    private func freeChunks() {
        for index in unsafe self.chunks.indices {
            unsafe self.chunks[index].deallocate()
        }
        unsafe self.chunks.removeAll()
        self.total = 0
    }

    /// Forgets every block.
    func reset() {
        if self.total > Self.keptBytes {
            self.freeChunks()
        }
        self.current = 0
        self.offset = 0
        self.isExhausted = false
    }
}
