import Testing

@testable import Kubernetes

/// Who may begin, and when.
@Suite struct RequestFlowTests {
    private typealias Action = RequestFlow.Action

    /// A flow with a clock that the test moves.
    private struct World {
        var flow: RequestFlow
        var now = ContinuousClock.now
        var begun: [UInt64] = []
        var refused: [UInt64: RequestFlow.Refusal] = [:]
        var kinds: [UInt64: CallKind] = [:]

        init(_ settings: RequestFlow.Settings = RequestFlow.Settings()) {
            self.flow = RequestFlow(settings, seed: 1)
        }

        @discardableResult
        mutating func ask(_ kind: CallKind, within timeout: Duration = .seconds(3600)) -> UInt64 {
            let id = self.flow.newID()
            self.kinds[id] = kind
            self.note(self.flow.ask(id, kind, deadline: self.now + timeout, at: self.now))
            return id
        }

        mutating func end(_ id: UInt64, _ outcome: RequestFlow.Outcome = .answered(.milliseconds(5))) {
            self.note(self.flow.ended(id, outcome, at: self.now))
        }

        mutating func pass(_ duration: Duration) {
            self.now += duration
            self.note(self.flow.tick(at: self.now))
        }

        /// Ends what is under way, one after the other, until nothing waits.
        mutating func run(_ outcome: RequestFlow.Outcome = .answered(.milliseconds(5))) {
            var next = 0
            while next < self.begun.count {
                self.now += .milliseconds(5)
                self.end(self.begun[next], outcome)
                next += 1
            }
        }

        private mutating func note(_ actions: [Action]) {
            for action in actions {
                switch action {
                case .begin(let id): self.begun.append(id)
                case .refuse(let id, let why): self.refused[id] = why
                }
            }
        }

        var figures: FlowFigures { self.flow.figures(at: self.now) }
        /// The kinds in the order in which they began.
        var order: [CallKind] { self.begun.compactMap { self.kinds[$0] } }
    }

    @Test func theLimitDoublesWithEachRoundWhileItIsUsed() {
        var world = World()
        for _ in 0..<200 { world.ask(.create) }
        #expect(world.begun.count == AdaptiveLimit.initial)
        for round in [16, 32, 64] {
            world.now += .milliseconds(5)
            let ending = world.begun.suffix(world.figures.underWay)
            for id in ending { world.end(id) }
            #expect(world.figures.limit == round)
            #expect(world.figures.underWay == round)
        }
    }

    @Test func aLimitThatIsNotUsedDoesNotGrow() {
        var world = World()
        for _ in 0..<100 { world.end(world.ask(.create)) }
        #expect(world.figures.limit == AdaptiveLimit.initial)
    }

    @Test(arguments: [RequestFlow.Outcome.overloaded, .throttled(.zero)])
    func troubleHalvesTheLimitOnceForAllThatWasUnderWay(_ outcome: RequestFlow.Outcome) {
        var world = World()
        for _ in 0..<8 { world.ask(.create) }
        world.now += .milliseconds(5)
        for id in world.begun { world.end(id, outcome) }
        #expect(world.figures.limit == 4)
        world.pass(.seconds(1))
        // Whatever happens it never falls below one.
        for _ in 0..<20 {
            world.now += .seconds(3)
            world.end(world.ask(.create), .overloaded)
        }
        #expect(world.figures.limit == 1)
        #expect(world.refused.isEmpty)
    }

    @Test func afterTroubleItGrowsByOneARound() {
        var world = World()
        world.end(world.ask(.create), .overloaded)
        #expect(world.figures.limit == 4)
        for _ in 0..<100 { world.ask(.create) }
        for expected in [5, 6, 7] {
            world.now += .milliseconds(5)
            for id in world.begun.suffix(world.figures.underWay) { world.end(id) }
            #expect(world.figures.limit == expected)
        }
    }

