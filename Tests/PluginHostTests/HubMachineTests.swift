import PluginPeers
import PluginProtocol
import Testing

@testable import PluginHost

private let start = ContinuousClock.now
private let connection = ConnectionID(number: 1)

/// A hub machine with the plugin that a test plays.
private struct Scene {
    var machine = HubMachine(configuration: HubConfiguration(socketPath: "/s"), seed: 1)
    var events: [PluginEvent] = []
    var sent: [Frame] = []
    var now = start

    let trigger = TriggerID(owner: "uid", index: 0)

    mutating func `do`(_ change: (inout HubMachine, ContinuousClock.Instant) -> Void) {
        change(&self.machine, self.now)
        self.events = []
        self.sent = []
        for action in self.machine.takeActions() {
            switch action {
            case .emit(let event): self.events.append(event)
            case .send(_, let frame): self.sent.append(frame)
            case .close, .forget, .note: break
            }
        }
    }

    mutating func register(_ name: String = "p", types: [String] = ["t"], on id: ConnectionID = connection) {
        self.do { $0.connected(id, identity: nil, now: $1) }
        let declarations = types.map { TriggerTypeDeclaration(type: $0, help: "", parameters: []) }
        self.receive(Frame(.register(.init(name: name, version: "", triggerTypes: declarations))), on: id)
    }

    mutating func receive(_ frame: Frame, on id: ConnectionID = connection) {
        self.do { $0.received(frame, from: id, now: $1) }
    }

    mutating func set(revision: UInt64 = 1, _ parameters: [String: String] = [:]) {
        let trigger = self.trigger
        let specification = TriggerSpecification(type: "t", scaledJob: "a/b", parameters: parameters)
        self.do { $0.set(trigger, revision: revision, to: specification, now: $1) }
    }

    mutating func measure() {
        let trigger = self.trigger
        self.do { $0.measure([trigger], now: $1) }
    }

    /// The plugin answers the last frame that it was sent.
    mutating func answer(_ body: Frame.Body) {
        self.receive(Frame(call: self.sent.last?.call ?? 0, body))
    }

    /// The number of the trigger in the last Open.
    var number: UInt64 {
        if case .open(let open) = self.sent.last?.body { open.trigger } else { 0 }
    }

    /// How long until the machine opens the trigger again.
    mutating func pauseUntilOpen() -> Duration? {
        let before = self.now
        for _ in 0..<100 {
            guard let deadline = self.machine.nextDeadline else { return nil }
            self.now = max(self.now, deadline)
            self.do { $0.timerFired(now: $1) }
            if self.number != 0 { return before.duration(to: self.now) }
            self.receive(Frame(.pong))
        }
        return nil
    }
}

@Suite struct HubMachineTests {
    @Test func triggerIsOpenedWhicheverComesFirst() {
        var late = Scene()
        late.set()
        #expect(late.events.first?.failed(late.trigger) == "no plugin offers trigger type t")
        late.register()
        #expect(late.number != 0)

        var early = Scene()
        early.register()
        early.set()
        #expect(early.number != 0)
    }

    @Test func newerRevisionOfTheSameSpecificationIsNotOpenedAnew() {
        var scene = Scene()
        scene.register()
        scene.set(revision: 1)
        scene.answer(.opened(OpenedTrigger(target: 2)))
        scene.set(revision: 2)
        #expect(scene.sent.isEmpty)
        guard case .opened(_, revision: 2, let opened) = scene.events.first else {
            Issue.record("not said again")
            return
        }
        #expect(opened.target == 2)
    }

    @Test func otherSpecificationBeforeItIsOpenClosesAndOpens() {
        var scene = Scene()
        scene.register()
        scene.set(revision: 1)
        let number = scene.number
        scene.set(revision: 2, ["x": "y"])
        #expect(scene.sent.contains { $0.body == .close(trigger: number) })
        #expect(scene.number != number)
        #expect(scene.number != 0)
    }

    @Test func removedWhileOpeningIsCancelledAndClosed() {
        var scene = Scene()
        scene.register()
        scene.set()
        let (number, call) = (scene.number, scene.sent.last?.call ?? 0)
        let trigger = scene.trigger
        scene.do { $0.remove(trigger, now: $1) }
        #expect(scene.sent.map(\.body) == [.cancel(call: call), .close(trigger: number)])
        scene.receive(Frame(call: call, .opened(OpenedTrigger(target: 1))))
        #expect(scene.events.isEmpty)
    }

