import Pace
import Testing

@testable import Kubernetes

/// Random play: whatever happens in whatever order, the flow keeps its promises.
@Suite struct RequestFlowRandomTests {
    @Test(arguments: 0..<150)
    func promisesHold(_ seed: UInt64) throws {
        var play = FlowPlay(seed: seed)
        for _ in 0..<300 { play.step() }
        play.finish()
        #expect(play.complaints.isEmpty, "seed \(seed): \(play.complaints.first ?? "")")
        #expect(play.answered == play.asked, "seed \(seed)")
    }
}

/// A flow, calls that come, end and are given up at random, and what must hold of it all.
private struct FlowPlay {
    private struct Call {
        let kind: CallKind
        let deadline: ContinuousClock.Instant
    }

    private var random: SplitMix64
    private var flow: RequestFlow
    private let settings: RequestFlow.Settings
    private var now = ContinuousClock.now
    private var waiting: [UInt64: Call] = [:]
    private var underWay: [UInt64] = []
    private var begins: [ContinuousClock.Instant] = []
    /// Begins in a row while calls of several kinds waited: whether one of the first kind began.
    private var contested: [Bool] = []
    private var pausedUntil: ContinuousClock.Instant?
    private(set) var asked = 0
    private(set) var answered = 0
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        self.random = SplitMix64(seed: seed)
        var settings = RequestFlow.Settings()
        if self.random.next() % 2 == 0 {
            let rate = [0.5, 7, 100, 3000][Int(self.random.next() % 4)]
            settings = RequestFlow.Settings(rate: rate, burst: Int(self.random.next() % 30) + 1)
        }
        for kind in CallKind.allCases { settings.longestQueue[kind] = Int(self.random.next() % 40) + 1 }
        self.settings = settings
        self.flow = RequestFlow(settings, seed: seed)
    }

    mutating func step() {
        switch self.random.next() % 8 {
        case 0, 1, 2:
            let kind = CallKind.allCases[Int(self.random.next() % 4)]
            for _ in 0..<(self.random.next() % 12 + 1) { self.ask(kind) }
        case 3, 4, 5:
            for _ in 0..<(self.random.next() % 8 + 1) { self.end() }
        case 6: self.giveUp()
        default:
            self.pass(.microseconds(Int64(self.random.next() % 2_000_000)))
            if self.random.next() % 16 == 0 { self.take(self.flow.dropWrites(at: self.now)) }
        }
        // The holder keeps its alarm.
        if let wake = self.flow.nextWake, wake <= self.now { self.take(self.flow.tick(at: self.now)) }
    }

    /// Lets everything end.
    mutating func finish() {
        var rounds = 0
        while !self.waiting.isEmpty || !self.underWay.isEmpty {
            rounds += 1
            guard rounds < 100_000 else { return self.complaints.append("it does not come to an end") }
            if !self.underWay.isEmpty {
                self.end(onlyGood: true)
            } else if let wake = self.flow.nextWake {
                self.now = Swift.max(self.now, wake)
                self.take(self.flow.tick(at: self.now))
            } else {
                return self.complaints.append("\(self.waiting.count) wait, and nothing is to happen")
            }
        }
    }

    private mutating func ask(_ kind: CallKind) {
        let id = self.flow.newID()
        self.asked += 1
        let deadline = self.now + .milliseconds(Int64(self.random.next() % 30_000) + 1)
        let length = self.waiting.values.count { $0.kind == kind }
        let isFull = length >= self.settings.longestQueue[kind] ?? 0
        self.waiting[id] = Call(kind: kind, deadline: deadline)
        let actions = self.flow.ask(id, kind, deadline: deadline, at: self.now)
        let isRefused = actions.contains(.refuse(id, .full))
        if isFull != isRefused { self.complaints.append("refused \(isRefused) with \(length) waiting") }
        self.take(actions)
    }

    private mutating func end(onlyGood: Bool = false) {
        guard !self.underWay.isEmpty else { return }
        let id = self.underWay.remove(at: Int(self.random.next() % UInt64(self.underWay.count)))
        let before = self.flow.figures(at: self.now).limit
        var outcome = RequestFlow.Outcome.answered(.milliseconds(Int64(self.random.next() % 300)))
        switch onlyGood ? 9 : self.random.next() % 24 {
        case 0: outcome = .overloaded
        case 1:
            let pause = Duration.milliseconds(Int64(self.random.next() % 5_000))
            outcome = .throttled(pause)
            self.pausedUntil = Swift.max(self.pausedUntil ?? self.now, self.now + pause)
        case 2: outcome = .unknown
        case 3: outcome = .answered(nil)
        default: break
        }
        let actions = self.flow.ended(id, outcome, at: self.now)
        let after = self.flow.figures(at: self.now).limit
        if after < 1 || after > AdaptiveLimit.largest || after > before + 1 || after < before / 2 {
            self.complaints.append("the limit went from \(before) to \(after)")
        }
        if outcome == .unknown || outcome == .answered(nil), after < before {
            self.complaints.append("the limit fell without a reason")
        }
        self.take(actions)
    }

    private mutating func giveUp() {
        guard let id = self.waiting.keys.min(by: { $0.hashValue < $1.hashValue }) else { return }
        self.waiting[id] = nil
        self.answered += 1
        let (wasWaiting, actions) = self.flow.cancel(id, at: self.now)
        if !wasWaiting { self.complaints.append("a call that waits was not known") }
        self.take(actions)
    }

    private mutating func pass(_ duration: Duration) {
        let end = self.now + duration
        while let wake = self.flow.nextWake, wake <= end {
            self.now = Swift.max(self.now, wake)
            self.take(self.flow.tick(at: self.now))
        }
        self.now = end
    }

    private mutating func take(_ actions: [RequestFlow.Action]) {
        for action in actions {
            self.answered += 1
            switch action {
            case .refuse(let id, .full): self.waiting[id] = nil
            case .refuse(let id, .dropped):
                guard let call = self.waiting.removeValue(forKey: id), call.kind != .observe else {
                    self.complaints.append("one was dropped that should not be")
                    continue
                }
            case .refuse(let id, .late):
                guard let call = self.waiting.removeValue(forKey: id), call.deadline <= self.now else {
                    self.complaints.append("a call was late before its time")
                    continue
                }
            case .begin(let id): self.began(id)
            }
        }
        let late = self.waiting.values.contains { $0.deadline <= self.now }
        if late { self.complaints.append("one waits beyond its time") }
        let figures = self.flow.figures(at: self.now)
        if figures.underWay != self.underWay.count { self.complaints.append("the figures miscount") }
        for kind in CallKind.allCases {
            let count = self.waiting.values.count { $0.kind == kind }
            if figures.waiting[kind] != count { self.complaints.append("\(count) of \(kind) wait, not as told") }
        }
        self.expectProgress(figures)
    }

    private mutating func began(_ id: UInt64) {
        let others = Set(self.waiting.values.map(\.kind))
        guard let call = self.waiting.removeValue(forKey: id) else {
            return self.complaints.append("one began that did not wait")
        }
        if call.deadline <= self.now { self.complaints.append("one began too late") }
        self.underWay.append(id)
        if self.underWay.count > self.flow.figures(at: self.now).limit {
            self.complaints.append("more under way than the limit")
        }
        if let pausedUntil, self.now < pausedUntil { self.complaints.append("one began within a pause") }
        if others.count > 1 {
            self.contested.append(call.kind == others.min())
            let last = self.contested.suffix(RequestFlow.turnsOfFirst)
            if last.count(where: { !$0 }) > 1 { self.complaints.append("a later kind had more than its share") }
            if last.count == RequestFlow.turnsOfFirst, last.allSatisfy(\.self) {
                self.complaints.append("a later kind had less than its share")
            }
        } else {
            self.contested = []
        }
        self.checkRate()
    }

    /// In no span of time more than the burst and what the rate allows in it.
    private mutating func checkRate() {
        self.begins.append(self.now)
        guard let rate = self.settings.rate else { return }
        for (count, begin) in self.begins.reversed().enumerated().prefix(200) {
            let allowed = Double(self.settings.burst) + (self.now - begin) / .seconds(1) * rate
            if Double(count + 1) > allowed + 1e-6 {
                return self.complaints.append("\(count + 1) calls within \(self.now - begin)")
            }
        }
    }

    /// Nobody is kept waiting without a reason.
    private mutating func expectProgress(_ figures: FlowFigures) {
        guard !self.waiting.isEmpty else { return }
        guard let wake = self.flow.nextWake else { return self.complaints.append("they wait for nothing") }
        guard self.underWay.isEmpty, self.settings.rate == nil else { return }
        let longest = self.pausedUntil.map { $0 + .seconds(2) } ?? self.now
        if wake > longest, wake > self.now + .seconds(2) { self.complaints.append("they wait without a reason") }
    }
}