    @Test func answersThatTakeEverLongerShrinkIt() {
        var world = World()
        for _ in 0..<10_000 { world.ask(.create) }
        func round(_ latency: Duration) {
            world.now += latency
            for id in world.begun.suffix(world.figures.underWay) { world.end(id, .answered(latency)) }
        }
        for _ in 0..<4 { round(.milliseconds(40)) }
        let before = world.figures.limit
        #expect(before > 32)
        // Not yet three times as long as usual.
        round(.milliseconds(110))
        #expect(world.figures.limit >= before)
        let high = world.figures.limit
        for _ in 0..<12 { round(.milliseconds(400)) }
        #expect(world.figures.limit < high / 2)
        #expect(world.figures.limit >= 1)
    }

    @Test func aQuickServerMayTakeAFifthOfASecond() {
        var world = World()
        for _ in 0..<10_000 { world.ask(.create) }
        for latency in [1, 2, 4, 20, 60, 190] {
            world.now += .milliseconds(latency)
            for id in world.begun.suffix(world.figures.underWay) { world.end(id, .answered(.milliseconds(latency))) }
        }
        #expect(world.figures.limit > 64)
    }

    @Test func aPauseHoldsForAllThenOneCallTries() throws {
        var world = World()
        let first = world.ask(.create)
        world.end(first, .throttled(.seconds(10)))
        for kind in CallKind.allCases { world.ask(kind) }
        #expect(world.begun == [first])
        world.pass(.seconds(9.9))
        #expect(world.begun == [first])
        // Not all clients of the server come back at the same moment.
        let wake = try #require(world.flow.nextWake)
        let end = wake - world.now + .seconds(9.9)
        #expect(end >= .seconds(10))
        #expect(end <= .seconds(12.5))
        world.pass(wake - world.now)
        #expect(world.begun.count == 2)
        world.end(world.begun[1], .throttled(.seconds(1)))
        #expect(world.begun.count == 2)
        world.pass(.seconds(1.25))
        #expect(world.begun.count == 3)
        world.end(world.begun[2])
        #expect(world.begun.count == 5)
    }

    @Test func aTrialThatHangsDoesNotKeepTheOthers() {
        var world = World()
        world.end(world.ask(.create), .throttled(.seconds(1)))
        for _ in 0..<4 { world.ask(.create) }
        world.pass(.seconds(2))
        #expect(world.begun.count == 2)
        world.pass(RequestFlow.longestProbe)
        #expect(world.begun.count == 5)
    }

    @Test func anAbsurdPauseIsCutShort() {
        var world = World()
        world.end(world.ask(.create), .throttled(.seconds(3600)))
        world.ask(.create)
        world.pass(RequestFlow.longestPause * 1.25)
        #expect(world.begun.count == 2)
    }

    @Test func firstThingsGoFirst() {
        var world = World()
        for _ in 0..<AdaptiveLimit.initial { world.ask(.observe) }
        for kind in [CallKind.report, .delete, .observe, .create] { for _ in 0..<2 { world.ask(kind) } }
        world.run()
        let order = world.order.dropFirst(AdaptiveLimit.initial)
        #expect(Array(order) == [.create, .create, .observe, .observe, .delete, .delete, .report, .report])
    }

    @Test func ofOneKindWhoeverCameFirst() {
        var world = World()
        let ids = (0..<50).map { _ in world.ask(.create) }
        world.run()
        #expect(world.begun == ids)
    }

