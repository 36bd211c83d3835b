/// The host's side of one plugin connection, without the connection.
///
/// Every input returns what the caller must now do. Nothing in here waits, logs or reads a clock. Whatever happens, each
/// ``open(_:now:)`` comes to one ``Action/opened(trigger:_:)`` unless ``close(trigger:)`` comes first, and each trigger of
/// each ``measure(_:deadline:now:)`` to one reading.
package struct HostSession: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum Action: Sendable, Equatable {
        /// Send this.
        case send(Frame)
        /// The plugin wants to register; answer with ``accept(now:)`` or ``reject(_:)``.
        case registrationRequested(Frame.Register)
        /// An open came to this.
        case opened(trigger: UInt64, Result<OpenedTrigger, PluginFailure>)
        /// Measures came to these.
        case measured([TriggerReading])
        /// The plugin says that these changed.
        case changed([UInt64])
        /// The plugin will close the connection soon.
        case draining(reason: String)
        /// Close the connection, after what is to be sent.
        case end(SessionEnd)
    }

    private enum Phase: Equatable {
        /// Can move to registering, closed.
        case awaitingRegister(deadline: Instant)
        /// Can move to ready, closed.
        case registering(version: UInt32)
        /// Can move to draining, closed.
        case ready
        /// Finishes the calls under way. Can move to closed.
        case draining
        case closed
    }

    private struct PendingOpen {
        let trigger: UInt64
        let deadline: Instant
    }

    private let configuration: SessionConfiguration
    private var phase: Phase
    private var liveness: Liveness
    private var breaker: CircuitBreaker
    private var lastCall: UInt64 = 0
    private var opens: [UInt64: PendingOpen] = [:]
    private var measures: [UInt64: PendingMeasure] = [:]
    /// Not later than the earliest deadline of a call.
    private var earliestCall: Instant?

    package init(configuration: SessionConfiguration, now: Instant) {
        self.configuration = configuration
        self.phase = .awaitingRegister(deadline: now + configuration.registrationTimeout)
        self.liveness = Liveness(
            interval: configuration.pingInterval,
            timeout: configuration.pingTimeout,
            now: now
        )
        self.breaker = configuration.breaker
    }

    /// When ``timerFired(now:)`` wants to be called; it may be called at any other time as well.
    package var nextDeadline: Instant? {
        switch self.phase {
        case .awaitingRegister(let deadline): deadline
        case .registering, .closed: nil
        case .ready, .draining: min(self.liveness.nextDeadline, self.earliestCall ?? self.liveness.nextDeadline)
        }
    }

    /// Whether new calls can be sent.
    package var isReady: Bool { self.phase == .ready }

    /// Whether something that the plugin should have answered is late.
    package func isUnresponsive(now: Instant) -> Bool {
        self.liveness.isDoubtful(now: now) || self.breaker.isOpen
    }

    package var openCallsUnderWay: Int { self.opens.count }

    // MARK: From the plugin

    package mutating func received(_ frame: Frame, now: Instant) -> [Action] {
        self.liveness.heard(now: now)
        switch (self.phase, frame.body) {
        case (.closed, _), (_, .unknown):
            return []
        case (.awaitingRegister, .register(let register)):
            do throws(Frame.Rejected) {
                self.phase = .registering(version: try register.negotiate())
                return [.registrationRequested(register)]
            } catch {
                return self.reject(error)
            }
        case (.awaitingRegister, _), (.registering, _):
            return self.end(
                .protocolViolation("the first message must be Register, and its answer comes before the next")
            )
        case (_, .opened(let opened)):
            return self.openFinished(frame.call, .success(opened))
        case (_, .measured(let readings, let more)):
            return self.measured(frame.call, readings, more: more, now: now)
        case (_, .failure(let failure)):
            if self.opens[frame.call] != nil {
                return self.openFinished(frame.call, .failure(failure))
            }
            return self.measureFailed(frame.call, failure, now: now)
        case (_, .changed(let triggers)):
            return triggers.isEmpty ? [] : [.changed(triggers)]
        case (_, .ping):
            return [.send(Frame(call: frame.call, .pong))]
        case (_, .pong):
            return []
        case (.ready, .drain(let reason)):
            self.phase = .draining
            return [.draining(reason: reason)]
        case (_, .drain):
            return []
        case (_, .register), (_, .registered), (_, .rejected), (_, .open), (_, .close), (_, .measure), (_, .cancel):
            return self.end(.protocolViolation("a message that a plugin must not send now"))
        }
    }

    /// The connection is gone: every call still waiting fails once, however often this is called.
    package mutating func connectionClosed() -> [Action] {
        self.phase == .closed ? [] : self.end(.connectionLost)
    }

    /// The connection must go, for a reason that lies outside of the session.
    package mutating func end(_ reason: SessionEnd) -> [Action] {
        guard self.phase != .closed else { return [] }
        self.phase = .closed
        let failure = PluginFailure(.unavailable, "the plugin went away: \(reason)")
        var actions: [Action] = self.opens.keys.sorted().compactMap { self.opens[$0] }.map {
            .opened(trigger: $0.trigger, .failure(failure))
        }
        for call in self.measures.keys.sorted() {
            if let rest = self.measures[call]?.takeRest(), !rest.isEmpty {
                actions.append(.measured(rest.map { TriggerReading(trigger: $0, outcome: .failure(failure)) }))
            }
        }
        self.opens = [:]
        self.measures = [:]
        self.earliestCall = nil
        actions.append(.end(reason))
        return actions
    }

    // MARK: From the host

    package mutating func accept(now: Instant) -> [Action] {
        guard case .registering(let version) = self.phase else { return [] }
        self.phase = .ready
        self.liveness.heard(now: now)
        return [.send(Frame(.registered(self.configuration.registered(version: version))))]
    }

    package mutating func reject(_ rejected: Frame.Rejected) -> [Action] {
        guard self.phase != .closed else { return [] }
        return [.send(Frame(.rejected(rejected)))] + self.end(.rejected(rejected))
    }

    package mutating func open(_ open: Frame.Open, now: Instant) -> [Action] {
        guard self.phase == .ready else {
            return [.opened(trigger: open.trigger, .failure(self.notReady))]
        }
        let call = self.nextCall(deadline: now + self.configuration.openTimeout)
        self.opens[call] = PendingOpen(trigger: open.trigger, deadline: now + self.configuration.openTimeout)
        return [.send(Frame(call: call, .open(open)))]
    }

    /// Forgets the trigger.
    ///
    /// An open under way is cancelled and comes to nothing; readings under way still come.
    package mutating func close(trigger: UInt64) -> [Action] {
        guard self.phase == .ready || self.phase == .draining else { return [] }
        var actions: [Action] = []
        if let call = self.opens.first(where: { $0.value.trigger == trigger })?.key {
            self.opens[call] = nil
            actions.append(.send(Frame(.cancel(call: call))))
        }
        actions.append(.send(Frame(.close(trigger: trigger))))
        return actions
    }

    /// Asks for readings, in as many messages as the limits want.
    ///
    /// `items` are how many are wanted of a trigger, 0 for each that is not in it. A message asks for as many of each of its
    /// triggers, so there is one for each number.
    package mutating func measure(
        _ triggers: [UInt64],
        items: [UInt64: Int] = [:],
        deadline: Instant,
        now: Instant
    ) -> [Action] {
        guard self.phase == .ready else { return Self.unknown(triggers[...], self.notReady) }
        switch self.breaker.permit(now: now) {
        case .all:
            var actions: [Action] = []
            for (count, alike) in self.grouped(triggers, by: items) {
                var rest = alike
                while !rest.isEmpty {
                    let part = rest.prefix(self.configuration.maximumTriggersPerMeasure)
                    actions.append(self.sendMeasure(part, items: count, deadline: deadline, now: now))
                    rest = rest.dropFirst(part.count)
                }
            }
            return actions
        case .probe:
            let first = triggers.prefix(1)
            let count = first.first.flatMap { items[$0] } ?? 0
            return [self.sendMeasure(first, items: count, deadline: deadline, now: now)]
                + Self.unknown(triggers.dropFirst(), Self.silent)
        case .none:
            return Self.unknown(triggers[...], Self.silent)
        }
    }

    /// Asks the plugin for a sign of life, unless that is under way.
    package mutating func ping(now: Instant) -> [Action] {
        guard self.phase == .ready, self.liveness.doubt(now: now) else { return [] }
        return [.send(Frame(call: self.nextCall(deadline: nil), .ping))]
    }

    package mutating func drain(reason: String) -> [Action] {
        guard self.phase == .ready else { return [] }
        self.phase = .draining
        return [.send(Frame(.drain(reason: reason)))]
    }

    // MARK: Time

    package mutating func timerFired(now: Instant) -> [Action] {
        if case .awaitingRegister(let deadline) = self.phase {
            return now >= deadline ? self.end(.registrationTimedOut) : []
        }
        guard self.phase == .ready || self.phase == .draining else { return [] }
        var actions: [Action] = []
        if let earliestCall, now >= earliestCall {
            self.expireCalls(now: now, into: &actions)
        }
        switch self.liveness.check(now: now) {
        case .alive: break
        case .ping: actions.append(.send(Frame(call: self.nextCall(deadline: nil), .ping)))
        case .dead: actions += self.end(.pingTimedOut)
        }
        return actions
    }

    private mutating func expireCalls(now: Instant, into actions: inout [Action]) {
        let failure = PluginFailure(.timedOut, "the plugin did not answer in time")
        for (call, open) in self.opens.filter({ $0.value.deadline <= now }).sorted(by: { $0.key < $1.key }) {
            self.opens[call] = nil
            actions.append(.send(Frame(.cancel(call: call))))
            actions.append(.opened(trigger: open.trigger, .failure(failure)))
        }
        for call in self.measures.filter({ $0.value.deadline <= now }).keys.sorted() {
            guard var measure = self.measures.removeValue(forKey: call) else { continue }
            if !measure.hasAnswers {
                self.breaker.timedOut(startedAt: measure.startedAt, now: now)
            }
            actions.append(.send(Frame(.cancel(call: call))))
            actions += Self.unknown(measure.takeRest()[...], failure)
        }
        self.earliestCall = (self.opens.values.map(\.deadline) + self.measures.values.map(\.deadline)).min()
    }

    // MARK: Calls

    private mutating func nextCall(deadline: Instant?) -> UInt64 {
        self.lastCall += 1
        if let deadline {
            self.earliestCall = min(self.earliestCall ?? deadline, deadline)
        }
        return self.lastCall
    }

    /// The triggers by how many items are wanted of them, the fewest first.
    private func grouped(_ triggers: [UInt64], by items: [UInt64: Int]) -> [(Int, ArraySlice<UInt64>)] {
        guard !items.isEmpty else { return [(0, triggers[...])] }
        return Dictionary(grouping: triggers) { items[$0] ?? 0 }.sorted { $0.key < $1.key }.map { ($0, $1[...]) }
    }

    private mutating func sendMeasure(
        _ triggers: ArraySlice<UInt64>,
        items: Int,
        deadline: Instant,
        now: Instant
    ) -> Action {
        let measure = Frame.Measure(
            triggers: Array(triggers),
            timeout: now.duration(to: deadline),
            maximumItems: min(max(items, 0), self.configuration.maximumItems)
        )
        let call = self.nextCall(deadline: deadline)
        self.measures[call] = PendingMeasure(measure, startedAt: now, deadline: deadline)
        return .send(Frame(call: call, .measure(measure)))
    }

    private mutating func openFinished(_ call: UInt64, _ result: Result<OpenedTrigger, PluginFailure>) -> [Action] {
        guard let open = self.opens.removeValue(forKey: call) else { return [] }
        return [.opened(trigger: open.trigger, result)]
    }

    private mutating func measured(
        _ call: UInt64,
        _ readings: [TriggerReading],
        more: Bool,
        now: Instant
    ) -> [Action] {
        guard var measure = self.measures.removeValue(forKey: call) else { return [] }
        let taken = measure.take(readings)
        if !taken.isEmpty {
            self.breaker.answered(now: now)
        }
        var actions: [Action] = taken.isEmpty ? [] : [.measured(taken)]
        if more {
            self.measures[call] = measure
        } else {
            let failure = PluginFailure(.internal, "the plugin left this trigger out of its answer")
            actions += Self.unknown(measure.takeRest()[...], failure)
        }
        return actions
    }

    private mutating func measureFailed(_ call: UInt64, _ failure: PluginFailure, now: Instant) -> [Action] {
        guard var measure = self.measures.removeValue(forKey: call) else { return [] }
        self.breaker.answered(now: now)
        return Self.unknown(measure.takeRest()[...], failure)
    }

    private static let silent = PluginFailure(
        .unavailable,
        "the plugin has not answered for a while; it is tried again"
    )

    private var notReady: PluginFailure {
        PluginFailure(
            .unavailable,
            self.phase == .draining ? "the plugin is shutting down" : "the plugin is not connected"
        )
    }

    private static func unknown(_ triggers: ArraySlice<UInt64>, _ failure: PluginFailure) -> [Action] {
        guard !triggers.isEmpty else { return [] }
        return [.measured(triggers.map { TriggerReading(trigger: $0, outcome: .failure(failure)) })]
    }
}
