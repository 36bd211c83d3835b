/// What the metrics say about the flow of calls to the API server.
package struct FlowFigures: Sendable, Equatable {
    /// Calls under way, and how many may be.
    package var underWay = 0
    package var limit = 0
    package var waiting: [CallKind: Int] = [:]
    /// For how long calls had to wait so far, by what they waited for.
    package var throttled: [ThrottledTime.Cause: Duration] = [:]

    package init() {}
}

/// For how long at least one call had to wait, and for what.
package struct ThrottledTime: Sendable {
    package enum Cause: String, Sendable, CaseIterable {
        /// The overall rate.
        case rate
        /// As many calls were under way as the server bears.
        case limit
        /// The server asked for a pause.
        case server
    }

    private var total: [Cause: Duration] = [:]
    private var current: (cause: Cause, since: ContinuousClock.Instant)?

    /// Notes what calls wait for from now on; nil when none waits.
    mutating func note(_ cause: Cause?, at now: ContinuousClock.Instant) {
        guard cause != self.current?.cause else { return }
        self.total = self.seconds(at: now)
        self.current = cause.map { ($0, now) }
    }

    func seconds(at now: ContinuousClock.Instant) -> [Cause: Duration] {
        var total = self.total
        if let current { total[current.cause, default: .zero] += Swift.max(.zero, now - current.since) }
        return total
    }
}
