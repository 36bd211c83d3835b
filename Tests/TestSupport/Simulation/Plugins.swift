import Controller
import PluginHost
import PluginProtocol

/// A plugin beside one host.
struct PluginProcess {
    var isUp = true
    var hangsUntil: ContinuousClock.Instant?
    /// What it makes of its numbers.
    var factor = 1.0
    var reorders = false
}

/// A trigger that a host wants open, as its hub has it.
struct HubTrigger {
    var revision: UInt64
    var specification: TriggerSpecification
    var isOpen = false
    /// Counts readings: an answer to an earlier question is dropped.
    var question = 0
}

// The plugins and the hub of a host, as far as the controller sees them.
extension World {
    static let types = ["counter", "claims"]

    static func declaration(_ type: String) -> TriggerTypeDeclaration {
        TriggerTypeDeclaration(
            type: type,
            help: "Counts.",
            parameters: [
                ParameterDeclaration("queue", required: true, help: "The queue."),
                ParameterDeclaration("password", secret: true, from: [.authentication], help: "The password."),
            ]
        )
    }

    func offer(on host: Host) {
        self.schedule(after: self.dice.time(0.01, 1), on: host, "plugins register") { $0.tellOffers(on: host) }
    }

    private func tellOffers(on host: Host) {
        var offers: [String: TriggerTypeOffer] = [:]
        for type in Self.types {
            let isUp = host.plugins[type]?.isUp ?? false
            offers[type] = TriggerTypeOffer(
                plugin: type,
                isConnected: isUp,
                declaration: Self.declaration(type)
            )
        }
        self.take(.plugin(.offers(offers)), on: host)
    }

    func set(_ id: TriggerID, _ revision: UInt64, _ specification: TriggerSpecification, on host: Host) {
        var trigger = host.acting?.triggers[id] ?? HubTrigger(revision: revision, specification: specification)
        // What is open goes on answering until the new one is.
        trigger.isOpen = trigger.isOpen && trigger.specification.type == specification.type
        (trigger.revision, trigger.specification) = (revision, specification)
        host.acting?.triggers[id] = trigger
        self.open(id, revision, on: host, after: self.dice.time(0.002, 0.1))
    }

    private func open(_ id: TriggerID, _ revision: UInt64, on host: Host, after pause: Duration) {
        self.schedule(after: pause, on: host, "open") { world in
            guard let trigger = host.acting?.triggers[id], trigger.revision == revision else { return }
            let plugin = host.plugins[trigger.specification.type] ?? PluginProcess()
            if !plugin.isUp || plugin.hangsUntil.map({ $0 > world.now }) ?? false {
                host.acting?.triggers[id]?.isOpen = false
                let failure = PluginFailure(.unavailable, "the plugin is not connected")
                world.take(.plugin(.failed(id, revision: revision, failure)), on: host)
                return world.open(id, revision, on: host, after: world.dice.time(1, 10))
            }
            guard let source = world.source(of: trigger) else { return }
            guard trigger.specification.parameters["password"] == source.password else {
                host.acting?.triggers[id]?.isOpen = false
                let failure = PluginFailure(.unauthenticated, "wrong password")
                world.take(.plugin(.failed(id, revision: revision, failure)), on: host)
                return world.open(id, revision, on: host, after: world.dice.time(2, 15))
            }
            host.acting?.triggers[id]?.isOpen = true
            let opened = OpenedTrigger(target: 1, counts: source.counts, push: .available)
            world.take(.plugin(.opened(id, revision: revision, opened)), on: host)
        }
    }

    private func source(of trigger: HubTrigger) -> Source? {
        trigger.specification.parameters["queue"].flatMap { self.sources[$0] }
    }

    // MARK: - Reading

