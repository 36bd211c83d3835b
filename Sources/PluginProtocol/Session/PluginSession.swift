/// The plugin's side of one connection, without the connection: the mirror of ``HostSession``.
///
/// Every input returns what the caller must now do. A call that was started is answered at most once: by the caller, after
/// ``finish(call:)`` said that the answer is still wanted.
package struct PluginSession: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum Action: Sendable, Equatable {
        /// Send this.
        case send(Frame)
        /// The host accepted the plugin.
        case registered(Frame.Registered)
        /// Start opening a trigger.
        case open(call: UInt64, Frame.Open)
        /// Forget a trigger.
        case close(trigger: UInt64)
        /// Start reading triggers.
        case measure(call: UInt64, Frame.Measure)
        /// Stop this call; its answer is no longer wanted.
        case cancel(call: UInt64)
        /// Stop this call and answer it now as far as it is known.
        case expire(call: UInt64)
        /// Close the connection, after what is to be sent.
        case end(SessionEnd)
    }

    private enum Phase: Equatable {
        /// Can move to ready, closed.
        case registering(deadline: Instant)
        /// Can move to draining, closed.
        case ready
        /// Finishes the calls under way. Can move to closed.
        case draining(deadline: Instant)
        case closed
    }

    /// The most calls that may be under way at once.
    private let maximumCalls: Int
    private var phase: Phase
    private var limits: Frame.Registered?
    private var liveness: Liveness?
    private var calls: [UInt64: Instant] = [:]
    private var earliestCall: Instant?
    private var lastPing: UInt64 = 0

    package init(registrationTimeout: Duration, maximumCalls: Int, now: Instant) {
        self.maximumCalls = maximumCalls
        self.phase = .registering(deadline: now + registrationTimeout)
    }

    /// When ``timerFired(now:)`` wants to be called; it may be called at any other time as well.
    package var nextDeadline: Instant? {
        let phaseDeadline: Instant? =
            switch self.phase {
            case .registering(let deadline), .draining(let deadline): deadline
            case .ready, .closed: nil
            }
        return [phaseDeadline, self.liveness?.nextDeadline, self.earliestCall].compactMap(\.self).min()
    }

    /// Whether the host accepted the plugin and the session goes on.
    package var isReady: Bool { self.phase == .ready }

    package mutating func received(_ frame: Frame, now: Instant) -> [Action] {
        self.liveness?.heard(now: now)
        switch (self.phase, frame.body) {
        case (.closed, _), (_, .unknown), (_, .pong), (_, .drain):
            return []
        case (.registering, .registered(let registered)):
            guard ProtocolLimits.versions.contains(registered.protocolVersion) else {
                return self.end(.protocolViolation("the host chose a protocol version that the plugin does not speak"))
            }
            self.phase = .ready
            self.limits = registered
            self.liveness = Liveness(
                interval: max(registered.pingInterval, .milliseconds(100)),
                timeout: max(registered.pingTimeout, .milliseconds(100)),
                now: now
            )
            return [.registered(registered)]
        case (.registering, .rejected(let rejected)):
            return self.end(.rejected(rejected))
        case (.registering, _):
            return self.end(.protocolViolation("the host sent something before it answered Register"))
        case (_, .ping):
            return [.send(Frame(call: frame.call, .pong))]
        case (_, .open(let open)):
            return self.start(frame.call, timeout: self.limits?.openTimeout, .open(call: frame.call, open), now: now)
        case (_, .measure(let measure)):
            guard measure.triggers.count <= self.limits?.maximumTriggersPerMeasure ?? .max else {
                let failure = PluginFailure(.protocolError, "Measure names more triggers than the host said it would")
                return [.send(Frame(call: frame.call, .failure(failure)))]
            }
            return self.start(frame.call, timeout: measure.timeout, .measure(call: frame.call, measure), now: now)
        case (_, .close(let trigger)):
            return [.close(trigger: trigger)]
        case (_, .cancel(let call)):
            return self.calls.removeValue(forKey: call) == nil ? [] : [.cancel(call: call)] + self.endIfDrained()
        case (_, .register), (_, .registered), (_, .rejected), (_, .opened), (_, .measured), (_, .changed),
            (_, .failure):
            return self.end(.protocolViolation("a message that a host must not send now"))
        }
    }

    /// The call came to its end.
    ///
    /// True when its answer is still wanted; the caller then sends it, and calls ``answered()``.
    package mutating func finish(call: UInt64) -> Bool {
        self.calls.removeValue(forKey: call) != nil
    }

    /// Whether parts of this call's answer are still wanted.
    package func isUnderWay(call: UInt64) -> Bool {
        self.calls[call] != nil
    }

    /// An answer was sent.
    package mutating func answered() -> [Action] {
        self.endIfDrained()
    }

    /// Stop in order: finish the calls under way until the deadline, then end.
    package mutating func drain(reason: String, deadline: Instant) -> [Action] {
        switch self.phase {
        case .registering:
            return self.end(.drained)
        case .ready:
            self.phase = .draining(deadline: deadline)
            return [.send(Frame(.drain(reason: reason)))] + self.endIfDrained()
        case .draining, .closed:
            return []
        }
    }

    /// The session is over; calls under way are cancelled.
    package mutating func end(_ reason: SessionEnd) -> [Action] {
        guard self.phase != .closed else { return [] }
        self.phase = .closed
        let cancelled = self.calls.keys.sorted().map { Action.cancel(call: $0) }
        self.calls = [:]
        self.earliestCall = nil
        self.liveness = nil
        return cancelled + [.end(reason)]
    }

    package mutating func timerFired(now: Instant) -> [Action] {
        switch self.phase {
        case .registering(let deadline) where now >= deadline:
            return self.end(.registrationTimedOut)
        case .draining(let deadline) where now >= deadline:
            return self.end(.drained)
        case .registering, .closed:
            return []
        case .ready, .draining:
            break
        }
        var actions: [Action] = []
        if let earliestCall, now >= earliestCall {
            for call in self.calls.filter({ $0.value <= now }).keys.sorted() {
                actions.append(.expire(call: call))
            }
            // Those that just expired go when the caller finishes them, which it does at once.
            self.earliestCall = self.calls.values.filter { $0 > now }.min()
        }
        switch self.liveness?.check(now: now) {
        case .ping:
            self.lastPing += 1
            actions.append(.send(Frame(call: self.lastPing, .ping)))
        case .dead: actions += self.end(.pingTimedOut)
        case .alive, nil: break
        }
        return actions
    }

    private mutating func start(_ call: UInt64, timeout: Duration?, _ action: Action, now: Instant) -> [Action] {
        guard case .ready = self.phase else {
            return [.send(Frame(call: call, .failure(PluginFailure(.unavailable, "the plugin is shutting down"))))]
        }
        guard self.calls[call] == nil else {
            return self.end(.protocolViolation("the host used the number of a call twice"))
        }
        guard self.calls.count < self.maximumCalls else {
            let failure = PluginFailure(.overloaded, "the plugin has too many calls under way", retryAfter: .seconds(1))
            return [.send(Frame(call: call, .failure(failure)))]
        }
        // A little earlier than the host gives up, so that what is known still reaches it.
        let timeout = timeout ?? .seconds(10)
        let deadline = now + timeout - min(timeout / 10, .milliseconds(500))
        self.calls[call] = deadline
        self.earliestCall = min(self.earliestCall ?? deadline, deadline)
        return [action]
    }

    private mutating func endIfDrained() -> [Action] {
        guard case .draining = self.phase, self.calls.isEmpty else { return [] }
        return self.end(.drained)
    }
}