    @Test func failedOpenIsTriedAgainAsTheFailureAllows() throws {
        func pauses(_ failure: PluginFailure, _ count: Int) throws -> [Duration] {
            var scene = Scene()
            scene.register()
            scene.set()
            return try (0..<count).map { _ in
                scene.answer(.failure(failure))
                let pause = scene.pauseUntilOpen()
                return try #require(pause)
            }
        }
        let hopeless = try pauses(PluginFailure(.invalidParameter, ""), 5)
        #expect(hopeless.allSatisfy { $0 >= .seconds(30) && $0 <= .seconds(60) })
        let asked = try pauses(PluginFailure(.throttled, "", retryAfter: .seconds(7)), 3)
        #expect(asked.allSatisfy { $0 == .seconds(7) })
        let unavailable = try pauses(PluginFailure(.unavailable, ""), 40)
        #expect(unavailable.allSatisfy { $0 <= .seconds(30) && $0 >= .milliseconds(100) })
        #expect(unavailable[0] <= .seconds(1))
        #expect(unavailable.contains { $0 > .seconds(10) })
    }

    /// A plugin's words go into status, Events, log and metrics.
    @Test func valuesThatMayBeSecretAreHiddenInThePluginsWords() {
        func told(_ message: String, _ parameters: [String: String]) -> String? {
            var scene = Scene()
            scene.do { $0.connected(connection, identity: nil, now: $1) }
            let declaration = TriggerTypeDeclaration(
                type: "t",
                help: "",
                parameters: [
                    ParameterDeclaration("password", secret: true, help: ""),
                    ParameterDeclaration("host", default: "localhost", from: [.authentication, .metadata], help: ""),
                    ParameterDeclaration("queue", help: ""),
                ]
            )
            scene.receive(Frame(.register(.init(name: "p", version: "", triggerTypes: [declaration]))))
            scene.set(parameters)
            scene.answer(.failure(PluginFailure(.unavailable, message)))
            guard case .failed(_, _, let failure) = scene.events.first else { return nil }
            return failure.message
        }
        #expect(told("login with hunter2 failed", ["password": "hunter2"]) == "plugin p: login with *** failed")
        #expect(told("abchunter2abc", ["password": "hunter2"]) == "plugin p: abc***abc")
        #expect(told("no abc here", ["password": "abc"]) == "plugin p: no abc here")
        #expect(
            told("s3cret-1 and m://u:s3cret-1@h/", ["password": "m://u:s3cret-1@h/"]) == "plugin p: *** and ***"
        )
        // What an authentication may feed is hidden as a whole word only, and not where it is the default.
        #expect(told("test of latest", ["host": "test"]) == "plugin p: *** of latest")
        #expect(told("localhost", ["host": "localhost"]) == "plugin p: localhost")
        #expect(told("queue mails", ["queue": "mails"]) == "plugin p: queue mails")
        let cut = String(repeating: "x", count: ProtocolLimits.failureMessageBytes - 5) + "hunte"
        #expect(told(cut, ["password": "hunter2"])?.contains("hunt") == false)
    }

    @Test func aMetricIsNotNamedByASecret() {
        var scene = Scene()
        scene.do { $0.connected(connection, identity: nil, now: $1) }
        let parameters = [ParameterDeclaration("password", secret: true, help: "")]
        let declaration = TriggerTypeDeclaration(type: "t", help: "", parameters: parameters)
        scene.receive(Frame(.register(.init(name: "p", version: "", triggerTypes: [declaration]))))
        scene.set(["password": "hunter2"])
        scene.answer(.opened(OpenedTrigger(target: 1, metricName: "queue-hunter2")))
        guard case .opened(_, _, let opened) = scene.events.first else {
            Issue.record("not opened")
            return
        }
        #expect(opened.metricName == "queue-***")
    }

    @Test func triggerThatThePluginForgotIsOpenedAnew() {
        var scene = Scene()
        scene.register()
        scene.set()
        let number = scene.number
        scene.answer(.opened(OpenedTrigger(target: 1)))
        scene.measure()
        let failure = PluginFailure(.unknownTrigger, "what?")
        scene.answer(.measured([TriggerReading(trigger: number, outcome: .failure(failure))], more: false))
        #expect(scene.events.first?.unknown(of: scene.trigger) != nil)
        #expect(scene.number == number)
    }

    @Test func measureAskedTwiceIsReadTwiceButNotAtOnce() {
        var scene = Scene()
        scene.register()
        scene.set()
        let number = scene.number
        scene.answer(.opened(OpenedTrigger(target: 1)))
        scene.measure()
        let first = scene.sent.last?.call ?? 0
        scene.now += .seconds(1)
        scene.measure()
        scene.measure()
        #expect(scene.sent.isEmpty)
        let reading = TriggerReading(trigger: number, outcome: .success(Reading(waiting: 5)))
        scene.receive(Frame(call: first, .measured([reading], more: false)))
        guard case .reading(_, revision: 1, _, askedAt: start) = scene.events.first else {
            Issue.record("no reading")
            return
        }
        #expect(scene.sent.count == 1)
        scene.answer(.measured([reading], more: false))
        guard case .reading(_, revision: 1, _, let askedAt) = scene.events.first else {
            Issue.record("no second reading")
            return
        }
        #expect(askedAt == start + .seconds(1))
        #expect(scene.sent.isEmpty)
    }

    @Test func changesOfOneTriggerComeAtMostEveryTenMilliseconds() {
        var scene = Scene()
        scene.register()
        scene.set()
        let number = scene.number
        scene.answer(.opened(OpenedTrigger(target: 1)))
        scene.receive(Frame(.changed(triggers: [number, number, 77])))
        #expect(scene.events.count == 1)
        scene.now += .milliseconds(1)
        scene.receive(Frame(.changed(triggers: [number])))
        #expect(scene.events.isEmpty)
        scene.now += .milliseconds(10)
        scene.do { $0.timerFired(now: $1) }
        #expect(scene.events.count == 1)
    }

    @Test func opensAreAskedForAFewAtATime() {
        var scene = Scene()
        for index in 0..<1000 {
            let specification = TriggerSpecification(type: "t", scaledJob: "a/b", parameters: [:])
            scene.do { $0.set(TriggerID(owner: "\(index)", index: 0), revision: 1, to: specification, now: $1) }
        }
        scene.register()
        let opens = scene.sent.filter { if case .open = $0.body { true } else { false } }
        #expect(opens.count == 256)
        scene.receive(Frame(call: opens[0].call, .opened(OpenedTrigger(target: 1))))
        #expect(scene.sent.count == 1)
    }

    @Test func drainingPluginIsReplacedWithoutAGap() {
        var scene = Scene()
        scene.register()
        scene.set()
        scene.answer(.opened(OpenedTrigger(target: 1)))
        scene.receive(Frame(.drain(reason: "update")))
        #expect(scene.events.contains { $0.failed(scene.trigger) == "plugin p is shutting down" })
        scene.register(on: ConnectionID(number: 2))
        #expect(scene.number != 0)
    }
}

