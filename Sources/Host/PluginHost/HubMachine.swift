internal import NIOCore
import Pace
internal import PluginProtocol

/// Everything that the host decides about plugins and triggers, without sockets, clocks and threads.
///
/// Each input leaves ``Action``s that the caller takes with ``takeActions()`` and carries out in order. Every trigger asked
/// for in ``measure(_:now:)`` comes to one reading or one unknown.
struct HubMachine {
    typealias Instant = ContinuousClock.Instant

    enum Action: Sendable {
        case send(ConnectionID, Frame)
        case close(ConnectionID)
        case emit(PluginEvent)
        /// Events of this trigger that nobody has taken yet are moot.
        case forget(TriggerID)
        case note(Note)
    }

    /// What a person may want to read in the log.
    enum Note: Sendable, Equatable {
        case registered(plugin: String, version: String, types: [String])
        case refused(plugin: String, reason: String)
        case draining(plugin: String, reason: String)
        /// A connection ended; the plugin is nil when it had not registered.
        case lost(plugin: String?, reason: SessionEnd)
    }

    struct Connection {
        var session: HostSession
        /// The only name that may register here; nil where the socket is shared.
        let identity: String?
        var plugin: String?
        /// Triggers to open here, as soon as enough opens have come back.
        var toOpen = CircularBuffer<UInt64>()

        /// The next trigger to open, unless enough opens are under way.
        mutating func nextToOpen(limit: Int) -> UInt64? {
            guard self.session.isReady, self.session.openCallsUnderWay < limit else { return nil }
            return self.toOpen.popFirst()
        }
    }

    struct Offer {
        var plugin: String
        var connection: ConnectionID?
        var declaration: TriggerTypeDeclaration
    }

    let configuration: HubConfiguration
    var random: SplitMix64
    var connections: [ConnectionID: Connection] = [:]
    var offers: [String: Offer] = [:]
    var numbers: [TriggerID: UInt64] = [:]
    var triggers: [UInt64: DesiredTrigger] = [:]
    var lastNumber: UInt64 = 0
    /// Triggers whose change is reported a little later, because it was just reported.
    var changedLater: Set<UInt64> = []
    var changedLaterAt: Instant?
    /// Not later than the earliest retry of an open.
    var earliestRetry: Instant?
    private var actions: [Action] = []

    init(configuration: HubConfiguration, seed: UInt64 = .random(in: .min ... .max)) {
        self.configuration = configuration
        self.random = SplitMix64(seed: seed)
    }

    /// When ``timerFired(now:)`` wants to be called; it may be called at any other time as well.
    var nextDeadline: Instant? {
        var deadline = self.earliestRetry
        if let changedLaterAt {
            deadline = min(deadline ?? changedLaterAt, changedLaterAt)
        }
        for connection in self.connections.values {
            guard let next = connection.session.nextDeadline else { continue }
            deadline = min(deadline ?? next, next)
        }
        return deadline
    }

    mutating func takeActions() -> [Action] {
        defer { self.actions = [] }
        return self.actions
    }

    mutating func act(_ action: Action) {
        self.actions.append(action)
    }

    mutating func timerFired(now: Instant) {
        for id in self.connections.keys.sorted() {
            if let deadline = self.connections[id]?.session.nextDeadline, deadline <= now {
                self.perform(self.connections[id]?.session.timerFired(now: now) ?? [], of: id, now: now)
            }
        }
        if let changedLaterAt, changedLaterAt <= now {
            self.reportLaterChanges(now: now)
        }
        if let earliestRetry, earliestRetry <= now {
            self.retryOpens(now: now)
        }
    }

    // MARK: Connections

    mutating func connected(_ id: ConnectionID, identity: String?, now: Instant) {
        self.connections[id] = Connection(
            session: HostSession(configuration: self.configuration.session, now: now),
            identity: identity
        )
    }

    mutating func received(_ frame: Frame, from id: ConnectionID, now: Instant) {
        self.perform(self.connections[id]?.session.received(frame, now: now) ?? [], of: id, now: now)
    }

    /// The connection is gone, or must go.
    mutating func end(_ id: ConnectionID, _ reason: SessionEnd, now: Instant) {
        self.perform(self.connections[id]?.session.end(reason) ?? [], of: id, now: now)
    }

    /// No new calls; plugins may hang up when the ones under way are done.
    mutating func drain(reason: String, now: Instant) {
        for id in self.connections.keys.sorted() {
            self.perform(self.connections[id]?.session.drain(reason: reason) ?? [], of: id, now: now)
        }
    }

