internal import CMongo

/// How the C library's allocator is used by this process.
package enum MemoryArenas {
    /// Lets all threads share two arenas rather than each having its own; call first thing.
    ///
    /// A plugin has few threads and small allocations: sharing costs nothing there, and spares memory at rest.
    package static func share() {
        _ = mallopt(M_ARENA_MAX, 2)
    }
}