    @Test func nobodyStarves() throws {
        var world = World()
        for _ in 0..<200 { world.ask(.create) }
        let low = [world.ask(.report), world.ask(.delete), world.ask(.observe)]
        world.run()
        let places = try low.map { id in try #require(world.begun.firstIndex(of: id)) }
        // One in sixteen for all of them together, in the order of their coming.
        #expect(places == places.sorted())
        #expect((places.last ?? 0) < AdaptiveLimit.initial + 3 * RequestFlow.turnsOfFirst)
        #expect((places.first ?? 0) >= AdaptiveLimit.initial + RequestFlow.turnsOfFirst - 1)
    }

    @Test func theRateHoldsForAllTogether() {
        var world = World(RequestFlow.Settings(rate: 10, burst: 4))
        for kind in CallKind.allCases { for _ in 0..<5 { world.ask(kind) } }
        #expect(world.begun.count == 4)
        world.run()
        #expect(world.begun.count == 4)
        for count in 5...10 {
            world.pass(.milliseconds(100))
            #expect(world.begun.count == count)
        }
    }

    @Test func oneBeyondTheBoundIsRefusedAtOnce() {
        var settings = RequestFlow.Settings()
        settings.longestQueue[.delete] = 3
        var world = World(settings)
        for _ in 0..<AdaptiveLimit.initial { world.ask(.create) }
        for _ in 0..<3 { world.ask(.delete) }
        let beyond = world.ask(.delete)
        #expect(world.refused == [beyond: .full])
        // The others have queues of their own.
        world.ask(.report)
        #expect(world.refused.count == 1)
    }

    @Test func oneWhoseTimeRunsOutIsRefused() throws {
        var world = World()
        for _ in 0..<AdaptiveLimit.initial { world.ask(.create) }
        let late = world.ask(.create, within: .seconds(2))
        let patient = world.ask(.create, within: .seconds(20))
        #expect(world.flow.nextWake == world.now + .seconds(2))
        world.pass(.seconds(2))
        #expect(world.refused == [late: .late])
        world.end(world.begun[0])
        #expect(world.begun.last == patient)
    }

    @Test func oneThatIsGivenUpWaitsNoLonger() {
        var world = World()
        for _ in 0..<AdaptiveLimit.initial { world.ask(.create) }
        let gone = world.ask(.create)
        let next = world.ask(.create)
        #expect(world.flow.cancel(gone, at: world.now).wasWaiting)
        #expect(!world.flow.cancel(gone, at: world.now).wasWaiting)
        world.end(world.begun[0])
        #expect(world.begun.last == next)
        #expect(!world.begun.contains(gone))
    }

    @Test func aHostThatStopsGivesUpWhatWaitsToChangeSomething() {
        var world = World()
        for _ in 0..<AdaptiveLimit.initial { world.ask(.create) }
        let writes = [CallKind.create, .delete, .report].map { world.ask($0) }
        let list = world.ask(.observe)
        #expect(world.flow.dropWrites(at: world.now) == writes.map { .refuse($0, .dropped) })
        world.end(world.begun[0])
        #expect(world.begun.last == list)
        #expect(world.flow.nextWake == nil)
    }

    @Test func theFiguresSayWhatCallsWaitedFor() {
        var world = World(RequestFlow.Settings(rate: 1, burst: 1))
        world.ask(.create)
        world.ask(.report)
        #expect(world.figures.waiting[.report] == 1)
        world.pass(.milliseconds(400))
        #expect(world.figures.throttled == [.rate: .milliseconds(400)])
        world.end(world.begun[0], .throttled(.seconds(4)))
        world.pass(.seconds(1))
        #expect(world.figures.throttled == [.rate: .milliseconds(400), .server: .seconds(1)])
    }

    @Test(arguments: [
        (APIRequest(.create, .jobs), CallKind.create), (APIRequest(.get, .jobs), .create),
        (APIRequest(.list, .jobs), .observe), (APIRequest(.watch, .secrets), .observe),
        (APIRequest(.delete, .jobs), .delete), (APIRequest(.mergePatch, .scaledJobs), .delete),
        (APIRequest(.mergePatch, .scaledJobs, subresource: "status"), .report),
        (APIRequest(.create, .events), .report), (APIRequest(.mergePatch, .events), .report),
        (APIRequest(.replace, .leases, lane: .lease), nil), (APIRequest(.get, .leases, lane: .lease), nil),
    ])
    func callsAreOfAKind(_ request: APIRequest, _ kind: CallKind?) {
        #expect(request.kind == kind)
    }
}
