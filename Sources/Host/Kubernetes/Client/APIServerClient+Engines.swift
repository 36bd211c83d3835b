internal import Glibc
internal import HTTP

extension APIServerClient {
    /// One engine for each kind of traffic, so that none waits for a connection that another kind keeps.
    ///
    /// A watch keeps its connection for minutes, and there are as many as manifests name Secrets. Renewals of the Lease
    /// are few, and everything else depends on them.
    struct Engines: Sendable {
        let calls: CurlEngine
        let watches: CurlEngine
        let leases: CurlEngine

        /// Nil when the endpoint's address is none.
        init?(_ endpoint: HTTPEndpoint) {
            var watching = endpoint
            watching.limits.connections = Self.mostWatches
            // A watch that ends is followed by one of the same object.
            watching.limits.idleConnections = 16
            var leasing = endpoint
            leasing.limits.connections = 4
            leasing.limits.idleConnections = 1
            guard let calls = CurlEngine(endpoint), let watches = CurlEngine(watching),
                let leases = CurlEngine(leasing)
            else { return nil }
            self.calls = calls
            self.watches = watches
            self.leases = leases
        }

        /// Half of the files that this process may open, so that calls and plugins get theirs.
        private static var mostWatches: Int {
            var limit = rlimit()
            guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 512 }
            return Swift.max(256, Int(Swift.min(limit.rlim_cur, 32_768)) / 2)
        }
    }
}
