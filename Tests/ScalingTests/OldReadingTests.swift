import Scaling
import Testing

/// Readings that are used again, or during which Jobs started and finished.
@Suite struct OldReadingTests {
    static let start = ContinuousClock.now

    func decide(_ strategy: ScalingStrategy, waiting: Double, inFlight: Double? = nil, _ jobs: ScalingPolicy.Jobs)
        -> Int
    {
        let bounds = ReplicaBounds(maximum: 10)
        let backlog = BacklogCombination.max.combine(
            [
                .known(
                    TriggerBacklog(waiting: waiting, target: 1, isActive: waiting > 0, inFlight: inFlight),
                    askedAt: Self.start
                )
            ],
            demandCeiling: bounds.demandCeiling,
            countsInFlight: strategy == .inFlight
        )
        return ScalingPolicy(bounds: bounds, strategy: strategy).decide(backlog, jobs).create
    }

    @Test(arguments: [
        ScalingStrategy.default, .custom(deduction: 0, percentage: 0), .accurate, .eager, .inFlight,
    ])
    func aReadingIsAnsweredOnce(strategy: ScalingStrategy) {
        let fresh = self.decide(strategy, waiting: 4, inFlight: 0, .init(unfinished: 0, pending: 0))
        #expect(fresh == 4)
        // All four have started, one has finished, and no new reading has come.
        let again = ScalingPolicy.Jobs(
            unfinished: 3,
            pending: 0,
            servedSinceReading: 4,
            createdSinceReading: 4,
            pendingSinceReading: 4
        )
        #expect(self.decide(strategy, waiting: 4, inFlight: 0, again) == 0)
    }

    @Test(arguments: [
        ScalingStrategy.default, .custom(deduction: 0, percentage: 0), .accurate, .eager, .inFlight,
    ])
    func aFreedSlotIsFilledFromTheSameReading(strategy: ScalingStrategy) {
        let jobs = ScalingPolicy.Jobs(
            unfinished: 9,
            pending: 0,
            servedSinceReading: 10,
            createdSinceReading: 10,
            pendingSinceReading: 10
        )
        #expect(self.decide(strategy, waiting: 50, inFlight: 0, jobs) == 1)
    }

    @Test func aJobThatClaimedAndFinishedSinceMayHaveItsItemInTheCount() {
        // One Job was pending when four items were counted; it has taken one and finished.
        let jobs = ScalingPolicy.Jobs(unfinished: 0, pending: 0, servedSinceReading: 1, pendingSinceReading: 1)
        #expect(self.decide(.accurate, waiting: 4, jobs) == 3)
    }

    @Test func aJobThatHadClaimedBeforeIsNotInTheCount() {
        // It ran when the four were counted, so none of them is its own, whether it has finished or not.
        let finished = ScalingPolicy.Jobs(unfinished: 0, pending: 0, servedSinceReading: 1, pendingSinceReading: 0)
        #expect(self.decide(.accurate, waiting: 4, finished) == 4)
        let running = ScalingPolicy.Jobs(unfinished: 1, pending: 0, servedSinceReading: 1, pendingSinceReading: 0)
        #expect(self.decide(.accurate, waiting: 4, running) == 4)
    }

    // MARK: - What the tracker remembers

    func observed(_ name: String, _ phase: JobTracker.Observed.Phase = .unfinished) -> JobTracker.Observed {
        JobTracker.Observed(name: name, uid: "uid-\(name)", phase: phase)
    }

    @Test func theTrackerRemembersSinceWhenJobsHaveStarted() {
        var tracker = JobTracker()
        let second = Duration.seconds(1)
        _ = tracker.upserted(self.observed("old"), now: Self.start)
        let first = tracker.review(now: Self.start + second) { _ in false }
        #expect(first == 0)
        _ = tracker.assume("new", now: Self.start + second * 3)
        let pending = tracker.review(now: Self.start + second * 3) { $0 == "new" }
        #expect(pending == 1)

        let reading = Self.start + second * 2
        #expect(tracker.begun(since: reading) == 1)
        #expect(tracker.pending(since: reading, grace: .zero) == 1)
        #expect(tracker.pending(since: Self.start, grace: .zero) == 2)
        #expect(tracker.pending(since: reading, grace: second * 2) == 2)

        // The new one starts and finishes: it was pending since the reading all the same.
        _ = tracker.review(now: Self.start + second * 4) { _ in false }
        _ = tracker.upserted(self.observed("new"), now: Self.start + second * 4)
        _ = tracker.upserted(self.observed("new", .succeeded(at: 0)), now: Self.start + second * 5)
        #expect(tracker.begun(since: reading) == 1)
        #expect(tracker.pending(since: reading, grace: .zero) == 1)
        #expect(tracker.pending(since: Self.start + second * 6, grace: .zero) == 0)
    }

    @Test func whatWasWithdrawnWasNeverBegun() {
        var tracker = JobTracker()
        for name in ["1", "2"] { _ = tracker.assume(name, now: Self.start) }
        _ = tracker.withdraw(1)
        tracker.release("1")
        #expect(tracker.begun(since: Self.start) == 0)
        let pending = tracker.review(now: Self.start) { _ in true }
        #expect(pending == 0)
    }
}