    /// Carries out what the session of a connection wants.
    mutating func perform(_ wanted: [HostSession.Action], of id: ConnectionID, now: Instant) {
        for action in wanted {
            switch action {
            case .send(let frame):
                self.act(.send(id, frame))
            case .registrationRequested(let register):
                self.register(register, on: id, now: now)
            case .opened(let number, let result):
                self.opened(number, result, on: id, now: now)
            case .measured(let readings):
                self.measured(readings, on: id, now: now)
            case .changed(let numbers):
                self.changed(numbers, on: id, now: now)
            case .draining(let reason):
                guard let plugin = self.connections[id]?.plugin else { continue }
                self.act(.note(.draining(plugin: plugin, reason: reason)))
                self.detach(id, plugin, "is shutting down", now: now)
            case .end(let reason):
                self.ended(id, reason, now: now)
            }
        }
    }

    private mutating func ended(_ id: ConnectionID, _ reason: SessionEnd, now: Instant) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        self.act(.close(id))
        if case .rejected = reason { return }
        self.act(.note(.lost(plugin: connection.plugin, reason: reason)))
        if let plugin = connection.plugin {
            self.detach(id, plugin, "is not connected", now: now)
        }
    }

    // MARK: Registration

    private mutating func register(_ register: Frame.Register, on id: ConnectionID, now: Instant) {
        if let refusal = self.refusal(of: register, on: id, now: now) {
            self.act(.note(.refused(plugin: register.name, reason: refusal.reason)))
            self.perform(self.connections[id]?.session.reject(refusal) ?? [], of: id, now: now)
            return
        }
        self.connections[id]?.plugin = register.name
        // What the plugin offered before and offers no more is gone.
        self.offers = self.offers.filter { $0.value.plugin != register.name || $0.value.connection != nil }
        for declaration in register.triggerTypes {
            self.offers[declaration.type] = Offer(plugin: register.name, connection: id, declaration: declaration)
        }
        let types = register.triggerTypes.map(\.type)
        self.act(.note(.registered(plugin: register.name, version: register.version, types: types)))
        self.perform(self.connections[id]?.session.accept(now: now) ?? [], of: id, now: now)
        self.emitOffers()
        let offered = Set(types)
        for number in self.triggers.keys.sorted() {
            guard let trigger = self.triggers[number], offered.contains(trigger.specification.type) else { continue }
            self.triggers[number]?.backoff.reset()
            self.queueOpen(number, on: id)
        }
        self.openNext(on: id, now: now)
    }

    /// Who may register: see the rule in `docs/protocol.md`, "One name, one connection; one type, one plugin".
    private mutating func refusal(
        of register: Frame.Register,
        on id: ConnectionID,
        now: Instant
    ) -> Frame.Rejected? {
        if let identity = self.connections[id]?.identity, identity != register.name {
            return Frame.Rejected(.permissionDenied, "this socket is for the plugin \(identity) only")
        }
        for type in register.triggerTypes {
            guard let offer = self.offers[type.type], offer.connection != nil, offer.plugin != register.name else {
                continue
            }
            return Frame.Rejected(.unsupported, "plugin \(offer.plugin) already offers trigger type \(type.type)")
        }
        let older = self.connections.first {
            $0.key != id && $0.value.plugin == register.name && $0.value.session.isReady
        }
        guard let older else { return nil }
        guard older.value.session.isUnresponsive(now: now) else {
            // Should the older one be dead after all, the next attempt finds it out.
            self.perform(self.connections[older.key]?.session.ping(now: now) ?? [], of: older.key, now: now)
            return Frame.Rejected(.unavailable, "plugin \(register.name) is already connected")
        }
        self.end(older.key, .replaced, now: now)
        return nil
    }

    /// Takes the triggers away from a connection that answers no more calls.
    private mutating func detach(_ id: ConnectionID, _ plugin: String, _ state: String, now: Instant) {
        var isOfferChanged = false
        for (type, offer) in self.offers where offer.connection == id {
            self.offers[type]?.connection = nil
            isOfferChanged = true
        }
        self.connections[id]?.toOpen.removeAll()
        let failure = PluginFailure(.unavailable, "plugin \(plugin) \(state)")
        for number in self.triggers.keys.sorted() {
            guard let trigger = self.triggers[number], trigger.phase.connection == id else { continue }
            guard self.numbers[trigger.id] == number else {
                // What is left of an earlier setting goes with its connection.
                self.triggers[number] = nil
                continue
            }
            self.triggers[number]?.phase = .unoffered
            self.triggers[number]?.predecessor = nil
            self.triggers[number]?.retiring = []
            if self.triggers[number]?.owedSince != nil {
                self.triggers[number]?.owedSince = nil
                self.act(.emit(.unknown(trigger.id, revision: trigger.revision, failure)))
            }
            self.triggers[number]?.failure = nil
            self.act(.emit(.failed(trigger.id, revision: trigger.revision, failure)))
        }
        if isOfferChanged {
            self.emitOffers()
        }
    }

    private mutating func emitOffers() {
        self.act(
            .emit(
                .offers(
                    self.offers.mapValues {
                        TriggerTypeOffer(
                            plugin: $0.plugin,
                            isConnected: $0.connection != nil,
                            declaration: $0.declaration
                        )
                    }
                )
            )
        )
    }
}
