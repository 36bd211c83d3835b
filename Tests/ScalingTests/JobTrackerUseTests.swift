import Scaling
import Testing

/// What a tracker says it holds, against a count of what is in it.
@Suite struct JobTrackerUseTests {
    @Test func queuedNamesHoldNothing() {
        var tracker = JobTracker()
        _ = tracker.assume("a", now: .now)
        #expect(tracker.use == AdmissionUse())
        _ = tracker.calling("a", cost: Self.cost(2))
        #expect(tracker.use == AdmissionUse(jobs: 1, objects: 1, resources: Self.cost(2)))
        tracker.uncertain("a", mayExist: false)
        #expect(tracker.use == AdmissionUse())
        _ = tracker.calling("a", cost: Self.cost(3))
        tracker.uncertain("a", mayExist: true)
        #expect(tracker.use.jobs == 1)
        #expect(tracker.use.resources == Self.cost(3))
        tracker.release("a")
        #expect(tracker.use == AdmissionUse())
    }

    @Test func whatIsShownCountsWithItsOwnCost() {
        var tracker = JobTracker()
        _ = tracker.assume("a", now: .now)
        _ = tracker.calling("a", cost: Self.cost(2))
        _ = tracker.upserted(Self.job("a", cost: 5), now: .now)
        #expect(tracker.use == AdmissionUse(jobs: 1, objects: 1, resources: Self.cost(5)))
        _ = tracker.upserted(Self.job("a", cost: 5, .succeeded(at: 1)), now: .now)
        #expect(tracker.use == AdmissionUse(jobs: 0, objects: 1))
        _ = tracker.deleted("a", now: .now)
        // The call is not answered: it may create the Job again.
        #expect(tracker.use.jobs == 1)
        tracker.confirmed("a", now: .now)
        tracker.release("a")
        #expect(tracker.use == AdmissionUse())
    }

    @Test(arguments: 0..<20) func itIsTheSumOfWhatIsThere(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var tracker = JobTracker()
        let now = ContinuousClock.now
        for step in 0..<400 {
            let name = "j\(Int.random(in: 0..<8, using: &random))"
            let cost = Int.random(in: 0...3, using: &random)
            switch Int.random(in: 0..<11, using: &random) {
            case 0, 1: _ = tracker.assume(name, now: now)
            case 2, 3: _ = tracker.calling(name, cost: Self.cost(cost))
            case 4: tracker.confirmed(name, now: now)
            case 5: tracker.uncertain(name, mayExist: Bool.random(using: &random))
            case 6: tracker.release(name)
            case 7: _ = tracker.upserted(Self.job(name, cost: cost), now: now)
            case 8: _ = tracker.upserted(Self.job(name, cost: cost, .failed(at: 2)), now: now)
            case 9: _ = tracker.deleted(name, now: now)
            default:
                if step % 3 == 0 { tracker.releaseAllButCalls() }
                _ = tracker.withdraw(1)
                _ = tracker.replaced(with: [Self.job("j0", cost: cost)], listedAt: now + .seconds(1), now: now)
            }
            var sum = AdmissionUse()
            for job in tracker.observed.values {
                sum.objects += 1
                if !job.isFinished { sum += AdmissionUse(jobs: 1, resources: job.cost) }
            }
            for creation in tracker.assumed.values where creation.state != .queued || creation.mayExist {
                sum += AdmissionUse(jobs: 1, objects: 1, resources: creation.cost)
            }
            #expect(tracker.use == sum, "seed \(seed) step \(step)")
        }
    }

    private static func cost(_ units: Int) -> ResourceAmounts { ResourceAmounts(thousandths: ["cpu": Int128(units)]) }

    private static func job(
        _ name: String,
        cost: Int,
        _ phase: JobTracker.Observed.Phase = .unfinished
    ) -> JobTracker.Observed {
        JobTracker.Observed(name: name, uid: "u", phase: phase, cost: Self.cost(cost))
    }
}
