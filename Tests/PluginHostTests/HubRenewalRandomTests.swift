import Pace
import PluginProtocol
import Testing

@testable import PluginHost

/// Renewals, removals, lost connections and answers in any order: who asks is answered, and nothing is left over.
@Suite struct HubRenewalRandomTests {
    /// A hub, the plugin that it talks to, and the controller's view of three triggers.
    private struct World {
        struct Call {
            let number: UInt64
            let body: Frame.Body
        }

        var machine: HubMachine
        var random: SplitMix64
        var now = ContinuousClock.now
        let ids = (0..<3).map { TriggerID(owner: "uid", index: $0) }
        var revisions: [TriggerID: UInt64] = [:]
        /// Asked and not answered, as the controller sees it.
        var asked: Set<TriggerID> = []
        /// What the plugin has been asked and has not answered.
        var calls: [Call] = []
        /// What the plugin has open.
        var open: Set<UInt64> = []
        var connection: ConnectionID?
        var lastConnection = 0

        init(seed: UInt64) {
            self.machine = HubMachine(configuration: HubConfiguration(socketPath: "/s"), seed: seed)
            self.random = SplitMix64(seed: seed)
        }

        mutating func `do`(_ change: (inout HubMachine, ContinuousClock.Instant) -> Void) {
            change(&self.machine, self.now)
            for action in self.machine.takeActions() {
                switch action {
                case .send(let id, let frame) where id == self.connection: self.take(frame)
                case .emit(let event): self.take(event)
                default: break
                }
            }
        }

        private mutating func take(_ frame: Frame) {
            switch frame.body {
            case .open, .measure: self.calls.append(Call(number: frame.call, body: frame.body))
            case .close(let trigger): self.open.remove(trigger)
            case .cancel(let call): self.calls.removeAll { $0.number == call }
            default: break
            }
        }

        private mutating func take(_ event: PluginEvent) {
            switch event {
            case .reading(let id, _, _, _), .unknown(let id, _, _), .failed(let id, _, _): self.asked.remove(id)
            case .opened, .offers, .changed: break
            }
        }

        mutating func connect() {
            self.lastConnection += 1
            let id = ConnectionID(number: self.lastConnection)
            self.connection = id
            let declaration = TriggerTypeDeclaration(type: "t", help: "", parameters: [])
            let register = Frame.Register(name: "p", version: "", triggerTypes: [declaration])
            self.do { $0.connected(id, identity: nil, now: $1) }
            self.do { $0.received(Frame(.register(register)), from: id, now: $1) }
        }

        mutating func disconnect() {
            guard let id = self.connection else { return }
            self.calls = []
            self.open = []
            self.do { $0.end(id, .connectionLost, now: $1) }
            self.connection = nil
        }

        mutating func set(_ id: TriggerID) {
            let revision = (self.revisions[id] ?? 0) + 1
            self.revisions[id] = revision
            let specification = TriggerSpecification(type: "t", scaledJob: "a/b", parameters: ["p": "\(revision)"])
            self.do { $0.set(id, revision: revision, to: specification, now: $1) }
        }

        mutating func remove(_ id: TriggerID) {
            self.asked.remove(id)
            self.do { $0.remove(id, now: $1) }
        }

        mutating func measure(_ id: TriggerID) {
            guard self.asked.insert(id).inserted else { return }
            self.do { $0.measure([id], now: $1) }
        }

        /// The plugin answers one of its calls, well or badly.
        mutating func answer(well: Bool) {
            guard let id = self.connection, !self.calls.isEmpty else { return }
            let call = self.calls.remove(at: Int.random(in: self.calls.indices, using: &self.random))
            let failure = PluginFailure(.unauthenticated, "no")
            let body: Frame.Body
            switch call.body {
            case .open(let open) where well:
                self.open.insert(open.trigger)
                body = .opened(OpenedTrigger(target: 1))
            case .measure(let measure):
                let open = self.open
                body = .measured(
                    measure.triggers.map { trigger in
                        let isRead = well && open.contains(trigger)
                        return TriggerReading(
                            trigger: trigger,
                            outcome: isRead ? .success(Reading(waiting: 1)) : .failure(failure)
                        )
                    },
                    more: false
                )
            default: body = .failure(failure)
            }
            self.do { $0.received(Frame(call: call.number, body), from: id, now: $1) }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func whoAsksIsAnsweredAndNothingIsLeftOver(seed: UInt64) {
        var world = World(seed: seed)
        var dice = SplitMix64(seed: seed &+ 1)
        world.connect()
        for _ in 0..<300 {
            let id = world.ids[Int.random(in: 0..<3, using: &dice)]
            switch Int.random(in: 0..<20, using: &dice) {
            case 0..<4: world.set(id)
            case 4: world.remove(id)
            case 5: world.connection == nil ? world.connect() : world.disconnect()
            case 6..<11: if world.revisions[id] != nil { world.measure(id) }
            case 11..<18: world.answer(well: true)
            default: world.answer(well: false)
            }
            #expect(world.machine.numbers.count <= 3)
        }
        while !world.calls.isEmpty { world.answer(well: true) }
        #expect(world.asked.isEmpty, "never answered")
        #expect(world.machine.triggers.count == world.machine.numbers.count, "left over")
        #expect(Set(world.machine.triggers.keys).isSuperset(of: world.open), "open at the plugin and not wanted")
        #expect(world.machine.triggers.values.allSatisfy { $0.askedAt == nil && $0.owedSince == nil })
    }
}
