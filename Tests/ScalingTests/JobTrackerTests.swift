import Scaling
import Testing

@Suite struct JobTrackerTests {
    let start = ContinuousClock.now

    func observed(_ name: String, _ phase: JobTracker.Observed.Phase = .unfinished) -> JobTracker.Observed {
        JobTracker.Observed(name: name, uid: "uid-\(name)", phase: phase)
    }

    @Test func anAssumedJobHoldsItsSlotUntilTheWatchShowsIt() {
        var tracker = JobTracker()
        let (first, second) = (tracker.assume("a", now: self.start), tracker.assume("a", now: self.start))
        #expect(first && !second)
        let isSent = tracker.calling("a")
        #expect(isSent)
        tracker.confirmed("a", now: self.start)
        #expect(tracker.unfinished == 1)
        _ = tracker.upserted(self.observed("a"), now: self.start)
        #expect(tracker.unfinished == 1)
        #expect(tracker.assumed.isEmpty)
    }

    @Test func aJobThatCameAndWentDuringItsCallKeepsItsSlotUntilTheAnswer() {
        var tracker = JobTracker()
        _ = tracker.assume("a", now: self.start)
        _ = tracker.calling("a")
        _ = tracker.upserted(self.observed("a"), now: self.start)
        let change = tracker.deleted("a", now: self.start)
        #expect(change.freedSlots == 0)
        #expect(tracker.unfinished == 1)
        #expect(tracker.assumed["a"]?.wasShownGone == true)
        tracker.release("a")
        #expect(tracker.isEmpty)
    }

    @Test func aNameThatTheWatchHasShownIsNotCalledAgain() {
        var tracker = JobTracker()
        _ = tracker.assume("a", now: self.start)
        _ = tracker.calling("a")
        tracker.uncertain("a", mayExist: true)
        _ = tracker.upserted(self.observed("a"), now: self.start)
        let isSent = tracker.calling("a")
        #expect(!isSent)
    }

    @Test func aListTakesBackOnlyWhatWasAnsweredBeforeIt() {
        var tracker = JobTracker()
        for name in ["early", "late", "open"] { _ = tracker.assume(name, now: self.start) }
        tracker.confirmed("early", now: self.start)
        tracker.confirmed("late", now: self.start + .seconds(2))
        tracker.uncertain("open", mayExist: true)
        let change = tracker.replaced(with: [], listedAt: self.start + .seconds(1), now: self.start + .seconds(3))
        #expect(change.freedSlots == 1)
        #expect(Set(tracker.assumed.keys) == ["late", "open"])
    }

    @Test func onlyUnsentJobsAreWithdrawn() {
        var tracker = JobTracker()
        for name in ["1", "2", "3"] { _ = tracker.assume(name, now: self.start) }
        _ = tracker.calling("1")
        tracker.uncertain("2", mayExist: true)
        let withdrawn = tracker.withdraw(5)
        #expect(withdrawn == ["3"])
        #expect(tracker.unfinished == 2)
    }

    @Test func theHighestNumbersAreWithdrawnFirst() {
        var tracker = JobTracker()
        for name in ["a-9", "a-10", "a-11"] { _ = tracker.assume(name, now: self.start) }
        #expect(tracker.withdraw(2) == ["a-11", "a-10"])
    }

    @Test func freedSlotsCountAsServedForOlderReadings() {
        var tracker = JobTracker()
        _ = tracker.upserted(self.observed("a"), now: self.start)
        let change = tracker.upserted(self.observed("a", .succeeded(at: 1)), now: self.start + .seconds(5))
        #expect(change.freedSlots == 1)
        #expect(change.succeeded == 1)
        #expect(tracker.served(since: self.start + .seconds(4)) == 1)
        #expect(tracker.served(since: self.start + .seconds(6)) == 0)
        tracker.forgetFreed(before: self.start + .seconds(6))
        #expect(tracker.served(since: self.start) == 0)
    }

    @Test func aFinishedJobIsCountedOnce() {
        var tracker = JobTracker()
        _ = tracker.upserted(self.observed("a", .failed(at: 3)), now: self.start)
        let again = tracker.upserted(self.observed("a", .failed(at: 3)), now: self.start)
        #expect(again.failed == 0)
        let gone = tracker.deleted("a", now: self.start)
        #expect(gone.deleted == 1)
    }

    /// Plays random calls against a model that keeps plain sets.
    @Test(arguments: 0..<50)
    func randomPlayAgreesWithPlainSets(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var tracker = JobTracker()
        var unfinished: Set<String> = []
        var held: Set<String> = []
        var now = self.start
        for _ in 0..<400 {
            now += .milliseconds(10)
            let name = "job-\(Int.random(in: 0..<12, using: &random))"
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                let isNew = !held.contains(name) && !tracker.contains(name)
                let taken = tracker.assume(name, now: now)
                #expect(taken == isNew)
                if isNew { held.insert(name) }
            case 1:
                tracker.release(name)
                held.remove(name)
            case 2:
                _ = tracker.upserted(self.observed(name), now: now)
                held.remove(name)
                unfinished.insert(name)
            case 3:
                _ = tracker.upserted(self.observed(name, .succeeded(at: 0)), now: now)
                held.remove(name)
                unfinished.remove(name)
            case 4:
                _ = tracker.deleted(name, now: now)
                held.remove(name)
                unfinished.remove(name)
            default:
                let listed = (0..<12).map { "job-\($0)" }.filter { _ in Bool.random(using: &random) }
                _ = tracker.replaced(with: listed.map { self.observed($0) }, listedAt: now, now: now)
                unfinished = Set(listed)
                held.subtract(listed)
            }
            #expect(tracker.unfinished == unfinished.count + held.count, "seed \(seed)")
            let pending = tracker.review(now: now) { _ in true }
            #expect(pending == tracker.unfinished, "seed \(seed)")
        }
    }
}
