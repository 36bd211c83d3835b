/// A Job that held a slot and does not any more.
package struct FreedSlot: Sendable, Equatable {
    let at: ContinuousClock.Instant
    /// When the Job was asked for, or first seen.
    let begunAt: ContinuousClock.Instant?
    /// When it was first seen not to be pending; nil when that was never seen.
    let startedAt: ContinuousClock.Instant?
}

// Which Jobs have started is looked up at each decision that needs it. A start is dated when it is noticed, never earlier:
// a Job then counts as pending a little too long, which costs a reading and never gives an item a second Job.
extension JobTracker {
    /// Whether the Job was last seen not to be pending.
    package func isStarted(_ name: String) -> Bool { self.starts[name] != nil }

    /// Looks which unfinished Jobs are pending; returns how many are.
    package mutating func review(now: ContinuousClock.Instant, isPending: (String) -> Bool) -> Int {
        var pending = 0
        for name in self.beginnings.keys {
            if isPending(name) {
                self.starts[name] = nil
                pending += 1
            } else if self.starts[name] == nil {
                self.starts[name] = now
            }
        }
        return pending
    }

    /// Jobs that were asked for or first seen since `instant`, finished ones included.
    package func begun(since instant: ContinuousClock.Instant) -> Int {
        var count = 0
        for begunAt in self.beginnings.values where begunAt >= instant { count += 1 }
        for slot in self.freed where slot.at >= instant {
            if let begunAt = slot.begunAt, begunAt >= instant { count += 1 }
        }
        return count
    }

    /// Jobs that were pending at any time since `instant`, finished ones included.
    ///
    /// `grace` is how long a Job may take from its start until it has claimed its item.
    package func pending(since instant: ContinuousClock.Instant, grace: Duration) -> Int {
        var count = 0
        for name in self.beginnings.keys {
            if let start = self.starts[name], start + grace < instant { continue }
            count += 1
        }
        for slot in self.freed where slot.at >= instant {
            if let start = slot.startedAt, start + grace < instant { continue }
            count += 1
        }
        return count
    }

    /// When the last unfinished Job that has started will have claimed its item; nil when all have.
    package func settled(grace: Duration, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        var last: ContinuousClock.Instant?
        for start in self.starts.values where start + grace >= now {
            last = last.map { Swift.max($0, start + grace) } ?? start + grace
        }
        return last
    }
}
