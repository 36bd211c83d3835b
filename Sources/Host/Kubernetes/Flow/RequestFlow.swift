internal import Pace

/// Decides which call to the API server may begin now, and which must wait.
///
/// Above all stands an overall rate, where one is set; beneath it a limit on the calls under way that follows what the server
/// bears. Within both, kinds of calls have priorities. It has no clock and no lock: whoever holds it tells it what happened, and
/// does what it says.
package struct RequestFlow: Sendable {
    package struct Settings: Sendable {
        /// Calls a second over all kinds; nil for as many as the server bears.
        package var rate: Double?
        /// Calls at once beyond that rate.
        package var burst = 1
        /// Calls of one kind that may wait; what is beyond is refused at once.
        package var longestQueue: [CallKind: Int] = [.create: 1024, .observe: 16_384, .delete: 1024, .report: 1024]

        package init(rate: Double? = nil, burst: Int = 1) {
            self.rate = rate
            self.burst = burst
        }
    }

    package enum Refusal: Sendable, Equatable {
        /// Too many of its kind wait already.
        case full
        /// Its time ran out while it waited.
        case late
        /// The host stops.
        case dropped
    }

    package enum Action: Sendable, Equatable {
        case begin(UInt64)
        /// It is not sent.
        case refuse(UInt64, Refusal)
    }

    /// How a call ended, as far as it shows how the server does.
    package enum Outcome: Sendable, Equatable {
        /// `nil` for the latency of a call whose length depends on what it asks for.
        case answered(Duration?)
        /// The server failed, or did not answer in time.
        case overloaded
        /// The server asks that nothing be sent for so long.
        case throttled(Duration)
        /// It says nothing about the server.
        case unknown
    }

    /// One call in so many goes to a kind that would have to wait for others, so that none waits for ever.
    static let turnsOfFirst = 16
    /// The longest that one answer puts everything off; then a single call tries.
    static let longestPause = Duration.seconds(60)
    /// For how long the first call after a pause is alone.
    static let longestProbe = Duration.seconds(1)

    private let settings: Settings
    private var rate: RequestRate?
    private var limit = AdaptiveLimit()
    private var waiting = WaitingCalls()
    private var underWay: [UInt64: ContinuousClock.Instant] = [:]
    private var lastID: UInt64 = 0
    /// Calls that began since one of a later kind did, while one waited.
    private var turns = 0
    /// Nothing begins before this.
    private var pausedUntil: ContinuousClock.Instant?
    /// The call that finds out, after a pause, whether the server takes calls again.
    private var probe: (id: UInt64, until: ContinuousClock.Instant)?
    private var random: SplitMix64
    private var tally = ThrottledTime()

    package init(_ settings: Settings = Settings(), seed: UInt64) {
        self.settings = settings
        self.rate = settings.rate.map { RequestRate(perSecond: $0, burst: settings.burst) }
        self.random = SplitMix64(seed: seed)
    }

    // MARK: - What happens

    /// A number for a call, by which it is known from now on.
    package mutating func newID() -> UInt64 {
        self.lastID += 1
        return self.lastID
    }

    /// A call wants to begin; it is answered by an action, now or later.
    package mutating func ask(
        _ id: UInt64,
        _ kind: CallKind,
        deadline: ContinuousClock.Instant,
        at now: ContinuousClock.Instant
    ) -> [Action] {
        let most = self.settings.longestQueue[kind] ?? 0
        guard self.waiting.count(of: kind) < most else { return [.refuse(id, .full)] + self.proceed(at: now) }
        self.waiting.add(id, WaitingCalls.Call(kind: kind, since: now, deadline: deadline))
        return self.proceed(at: now)
    }

    /// A call that began has ended.
    package mutating func ended(_ id: UInt64, _ outcome: Outcome, at now: ContinuousClock.Instant) -> [Action] {
        let isUsed = self.underWay.count >= self.limit.value
        guard let began = self.underWay.removeValue(forKey: id) else { return [] }
        if self.probe?.id == id { self.probe = nil }
        switch outcome {
        case .answered(let latency): self.limit.answered(latency, begunAt: began, isUsed: isUsed, now: now)
        case .overloaded: self.limit.overloaded(begunAt: began, now: now)
        case .throttled(let pause):
            self.limit.overloaded(begunAt: began, now: now)
            self.pause(Swift.min(pause, Self.longestPause), at: now)
        case .unknown: break
        }
        return self.proceed(at: now)
    }

    /// A call is given up; false when it does not wait.
    package mutating func cancel(_ id: UInt64, at now: ContinuousClock.Instant) -> (wasWaiting: Bool, [Action]) {
        let wasWaiting = self.waiting.remove(id) != nil
        return (wasWaiting, self.proceed(at: now))
    }

    /// Gives up all that wait to change something: the host stops, and the next one should not wait for them.
    package mutating func dropWrites(at now: ContinuousClock.Instant) -> [Action] {
        var actions: [Action] = []
        for kind in CallKind.allCases where kind != .observe {
            while let id = self.waiting.first(of: kind) {
                self.waiting.remove(id)
                actions.append(.refuse(id, .dropped))
            }
        }
        return actions + self.proceed(at: now)
    }

    /// The time that ``nextWake`` named has come.
    package mutating func tick(at now: ContinuousClock.Instant) -> [Action] { self.proceed(at: now) }

    /// When ``tick(at:)`` is due; nil when only an answer can change anything.
    package private(set) var nextWake: ContinuousClock.Instant?

    // MARK: - Deciding

    /// Why nothing may begin, and until when if that is known.
    private func obstacle(
        at now: ContinuousClock.Instant
    ) -> (cause: ThrottledTime.Cause, until: ContinuousClock.Instant?)? {
        if let pausedUntil, pausedUntil > now { return (.server, pausedUntil) }
        if let probe, probe.until > now { return (.server, probe.until) }
        guard self.underWay.count < self.limit.value else { return (.limit, nil) }
        if let due = self.rate?.due(at: now), due > now { return (.rate, due) }
        return nil
    }

    private mutating func proceed(at now: ContinuousClock.Instant) -> [Action] {
        var actions: [Action] = []
        while let id = self.waiting.removeLate(at: now) { actions.append(.refuse(id, .late)) }
        var obstacle = self.obstacle(at: now)
        while obstacle == nil, let id = self.takeNext() {
            self.rate?.took(at: now)
            self.underWay[id] = now
            if self.pausedUntil != nil {
                self.pausedUntil = nil
                self.probe = (id, now + Self.longestProbe)
            }
            actions.append(.begin(id))
            obstacle = self.obstacle(at: now)
        }
        self.tally.note(self.waiting.isEmpty ? nil : obstacle?.cause, at: now)
        let wakes = [self.waiting.firstDeadline, self.waiting.isEmpty ? nil : obstacle?.until]
        self.nextWake = wakes.compactMap(\.self).min()
        return actions
    }

    private mutating func takeNext() -> UInt64? {
        guard let kind = self.waiting.firstKind else { return nil }
        var next = self.waiting.first(of: kind)
        if let other = self.waiting.longestWaiting(except: kind) {
            self.turns += 1
            if self.turns >= Self.turnsOfFirst {
                self.turns = 0
                next = other
            }
        } else {
            self.turns = 0
        }
        if let next { self.waiting.remove(next) }
        return next
    }

    /// Puts everything off, and a little longer: other clients were asked to wait for as long.
    private mutating func pause(_ duration: Duration, at now: ContinuousClock.Instant) {
        let jitter = Double.random(in: 0...0.25, using: &self.random)
        let end = now + duration + Swift.max(duration, .milliseconds(100)) * jitter
        self.pausedUntil = Swift.max(self.pausedUntil ?? end, end)
    }

    // MARK: - Telling

    package func figures(at now: ContinuousClock.Instant) -> FlowFigures {
        var figures = FlowFigures()
        figures.underWay = self.underWay.count
        figures.limit = self.limit.value
        for kind in CallKind.allCases { figures.waiting[kind] = self.waiting.count(of: kind) }
        figures.throttled = self.tally.seconds(at: now)
        return figures
    }
}
