import PluginProtocol
import Testing

@testable import PluginHost

/// A trigger that is set anew while it is open goes on answering until the new one is.
@Suite struct HubRenewalTests {
    private static let connection = ConnectionID(number: 1)
    private static let id = TriggerID(owner: "uid", index: 0)

    /// A hub with one trigger, played from both sides.
    private struct Scene {
        var machine = HubMachine(configuration: HubConfiguration(socketPath: "/s"), seed: 1)
        var events: [String] = []
        var sent: [Frame] = []
        var now = ContinuousClock.now

        mutating func `do`(_ change: (inout HubMachine, ContinuousClock.Instant) -> Void) {
            change(&self.machine, self.now)
            for action in self.machine.takeActions() {
                switch action {
                case .emit(.opened(_, let revision, _)): self.events.append("opened \(revision)")
                case .emit(.failed(_, let revision, let failure)):
                    self.events.append("failed \(revision) \(failure.message)")
                case .emit(.reading(_, let revision, let reading, _)):
                    self.events.append("reading \(revision) \(Int(reading.waiting))")
                case .emit(.unknown(_, let revision, let failure)):
                    self.events.append("unknown \(revision) \(failure.message)")
                case .emit(.changed): self.events.append("changed")
                case .send(_, let frame): self.sent.append(frame)
                case .emit(.offers), .close, .forget, .note: break
                }
            }
        }

        mutating func receive(_ frame: Frame) {
            self.do { $0.received(frame, from: HubRenewalTests.connection, now: $1) }
        }

        mutating func set(_ revision: UInt64, _ password: String) {
            let specification = TriggerSpecification(type: "t", scaledJob: "a/b", parameters: ["password": password])
            self.do { $0.set(HubRenewalTests.id, revision: revision, to: specification, now: $1) }
        }

        mutating func measure() { self.do { $0.measure([HubRenewalTests.id], now: $1) } }

        /// The frames sent and the events since the last call.
        mutating func taken() -> (frames: [Frame], events: [String]) {
            defer { (self.sent, self.events) = ([], []) }
            return (self.sent, self.events)
        }

        /// With a trigger that is open as number 1.
        init() {
            let declaration = TriggerTypeDeclaration(type: "t", help: "", parameters: [])
            self.do { $0.connected(HubRenewalTests.connection, identity: nil, now: $1) }
            self.receive(Frame(.register(.init(name: "p", version: "", triggerTypes: [declaration]))))
            self.set(1, "old")
            let open = self.sent.last { if case .open = $0.body { true } else { false } }
            self.receive(Frame(call: open?.call ?? 0, .opened(OpenedTrigger(target: 1))))
            _ = self.taken()
        }
    }

    private func reading(_ trigger: UInt64, _ waiting: Double) -> Frame.Body {
        .measured([TriggerReading(trigger: trigger, outcome: .success(Reading(waiting: waiting)))], more: false)
    }

    private func failure(_ trigger: UInt64) -> Frame.Body {
        let failure = PluginFailure(.unauthenticated, "plugin p: the password is wrong")
        return .measured([TriggerReading(trigger: trigger, outcome: .failure(failure))], more: false)
    }

    private func measured(_ frames: [Frame]) -> [[UInt64]] {
        frames.compactMap { if case .measure(let measure) = $0.body { measure.triggers } else { nil } }
    }

    private func isClosed(_ trigger: UInt64, in frames: [Frame]) -> Bool {
        frames.contains { $0.body == .close(trigger: trigger) }
    }

    @Test func theOldOneAnswersUntilTheNewOneIsOpenAndThenCloses() {
        var scene = Scene()
        scene.set(2, "new")
        let (opening, _) = scene.taken()
        #expect(!self.isClosed(1, in: opening))
        guard case .open(let open) = opening.last?.body else {
            Issue.record("not opened anew")
            return
        }
        #expect(open.trigger == 2)

        scene.measure()
        let asked = scene.taken().frames
        #expect(self.measured(asked) == [[1]])
        scene.receive(Frame(call: asked[0].call, self.reading(1, 7)))
        #expect(scene.taken().events == ["reading 2 7"])

        scene.receive(Frame(call: opening.last?.call ?? 0, .opened(OpenedTrigger(target: 1))))
        let (closing, events) = scene.taken()
        #expect(events == ["opened 2"])
        #expect(self.isClosed(1, in: closing))
        scene.measure()
        #expect(self.measured(scene.taken().frames) == [[2]])
    }

