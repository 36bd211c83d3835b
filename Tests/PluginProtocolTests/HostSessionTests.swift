import PluginProtocol
import Testing

private let start = ContinuousClock.now
private let silence = Duration.seconds(3600)

private func register(_ name: String = "p", versions: [UInt32] = [1], types: [String] = ["t"]) -> Frame {
    Frame(
        .register(
            Frame.Register(
                name: name,
                version: "1",
                protocolVersions: versions,
                triggerTypes: types.map { TriggerTypeDeclaration(type: $0, help: "", parameters: []) }
            )
        )
    )
}

private func ready(_ adjust: (inout SessionConfiguration) -> Void = { _ in }) -> HostSession {
    var configuration = SessionConfiguration()
    adjust(&configuration)
    var session = HostSession(configuration: configuration, now: start)
    _ = session.received(register(), now: start)
    _ = session.accept(now: start)
    return session
}

private func reading(_ trigger: UInt64, _ waiting: Double = 1) -> TriggerReading {
    TriggerReading(trigger: trigger, outcome: .success(Reading(waiting: waiting)))
}

extension [HostSession.Action] {
    fileprivate var frames: [Frame] { self.compactMap { if case .send(let frame) = $0 { frame } else { nil } } }
    fileprivate var readings: [TriggerReading] {
        self.flatMap { action -> [TriggerReading] in
            if case .measured(let readings) = action { readings } else { [] }
        }
    }
    fileprivate var ends: [SessionEnd] { self.compactMap { if case .end(let end) = $0 { end } else { nil } } }
}

@Suite struct HostSessionTests {
    @Test func highestCommonVersionIsChosen() throws {
        #expect(try Self.body(versions: [3, 1, 2]).negotiate([1, 2]) == 2)
        #expect(throws: Frame.Rejected.self) { try Self.body(versions: [7]).negotiate() }
    }

    @Test func strangerVersionIsRejectedWithAReason() {
        var session = HostSession(configuration: SessionConfiguration(), now: start)
        let actions = session.received(register(versions: [9]), now: start)
        guard case .rejected(let rejected) = actions.frames.first?.body else {
            Issue.record("not rejected")
            return
        }
        #expect(rejected.code == .unsupported)
        #expect(rejected.reason.contains("9"))
        #expect(actions.ends == [.rejected(rejected)])
    }

    @Test(arguments: ["", "Mongo", "a b", "ü", String(repeating: "a", count: 64)])
    func namesAreChecked(_ name: String) {
        #expect(throws: Frame.Rejected.self) { try Self.body(name: name).negotiate() }
        #expect(throws: Frame.Rejected.self) { try Self.body(types: [name]).negotiate() }
    }

    @Test func typesAndParametersAreUnique() {
        #expect(throws: Frame.Rejected.self) { try Self.body(types: ["a", "a"]).negotiate() }
        #expect(throws: Frame.Rejected.self) { try Self.body(types: []).negotiate() }
        var body = Self.body()
        body.triggerTypes[0].parameters = [
            ParameterDeclaration("a", help: ""), ParameterDeclaration("b", aliases: ["a"], help: ""),
        ]
        #expect(throws: Frame.Rejected.self) { try body.negotiate() }
        body.triggerTypes[0].parameters = [ParameterDeclaration("a", .oneOf(["x"]), default: "y", help: "")]
        #expect(throws: Frame.Rejected.self) { try body.negotiate() }
    }

    private static func body(
        name: String = "p",
        versions: [UInt32] = [1],
        types: [String] = ["t"]
    ) -> Frame.Register {
        guard case .register(let body) = register(name, versions: versions, types: types).body else {
            return Frame.Register(name: "", version: "", triggerTypes: [])
        }
        return body
    }

    @Test func connectionThatNeverRegistersEnds() {
        var session = HostSession(configuration: SessionConfiguration(), now: start)
        #expect(session.timerFired(now: start + .seconds(4)) == [])
        #expect(session.timerFired(now: start + .seconds(5)).ends == [.registrationTimedOut])
        #expect(session.connectionClosed() == [])
    }

    @Test func somethingElseThanRegisterEndsTheSession() {
        var session = HostSession(configuration: SessionConfiguration(), now: start)
        #expect(session.received(Frame(.changed(triggers: [1])), now: start).ends.count == 1)
    }

