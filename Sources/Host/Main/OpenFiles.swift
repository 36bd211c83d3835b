#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How many files and connections this process may have open.
enum OpenFiles {
    /// More than there can be watches and calls; children inherit it, and some of them try every number.
    private static let most: rlim_t = 65_536

    /// Raises the limit as far as the system allows, to be called before any connection is made.
    ///
    /// Most systems start programs with 1,024, because of an old system call that nothing here uses; a watched Secret takes
    /// one each.
    static func allowMore() {
        var limit = rlimit()
        guard getrlimit(Self.resource, &limit) == 0 else { return }
        let wanted = Swift.min(limit.rlim_max, Self.most)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        setrlimit(Self.resource, &limit)
    }

    #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    private static let resource = RLIMIT_NOFILE
    #endif
}
