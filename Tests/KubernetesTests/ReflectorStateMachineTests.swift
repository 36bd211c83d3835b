import Testing

@testable import Kubernetes

@Suite struct ReflectorStateMachineTests {
    private let now = ContinuousClock.now
    private var machine = ReflectorStateMachine()
    private var random = SystemRandomNumberGenerator()
    private let refused = KubernetesError(.unreachable, "refused")
    private let expired = KubernetesError(.expired, "too old", retry: .relist, status: 410)

    private func isWait(_ step: ReflectorStateMachine.Step, _ range: ClosedRange<Duration>) -> Bool {
        guard case .wait(let pause) = step else { return false }
        return range.contains(pause)
    }

    /// Listed, and watching since `now`.
    private mutating func watch() {
        #expect(self.machine.pageReceived(resourceVersion: "10", continueToken: nil) == nil)
        guard case .watch("10", _) = self.machine.watchNext(using: &self.random) else {
            Issue.record("no watch after the list")
            return
        }
        self.machine.watchOpened(at: self.now)
    }

    @Test mutating func pagesAreAskedForUntilTheLast() {
        #expect(self.machine.start == .list(continueToken: nil, limit: 500))
        #expect(
            self.machine.pageReceived(resourceVersion: "9", continueToken: "next")
                == .list(continueToken: "next", limit: 500)
        )
        #expect(self.machine.pageReceived(resourceVersion: "9", continueToken: "") == nil)
        guard case .watch("9", let timeout) = self.machine.watchNext(using: &self.random) else {
            Issue.record("no watch")
            return
        }
        #expect((.seconds(240) ... .seconds(480)).contains(timeout))
    }

    @Test mutating func anExpiredPageStartsTheListOverWithoutPages() {
        _ = self.machine.pageReceived(resourceVersion: "9", continueToken: "next")
        let outcome = self.machine.listFailed(self.expired, using: &self.random)
        #expect(outcome == .init(step: .list(continueToken: nil, limit: nil), tellsInterruption: false))
    }

    @Test mutating func aPageThatFailedIsAskedForAgain() {
        _ = self.machine.pageReceived(resourceVersion: "9", continueToken: "next")
        let outcome = self.machine.listFailed(self.refused, using: &self.random)
        #expect(self.isWait(outcome.step, .milliseconds(50) ... .milliseconds(200)))
        #expect(outcome.tellsInterruption)
        #expect(self.machine.waited(using: &self.random) == .list(continueToken: "next", limit: 500))
    }

    @Test mutating func aWatchGoesOnFromTheLastEvent() {
        self.watch()
        self.machine.eventReceived(resourceVersion: "12")
        let outcome = self.machine.watchEnded(at: self.now, using: &self.random)
        guard case .watch("12", _) = outcome.step else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!outcome.tellsInterruption)
    }

    @Test mutating func aWatchThatEndsAtOnceCountsAsAFailure() {
        self.watch()
        let first = self.machine.watchEnded(at: self.now + .milliseconds(10), using: &self.random)
        #expect(self.isWait(first.step, .milliseconds(50) ... .milliseconds(200)))
        #expect(!first.tellsInterruption)
        guard case .watch = self.machine.waited(using: &self.random) else {
            Issue.record("the first failure leads to another watch")
            return
        }
        self.machine.watchOpened(at: self.now + .seconds(1))
        let second = self.machine.watchEnded(at: self.now + .seconds(1), using: &self.random)
        #expect(self.isWait(second.step, .zero ... .milliseconds(800)))
        #expect(second.tellsInterruption)
        #expect(self.machine.waited(using: &self.random) == .list(continueToken: nil, limit: 500))
    }

    @Test mutating func oneFailureOfASteadyWatchIsSilent() {
        self.watch()
        let outcome = self.machine.watchFailed(self.refused, at: self.now + .seconds(60), using: &self.random)
        #expect(self.isWait(outcome.step, .milliseconds(50) ... .milliseconds(200)))
        #expect(!outcome.tellsInterruption)
        guard case .watch("10", _) = self.machine.waited(using: &self.random) else {
            Issue.record("the watch does not resume")
            return
        }
    }

    @Test mutating func expiryListsAtOnceButNotAgainAndAgain() {
        self.watch()
        let first = self.machine.watchFailed(self.expired, isEvent: true, at: self.now, using: &self.random)
        #expect(first == .init(step: .list(continueToken: nil, limit: 500), tellsInterruption: true))
        self.watch()
        let second = self.machine.watchFailed(self.expired, isEvent: true, at: self.now, using: &self.random)
        #expect(self.isWait(second.step, .zero ... .milliseconds(800)))
    }

    @Test mutating func throttlingKeepsTheWatchAndObeysTheServer() {
        self.watch()
        let throttled = KubernetesError(.throttled, "slow down", retry: .after(.seconds(7)), status: 429)
        let outcome = self.machine.watchFailed(throttled, at: self.now, using: &self.random)
        #expect(self.isWait(outcome.step, .seconds(7) ... .seconds(8)))
        #expect(!outcome.tellsInterruption)
        guard case .watch("10", _) = self.machine.waited(using: &self.random) else {
            Issue.record("throttling led to a list")
            return
        }
    }

    @Test mutating func pausesGrowToHalfAMinuteAndShrinkAfterHealth() {
        for _ in 0..<12 {
            let outcome = self.machine.listFailed(self.refused, using: &self.random)
            #expect(self.isWait(outcome.step, .zero ... .seconds(10)))
            _ = self.machine.waited(using: &self.random)
        }
        self.watch()
        _ = self.machine.watchFailed(self.refused, at: self.now + .seconds(121), using: &self.random)
        _ = self.machine.waited(using: &self.random)
        let outcome = self.machine.watchFailed(self.refused, at: self.now + .seconds(122), using: &self.random)
        #expect(self.isWait(outcome.step, .zero ... .milliseconds(800)))
    }

    /// Whatever happens in whatever order: an interruption is always followed by a complete list before anything else,
    /// a watch never opens without a version, and no pause is longer than half a minute.
    @Test(arguments: 0..<200) func randomPlayKeepsTheRules(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var machine = ReflectorStateMachine()
        var step = machine.start
        var now = ContinuousClock.now
        var isInterrupted = false
        let codes: [KubernetesError.Code] = [.unreachable, .expired, .throttled, .serverError, .forbidden, .malformed]
        for turn in 0..<300 {
            now += .milliseconds(Int64.random(in: 0...100_000, using: &random))
            let code = codes.randomElement(using: &random) ?? .unreachable
            let error = KubernetesError(code, "turn \(turn)", retry: code == .expired ? .relist : .after(.seconds(1)))
            var outcome: ReflectorStateMachine.Outcome?
            switch step {
            case .wait(let pause):
                #expect(pause <= .seconds(10))
                step = machine.waited(using: &random)
            case .list:
                switch Int.random(in: 0..<3, using: &random) {
                case 0: outcome = machine.listFailed(error, using: &random)
                case 1:
                    guard let next = machine.pageReceived(resourceVersion: "\(turn)", continueToken: "more") else {
                        Issue.record("a page with more to come ended the list")
                        return
                    }
                    step = next
                default:
                    #expect(machine.pageReceived(resourceVersion: "\(turn)", continueToken: nil) == nil)
                    isInterrupted = false
                    step = machine.watchNext(using: &random)
                }
            case .watch(let version, _):
                #expect(!isInterrupted, "a watch before the list that ends the interruption")
                #expect(!version.isEmpty)
                if Bool.random(using: &random) {
                    machine.watchOpened(at: now)
                    now += .milliseconds(Int64.random(in: 0...300_000, using: &random))
                    if Bool.random(using: &random) { machine.eventReceived(resourceVersion: "\(turn)") }
                }
                outcome =
                    Bool.random(using: &random)
                    ? machine.watchEnded(at: now, using: &random)
                    : machine.watchFailed(error, isEvent: Bool.random(using: &random), at: now, using: &random)
            }
            if let outcome {
                step = outcome.step
                if outcome.tellsInterruption { isInterrupted = true }
            }
        }
    }
}

/// A generator whose seed names the play.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
