internal import CAllocator

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The memory of this process that the kernel counts as resident.
///
/// A program touches most of its own and its libraries' code once, at its start; Linux maps sixteen pages for each one
/// that is touched, and keeps them mapped. For a process that then waits, that is more than everything else together.
package enum ResidentMemory {
    /// How often a program that waits most of the time should ``release()``.
    package static let releaseInterval = Duration.seconds(20)

    /// Lets all threads share two arenas of the allocator rather than each having its own; call first thing.
    package static func shareArenas() {
        sluice_share_arenas()
    }

    /// Gives back what the allocator keeps free, and unmaps the pages of code.
    ///
    /// Pages that are still used come back by themselves, out of the page cache.
    /// Only mappings of files that are executed and can't be written: nothing in them can be lost.
    package static func release() {
        sluice_release_free_memory()
        #if os(Linux)
        guard let maps = unsafe fopen("/proc/self/maps", "re") else { return }
        defer { unsafe fclose(maps) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { unsafe free(line) }
        while unsafe getline(&line, &capacity, maps) > 0, let text = unsafe line {
            guard let range = Self.codeRange(unsafe String(cString: text)) else { continue }
            _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, Int32(MADV_DONTNEED))
        }
        #endif
    }

    /// The addresses of a line of `/proc/self/maps`; nil unless it is code that comes from a file.
    static func codeRange(_ line: String) -> Range<UInt>? {
        // 7f6366c00000-7f6367000000 r-xp 000fe000 fe:00 2359 /usr/lib/libx.so
        let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
        guard fields.count == 6, fields[1] == "r-xp", fields[4] != "0" else { return nil }
        let bounds = fields[0].split(separator: "-")
        guard bounds.count == 2, let start = UInt(bounds[0], radix: 16), let end = UInt(bounds[1], radix: 16),
            start < end
        else { return nil }
        return start..<end
    }
}
