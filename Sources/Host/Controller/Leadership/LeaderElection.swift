package import Kubernetes

/// Decides when this host may act, so that of several only one does.
///
/// The one whose name is in the Lease leads. The others watch its renewals by their own clock: clocks of different machines
/// are never compared. The leader stops acting before anybody may take the Lease from it.
package struct LeaderElection: Sendable {
    package struct Settings: Sendable, Equatable {
        /// A name that no other process has.
        package var identity: String
        /// How long the others leave a silent leader alone.
        package var leaseDuration: Duration
        /// A leader that could not renew for this long stops.
        package var renewDeadline: Duration
        /// How often the leader renews and the others look.
        package var retryPeriod: Duration
        /// The longest that the server may still work on a call of a leader that stopped.
        package var longestCall: Duration
        /// What the hosts that share the Lease serve, for people; nil for everything.
        package var shard: String?

        package init(
            identity: String,
            leaseDuration: Duration = .seconds(15),
            longestCall: Duration = .seconds(10),
            shard: String? = nil
        ) {
            self.identity = identity
            self.leaseDuration = leaseDuration
            self.renewDeadline = leaseDuration * 2 / 3
            self.retryPeriod = leaseDuration * 2 / 15
            self.longestCall = longestCall
            self.shard = shard
        }

        /// How long a host that took a Lease from a silent leader still waits before it acts.
        var takeoverPause: Duration { Swift.max(.zero, self.longestPause - self.leaseDuration) }

        /// How long a leader that cannot know that it lost its Lease may act, and its calls may last.
        var longestPause: Duration { self.renewDeadline + self.longestCall }
    }

    package enum Standing: Sendable, Equatable {
        case waiting
        /// Holds the Lease; calls of the one before may still be under way.
        case settling(until: ContinuousClock.Instant)
        case leading
        /// It led and must not act any more.
        case lost
    }

    /// What to do next.
    package enum Step: Sendable, Equatable {
        case wait(until: ContinuousClock.Instant)
        case read(timeout: Duration)
        /// Creates the Lease where the record has no resource version, replaces it otherwise.
        case write(LeaseRecord, timeout: Duration)
        /// Nothing any more: the standing is `lost`.
        case stop
    }

    package let settings: Settings
    package private(set) var standing = Standing.waiting
    /// What was read last, and since when it has been so by this host's clock.
    private var observed: (record: LeaseRecord, since: ContinuousClock.Instant)?
    /// When the write began that made this host's hold on the Lease as good as it is.
    private var renewedAt: ContinuousClock.Instant?
    /// How long to wait between having the Lease and acting, by what was seen of the holder before.
    private var pause = Duration.zero
    /// The Lease was there once; where it is not, somebody deleted it.
    private var hasSeenLease = false
    /// What was written last, whatever came of it.
    private var claimed: LeaseRecord?
    private var nextTry: ContinuousClock.Instant
    private var mustRead = true

    package init(settings: Settings, now: ContinuousClock.Instant) {
        self.settings = settings
        self.nextTry = now
    }

    /// Who holds the Lease, as far as this host knows.
    package var holder: String? { self.observed?.record.holder }

    /// What the holder serves, when it says so and it is something else: by mistake, two shards have one Lease.
    package var foreignShard: String? {
        guard self.standing == .waiting, let record = self.observed?.record, record.holder != nil,
            let shard = record.shard, shard != self.settings.shard
        else { return nil }
        return shard
    }

    package mutating func step(at now: ContinuousClock.Instant, time: KubernetesTime) -> Step {
        if let deadline = self.deadline {
            if now >= deadline { self.standing = .lost }
            if case .settling(let until) = self.standing, now >= until { self.standing = .leading }
        }
        guard self.standing != .lost else { return .stop }
        guard now >= self.nextTry else { return .wait(until: self.nextEvent) }
        let timeout = Swift.min(
            self.settings.renewDeadline,
            self.deadline.map { $0 - now } ?? self.settings.renewDeadline
        )
        guard !self.mustRead else { return .read(timeout: timeout) }
        // Whatever comes of the write, the next attempt begins with what is known then.
        self.mustRead = true
        let claim = self.claim(time)
        self.claimed = claim
        return .write(claim, timeout: timeout)
    }

    /// Takes the answer to a read; nil means that there is no Lease.
    package mutating func read(_ outcome: Result<LeaseRecord?, KubernetesError>, at now: ContinuousClock.Instant) {
        switch outcome {
        case .failure:
            self.nextTry = now + self.settings.retryPeriod
        case .success(let record):
            guard let record else {
                // Whoever held it need not have noticed yet that it was deleted.
                self.observed = nil
                self.mustRead = false
                self.pause = self.hasSeenLease ? self.settings.longestPause : .zero
                return
            }
            if self.observed?.record != record { self.observed = (record, now) }
            self.notePause(record)
            let isMine = record.holder == self.settings.identity
            if self.renewedAt != nil, !isMine {
                self.standing = .lost
            } else if isMine || self.isFree(record, at: now) {
                self.mustRead = false
            } else {
                self.nextTry = now + self.settings.retryPeriod
            }
        }
    }

    /// Takes a hint that this is the holder now: while waiting, another one than was read is worth a look at once.
    package mutating func hear(holder: String?, at now: ContinuousClock.Instant) {
        guard self.standing == .waiting, self.renewedAt == nil, let observed, observed.record.holder != holder else {
            return
        }
        self.mustRead = true
        self.nextTry = now
    }

    /// Takes the answer to a write that began at `sentAt`.
    package mutating func wrote(
        _ outcome: Result<LeaseRecord, KubernetesError>,
        sentAt: ContinuousClock.Instant,
        at now: ContinuousClock.Instant
    ) {
        switch outcome {
        case .failure(let error):
            // Whoever was faster is read at once; an unanswered write may have happened, which the read shows as well.
            let isChanged = error.code == .conflict || error.code == .alreadyExists || error.code == .notFound
            if isChanged || error.mayHaveHappened { self.hasSeenLease = true }
            self.nextTry = isChanged ? now : now + self.settings.retryPeriod
        case .success(let record):
            if let deadline, now >= deadline {
                // Too late: whoever acted for it has been stopped.
                self.standing = .lost
                return
            }
            self.observed = (record, now)
            if self.renewedAt == nil {
                self.standing = self.pause > .zero ? .settling(until: now + self.pause) : .leading
            }
            self.renewedAt = sentAt
            self.mustRead = false
            self.nextTry = sentAt + self.settings.retryPeriod
        }
    }

    /// Whether this host led until now, and so may say that nobody acts any more.
    ///
    /// One that still settles may not: calls of the one before may be under way.
    package var mayGiveBack: Bool { self.standing == .leading }

    /// Ends it, whatever the Lease says.
    package mutating func lose() {
        self.standing = .lost
    }

    /// What a leader writes when it stops of its own accord, so that the next need not wait; nil when it isn't the holder.
    package func release(of current: LeaseRecord, time: KubernetesTime) -> LeaseRecord? {
        guard current.holder == self.settings.identity else { return nil }
        var record = current
        record.holder = nil
        record.duration = .seconds(1)
        record.renewedAt = time
        return record
    }

    /// When whoever acts for this host has to have stopped; nil while it does not hold the Lease.
    package var deadline: ContinuousClock.Instant? { self.renewedAt.map { $0 + self.settings.renewDeadline } }

    private var nextEvent: ContinuousClock.Instant {
        var next = self.nextTry
        if let deadline = self.deadline { next = Swift.min(next, deadline) }
        if case .settling(let until) = self.standing { next = Swift.min(next, until) }
        return next
    }

    /// Takes note of what the holder that is seen now means for whoever comes next.
    private mutating func notePause(_ record: LeaseRecord) {
        self.hasSeenLease = true
        guard self.renewedAt == nil else { return }
        switch record.holder {
        case nil where record.isGivenBack:
            self.pause = .zero
        case self.settings.identity? where self.isClaim(record):
            // A replacement directly followed what was seen before it. A Lease may have come and gone before a creation.
            if self.claimed?.resourceVersion == nil { self.pause = self.settings.longestPause }
        case nil, self.settings.identity?:
            // Written by hand: whoever led may not have noticed.
            self.pause = self.settings.longestPause
        default:
            // The holder stops after two thirds of its own duration, and is left alone for all of it.
            self.pause = Swift.max(self.settings.takeoverPause, self.settings.longestCall - record.duration / 3)
        }
    }

    /// Whether this is what an unanswered write of this host made.
    private func isClaim(_ record: LeaseRecord) -> Bool {
        guard var claimed else { return false }
        claimed.resourceVersion = record.resourceVersion
        return claimed == record
    }

    private func isFree(_ record: LeaseRecord, at now: ContinuousClock.Instant) -> Bool {
        guard record.holder != nil, let observed else { return true }
        return now - observed.since >= record.duration
    }

    private func claim(_ time: KubernetesTime) -> LeaseRecord {
        let before = self.observed?.record
        let isMine = before?.holder == self.settings.identity
        return LeaseRecord(
            holder: self.settings.identity,
            duration: self.settings.leaseDuration,
            acquiredAt: isMine ? before?.acquiredAt ?? time : time,
            renewedAt: time,
            transitions: (before?.transitions ?? 0) + (isMine || before == nil ? 0 : 1),
            shard: self.settings.shard,
            resourceVersion: before?.resourceVersion
        )
    }
}
