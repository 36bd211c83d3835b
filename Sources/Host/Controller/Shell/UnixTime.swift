import Kubernetes

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension KubernetesTime {
    init(microsecondsSinceEpoch microseconds: Int64) {
        self.init(secondsSinceEpoch: microseconds / 1_000_000, microseconds: Int32(microseconds % 1_000_000))
    }
}

/// The wall clock.
enum UnixTime {
    /// Microseconds since 1970.
    static func nowMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