    func measure(_ id: TriggerID, on host: Host) {
        guard let trigger = host.acting?.triggers[id] else { return }
        let question = trigger.question + 1
        host.acting?.triggers[id]?.question = question
        let askedAt = self.now
        let plugin = host.plugins[trigger.specification.type] ?? PluginProcess()
        if let until = plugin.hangsUntil, until > self.now {
            return self.fail(id, question, .timedOut, on: host, after: .seconds(10))
        }
        self.schedule(after: self.dice.time(0.001, 0.05), on: host, "source counts") { world in
            guard let trigger = host.acting?.triggers[id], trigger.question == question else { return }
            let plugin = host.plugins[trigger.specification.type] ?? PluginProcess()
            guard trigger.isOpen, plugin.isUp, let source = world.source(of: trigger) else {
                return world.fail(id, question, .unavailable, on: host, after: .milliseconds(1))
            }
            guard trigger.specification.parameters["password"] == source.password else {
                return world.fail(id, question, .unauthenticated, on: host, after: .milliseconds(5))
            }
            var reading = source.reading
            if plugin.factor != 1 {
                let isHidden = plugin.factor == 0
                world.count(isHidden ? .pluginHidWork : .pluginExaggerated)
                reading.waiting = isHidden ? 0 : reading.waiting * plugin.factor + 3
            }
            if plugin.reorders { world.count(.answersReordered) }
            let pause = plugin.reorders ? world.dice.time(0, 4) : world.dice.time(0.001, 0.01)
            world.schedule(after: pause, on: host, "reading") { world in
                guard let trigger = host.acting?.triggers[id], trigger.question == question else { return }
                world.note(host.name) { "reads \(reading.waiting) of \(source.name)" }
                let event = PluginEvent.reading(id, revision: trigger.revision, reading, askedAt: askedAt)
                world.take(.plugin(event), on: host)
            }
        }
    }

    private func fail(
        _ id: TriggerID,
        _ question: Int,
        _ code: PluginFailure.Code,
        on host: Host,
        after pause: Duration
    ) {
        self.schedule(after: pause, on: host, "no reading") { world in
            guard let trigger = host.acting?.triggers[id], trigger.question == question else { return }
            let failure = PluginFailure(code, "no reading")
            world.take(.plugin(.unknown(id, revision: trigger.revision, failure)), on: host)
        }
    }

    /// A plugin that notices it by itself says so.
    func pushChange(of queue: String) {
        for host in self.hosts {
            guard let acting = host.acting else { continue }
            let ids = acting.triggers.filter { $0.value.isOpen && $0.value.specification.parameters["queue"] == queue }
            for id in ids.keys.sorted() { self.push(id, on: host, after: self.dice.time(0.002, 0.05)) }
        }
    }

    func push(_ id: TriggerID, on host: Host, after pause: Duration) {
        self.schedule(after: pause, on: host, "push") { world in
            guard host.acting?.triggers[id]?.isOpen == true else { return }
            world.take(.plugin(.changed(id)), on: host)
        }
    }

    // MARK: - Coming and going

    func stopPlugin(_ type: String, on host: Host, for pause: Duration?) {
        guard host.plugins[type]?.isUp == true else { return }
        host.plugins[type]?.isUp = false
        self.note(host.name) { "plugin \(type) is gone" }
        for (id, trigger) in (host.acting?.triggers ?? [:]).sorted(by: { $0.key < $1.key })
        where trigger.specification.type == type && trigger.isOpen {
            host.acting?.triggers[id]?.isOpen = false
            host.acting?.triggers[id]?.question += 1
            let failure = PluginFailure(.unavailable, "the plugin went away")
            self.take(.plugin(.failed(id, revision: trigger.revision, failure)), on: host)
        }
        if host.acting != nil { self.tellOffers(on: host) }
        guard let pause else { return }
        self.schedule(after: pause, "plugin comes back") { $0.startPlugin(type, on: host) }
    }

    func startPlugin(_ type: String, on host: Host) {
        guard host.plugins[type]?.isUp == false else { return }
        host.plugins[type] = PluginProcess()
        guard host.acting != nil else { return }
        self.tellOffers(on: host)
        for (id, trigger) in (host.acting?.triggers ?? [:]).sorted(by: { $0.key < $1.key })
        where trigger.specification.type == type {
            self.open(id, trigger.revision, on: host, after: self.dice.time(0.01, 0.5))
        }
    }
}
