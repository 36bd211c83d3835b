/// A creation without an answer isn't over: the server may store the Job until its own limit, whatever is seen meanwhile.
///
/// So that long its slot stays taken where the Job is not to be found, and a Job that another attempt made is not deleted:
/// it would come a second time.
extension JobTracker {
    /// Attempts under one name that nobody waits for any more.
    struct Arrival: Sendable, Equatable {
        /// Until when the server may act on them.
        var until: ContinuousClock.Instant
        var attempts = 0
        /// It is known which attempt made the Job that was shown.
        var isAccountedFor = false
    }

    /// A call for this name ended without an answer.
    package mutating func unanswered(_ name: String, until end: ContinuousClock.Instant) {
        self.arrivals[name, default: Arrival(until: end)].until = end
        self.arrivals[name]?.attempts += 1
        // The watch was faster.
        if self.observed[name] != nil { self.arrived(name) }
    }

    /// The Job was shown: where no other call could have made it, one of the attempts did.
    mutating func arrived(_ name: String) {
        guard var arrival = self.arrivals[name], !arrival.isAccountedFor, !self.isCalling(name) else { return }
        arrival.isAccountedFor = true
        arrival.attempts -= 1
        self.arrivals[name] = arrival.attempts > 0 ? arrival : nil
    }

    /// Whether a Job of this name may still be stored by a call that nobody waits for any more.
    package func mayArrive(_ name: String, now: ContinuousClock.Instant) -> Bool {
        self.arrivals[name].map { $0.until > now } ?? false
    }

    /// When the first of them is certain; nil when all are.
    package var nextArrival: ContinuousClock.Instant? {
        self.arrivals.isEmpty ? nil : self.arrivals.values.lazy.map(\.until).min()
    }

    /// Names that nothing can store any more.
    package func certain(now: ContinuousClock.Instant) -> [String] {
        self.arrivals.filter { $0.value.until <= now }.keys.sorted()
    }

    /// Whether it was not certain, when last looked at, that no call can store a Job of this name any more.
    package func awaitsArrival(_ name: String) -> Bool { self.arrivals[name] != nil }

    /// Takes out the names that nothing can store any more; returns those whose Job has not been shown.
    package mutating func takeArrived(now: ContinuousClock.Instant) -> [String] {
        let certain = self.certain(now: now)
        for name in certain { self.arrivals[name] = nil }
        return certain.filter { self.assumed[$0]?.state == .uncertain }
    }
}