    @Test func aReadingUnderWayIsWaitedForBeforeTheOldOneCloses() {
        var scene = Scene()
        scene.measure()
        let asked = scene.taken().frames
        scene.set(2, "new")
        let opening = scene.taken().frames
        scene.receive(Frame(call: opening[0].call, .opened(OpenedTrigger(target: 1))))
        #expect(!self.isClosed(1, in: scene.taken().frames))
        scene.receive(Frame(call: asked[0].call, self.reading(1, 3)))
        let (closing, events) = scene.taken()
        #expect(events == ["reading 2 3"])
        #expect(self.isClosed(1, in: closing))
    }

    @Test(arguments: [true, false])
    func aReadingThatTheOldCredentialsCannotGiveIsAskedOfTheNewOne(failsBeforeItIsOpen: Bool) {
        var scene = Scene()
        scene.measure()
        let asked = scene.taken().frames
        scene.set(2, "new")
        let opening = scene.taken().frames
        if failsBeforeItIsOpen { scene.receive(Frame(call: asked[0].call, self.failure(1))) }
        #expect(scene.taken().events.isEmpty)
        scene.receive(Frame(call: opening[0].call, .opened(OpenedTrigger(target: 1))))
        if !failsBeforeItIsOpen { scene.receive(Frame(call: asked[0].call, self.failure(1))) }
        let (frames, events) = scene.taken()
        #expect(events == ["opened 2"])
        #expect(self.measured(frames) == [[2]])
        #expect(self.isClosed(1, in: frames))
        let again = frames.first { if case .measure = $0.body { true } else { false } }
        scene.receive(Frame(call: again?.call ?? 0, self.reading(2, 5)))
        #expect(scene.taken().events == ["reading 2 5"])
    }

    @Test func whenTheNewOneCannotBeOpenedNothingAnswersAndWhoAskedIsTold() {
        var scene = Scene()
        scene.measure()
        scene.set(2, "wrong")
        let opening = scene.taken().frames
        scene.receive(Frame(call: opening.last?.call ?? 0, .failure(PluginFailure(.unauthenticated, "no"))))
        let (frames, events) = scene.taken()
        #expect(events == ["unknown 2 plugin p: no", "failed 2 plugin p: no"])
        #expect(self.isClosed(1, in: frames))
        scene.measure()
        #expect(scene.taken().events == ["unknown 2 plugin p: no"])
    }

    @Test func aSecondRenewalReplacesTheFirstAndTheOldOneStillAnswers() {
        var scene = Scene()
        scene.set(2, "newer")
        scene.set(3, "newest")
        let frames = scene.taken().frames
        #expect(self.isClosed(2, in: frames))
        #expect(!self.isClosed(1, in: frames))
        scene.measure()
        let asked = scene.taken().frames
        #expect(self.measured(asked) == [[1]])
        scene.receive(Frame(call: asked[0].call, self.reading(1, 1)))
        #expect(scene.taken().events == ["reading 3 1"])
    }

    @Test func aLostConnectionLeavesNothingBehind() {
        var scene = Scene()
        scene.measure()
        scene.set(2, "new")
        _ = scene.taken()
        scene.do { $0.end(HubRenewalTests.connection, .connectionLost, now: $1) }
        #expect(scene.taken().events.filter { $0.hasPrefix("failed 2") }.count >= 1)
        #expect(scene.machine.triggers.count == 1)
        scene.do { $0.remove(HubRenewalTests.id, now: $1) }
        #expect(scene.machine.triggers.isEmpty)
    }

    @Test func removedWhileItIsRenewedBothClose() {
        var scene = Scene()
        scene.set(2, "new")
        scene.do { $0.remove(HubRenewalTests.id, now: $1) }
        let frames = scene.taken().frames
        #expect(self.isClosed(1, in: frames) && self.isClosed(2, in: frames))
        #expect(scene.machine.triggers.isEmpty)
    }
}