@Suite struct PluginEventQueueTests {
    @Test func newestReadingOfATriggerWins() async {
        let queue = PluginEventQueue()
        let trigger = TriggerID(owner: "uid", index: 0)
        for waiting in 0..<1000 {
            queue.put([.reading(trigger, revision: 1, Reading(waiting: Double(waiting)), askedAt: start)])
            queue.put([.changed(trigger)])
        }
        #expect(queue.count == 2)
        var iterator = queue.makeAsyncIterator()
        #expect(await iterator.next()?.waiting(of: trigger) == 999)
        queue.put([.changed(trigger)])
        #expect(queue.count == 1)
    }

    @Test func unknownReplacesAReadingThatNobodyTook() async {
        let queue = PluginEventQueue()
        let trigger = TriggerID(owner: "uid", index: 0)
        queue.put([.reading(trigger, revision: 1, Reading(waiting: 3), askedAt: start)])
        queue.put([.unknown(trigger, revision: 1, PluginFailure(.unavailable, "gone"))])
        var iterator = queue.makeAsyncIterator()
        #expect(await iterator.next()?.unknown(of: trigger) == "gone")
    }

    @Test func eventsOfARemovedTriggerAreMoot() async {
        let queue = PluginEventQueue()
        for index in 0..<1000 {
            let trigger = TriggerID(owner: "\(index)", index: 0)
            queue.put([.changed(trigger)])
            queue.forget(trigger)
        }
        #expect(queue.count == 0)
        queue.finish()
        var iterator = queue.makeAsyncIterator()
        #expect(await iterator.next() == nil)
    }

    @Test func consumerThatWaitsIsWokenAndEndsWhenCancelled() async {
        let queue = PluginEventQueue()
        let trigger = TriggerID(owner: "uid", index: 0)
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                var count = 0
                for await _ in queue {
                    count += 1
                    if count == 1 { withUnsafeCurrentTask { $0?.cancel() } }
                }
                return count
            }
            queue.put([.changed(trigger)])
            #expect(await group.next() == 1)
        }
    }
}