    @Test func measureIsAnsweredInParts() {
        var session = ready()
        let call = session.measure([1, 2, 3], deadline: start + .seconds(10), now: start).frames[0].call
        #expect(
            session.received(Frame(call: call, .measured([reading(2), reading(9)], more: true)), now: start)
                == [.measured([reading(2)])]
        )
        #expect(
            session.received(Frame(call: call, .measured([reading(2), reading(1)], more: true)), now: start)
                == [.measured([reading(1)])]
        )
        let rest = session.received(Frame(call: call, .measured([], more: false)), now: start).readings
        #expect(rest.map(\.trigger) == [3])
        #expect(throws: PluginFailure.self) { try rest[0].outcome.get() }
        #expect(session.received(Frame(call: call, .measured([reading(3)], more: false)), now: start) == [])
    }

    @Test func measureIsCutIntoCallsOfTheAllowedSize() {
        var session = ready { $0.maximumTriggersPerMeasure = 2 }
        let sizes = session.measure([1, 2, 3, 4, 5], deadline: start + .seconds(10), now: start).frames.map {
            if case .measure(let measure) = $0.body { measure.triggers.count } else { 0 }
        }
        #expect(sizes == [2, 2, 1])
    }

    @Test func triggersThatWantDifferentNumbersOfItemsAreAskedApart() {
        var session = ready()
        let frames = session.measure(
            [1, 2, 3, 4],
            items: [2: 16, 3: 1_000_000, 4: 16],
            deadline: start + .seconds(10),
            now: start
        ).frames
        var asked: [Int: [UInt64]] = [:]
        for case .measure(let measure) in frames.map(\.body) { asked[measure.maximumItems] = measure.triggers }
        #expect(asked == [0: [1], 16: [2, 4], ProtocolLimits.itemsPerReading: [3]])
    }

    @Test func moreItemsThanWantedAreDropped() {
        var session = ready()
        let call = session.measure([1], items: [1: 1], deadline: start + .seconds(10), now: start).frames[0].call
        var value = Reading(waiting: 2, items: [.init(key: [1]), .init(key: [2])])
        let answer = TriggerReading(trigger: 1, outcome: .success(value))
        value.items.removeLast()
        #expect(
            session.received(Frame(call: call, .measured([answer], more: false)), now: start)
                == [.measured([TriggerReading(trigger: 1, outcome: .success(value))])]
        )
    }

    @Test func lateAnswersAreDropped() {
        var session = ready { $0.pingInterval = silence }
        let measure = session.measure([1], deadline: start + .seconds(10), now: start).frames[0].call
        let open = session.open(Frame.Open(trigger: 2, type: "t", scaledJob: "", parameters: [:]), now: start)
            .frames[0].call
        let actions = session.timerFired(now: start + .seconds(10))
        #expect(actions.readings.map(\.trigger) == [1])
        #expect(actions.frames == [Frame(.cancel(call: open)), Frame(.cancel(call: measure))])
        let now = start + .seconds(11)
        #expect(session.received(Frame(call: measure, .measured([reading(1)], more: false)), now: now) == [])
        #expect(session.received(Frame(call: open, .opened(OpenedTrigger(target: 1))), now: now) == [])
        #expect(session.received(Frame(call: 999, .failure(PluginFailure(.internal, ""))), now: now) == [])
        #expect(session.isReady)
    }

    @Test func silentPeerIsPingedAndThenDropped() {
        var session = ready()
        #expect(session.timerFired(now: start + .seconds(4)) == [])
        #expect(session.timerFired(now: start + .seconds(5)).frames.map(\.body) == [.ping])
        #expect(session.received(Frame(.pong), now: start + .seconds(6)) == [])
        #expect(session.timerFired(now: start + .seconds(11)).frames.map(\.body) == [.ping])
        #expect(session.timerFired(now: start + .seconds(20)) == [])
        #expect(session.timerFired(now: start + .seconds(21)).ends == [.pingTimedOut])
    }

    @Test func pingOfThePluginIsAnswered() {
        var session = ready()
        #expect(session.received(Frame(call: 5, .ping), now: start) == [.send(Frame(call: 5, .pong))])
    }

    @Test func drainingPluginGetsNoNewCallsAndMayFinishTheOldOnes() {
        var session = ready()
        let call = session.measure([1], deadline: start + .seconds(10), now: start).frames[0].call
        #expect(session.received(Frame(.drain(reason: "r")), now: start) == [.draining(reason: "r")])
        let refused = session.measure([2], deadline: start + .seconds(10), now: start)
        #expect(refused.frames.isEmpty)
        #expect(refused.readings.map(\.trigger) == [2])
        let last = Frame(call: call, .measured([reading(1)], more: false))
        #expect(session.received(last, now: start).readings.count == 1)
    }

    @Test func breakerOpensAfterTimeoutsInARowAndClosesOnAReading() {
        var session = ready { $0.pingInterval = silence }
        var now = start
        for _ in 0..<3 {
            #expect(session.measure([1, 2], deadline: now + .seconds(10), now: now).frames.count == 1)
            now += .seconds(10)
            #expect(session.timerFired(now: now).readings.count == 2)
        }
        // Open: answered at once, nothing is sent.
        let refused = session.measure([1, 2], deadline: now + .seconds(10), now: now)
        #expect(refused.frames.isEmpty)
        #expect(refused.readings.count == 2)
        // After a pause one trigger is tried.
        now += .seconds(1)
        let probe = session.measure([1, 2], deadline: now + .seconds(10), now: now)
        #expect(probe.readings.map(\.trigger) == [2])
        let answer = Frame(call: probe.frames[0].call, .measured([reading(1)], more: false))
        #expect(session.received(answer, now: now).readings.count == 1)
        #expect(session.measure([1, 2], deadline: now + .seconds(10), now: now).readings.isEmpty)
    }

    @Test func timeoutsBesideAnswersDoNotOpenTheBreaker() {
        var session = ready { $0.pingInterval = silence }
        var now = start
        for _ in 0..<6 {
            _ = session.measure([1], deadline: now + .seconds(10), now: now)
            let good = session.measure([2], deadline: now + .seconds(10), now: now).frames[0].call
            now += .seconds(5)
            _ = session.received(Frame(call: good, .measured([reading(2)], more: false)), now: now)
            now += .seconds(5)
            #expect(session.timerFired(now: now).readings.map(\.trigger) == [1])
        }
        #expect(session.measure([1], deadline: now + .seconds(10), now: now).frames.count == 1)
    }

    /// Plays random inputs and keeps the simplest account there is: what is owed must be paid, once.
    @Test(arguments: 0..<64)
    func everyCallIsAnsweredOnceWhateverHappens(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var session = ready { $0.maximumTriggersPerMeasure = 3 }
        var now = start
        var owedReadings: [UInt64: Int] = [:]
        var owedOpens: Set<UInt64> = []
        var sent: [(call: UInt64, triggers: [UInt64])] = []
        var nextTrigger: UInt64 = 1
        var ended = 0

        func settle(_ actions: [HostSession.Action]) {
            for action in actions {
                switch action {
                case .send(let frame):
                    if case .measure(let measure) = frame.body { sent.append((frame.call, measure.triggers)) }
                    if case .open = frame.body { sent.append((frame.call, [])) }
                case .opened(let trigger, _):
                    #expect(owedOpens.remove(trigger) != nil, "seed \(seed): open answered twice")
                case .measured(let readings):
                    for reading in readings {
                        owedReadings[reading.trigger, default: 0] -= 1
                        #expect(owedReadings[reading.trigger] ?? -1 >= 0, "seed \(seed): reading answered twice")
                    }
                case .end: ended += 1
                case .changed, .draining, .registrationRequested: break
                }
            }
        }

        for _ in 0..<300 {
            now += .milliseconds(Int.random(in: 0...2000, using: &random))
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1:
                owedOpens.insert(nextTrigger)
                settle(
                    session.open(Frame.Open(trigger: nextTrigger, type: "t", scaledJob: "", parameters: [:]), now: now)
                )
                nextTrigger += 1
            case 2, 3, 4:
                let triggers = Array(Set((0..<8).map { _ in UInt64.random(in: 1...12, using: &random) }))
                for trigger in triggers { owedReadings[trigger, default: 0] += 1 }
                settle(session.measure(triggers, deadline: now + .seconds(10), now: now))
            case 5, 6, 7, 8:
                guard let (call, triggers) = sent.randomElement(using: &random) else { continue }
                let some = triggers.shuffled(using: &random).prefix(Int.random(in: 0...4, using: &random))
                let answers: [Frame.Body] = [
                    .measured(some.map { reading($0) }, more: Bool.random(using: &random)),
                    .measured((some + some + [99]).map { reading($0) }, more: false),
                    .opened(OpenedTrigger(target: 1)),
                    .failure(PluginFailure(.internal, "")),
                ]
                settle(session.received(Frame(call: call, answers.randomElement(using: &random) ?? .pong), now: now))
            case 9:
                settle(session.timerFired(now: now))
            case 10:
                let trigger = UInt64.random(in: 1...nextTrigger, using: &random)
                let actions = session.close(trigger: trigger)
                owedOpens.remove(trigger)
                settle(actions)
            default:
                let bodies: [Frame.Body] = [.ping, .pong, .unknown, .changed(triggers: [1, 2])]
                settle(session.received(Frame(call: 1, bodies.randomElement(using: &random) ?? .pong), now: now))
                if Int.random(in: 0..<100, using: &random) == 0 {
                    settle(session.received(Frame(.drain(reason: "")), now: now))
                }
                if Int.random(in: 0..<200, using: &random) == 0 {
                    settle(session.received(register(), now: now))
                }
            }
        }
        settle(session.connectionClosed())
        settle(session.connectionClosed())
        #expect(owedOpens.isEmpty, "seed \(seed)")
        #expect(owedReadings.values.allSatisfy { $0 == 0 }, "seed \(seed): \(owedReadings)")
        #expect(ended == 1, "seed \(seed)")
        #expect(session.nextDeadline == nil)
    }
}
