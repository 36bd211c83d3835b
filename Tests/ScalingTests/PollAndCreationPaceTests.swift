import Scaling
import Testing

@Suite struct PollAndCreationPaceTests {
    @Test func pollsComeAtAFixedRateAfterAFirstThatIsJittered() {
        var random = SeededGenerator(seed: 2)
        let start = ContinuousClock.now
        var schedule = PollSchedule(interval: .seconds(10), now: start)
        #expect(schedule.next <= start)
        schedule.polled(at: start, using: &random)
        let second = schedule.next
        #expect(second >= start + .seconds(5) && second <= start + .seconds(10))
        schedule.polled(at: second + .seconds(1), using: &random)
        #expect(schedule.next == second + .seconds(10))
    }

    @Test func missedPollsAreNotMadeUpFor() {
        var random = SeededGenerator(seed: 3)
        let start = ContinuousClock.now
        var schedule = PollSchedule(interval: .seconds(1), now: start)
        schedule.polled(at: start, using: &random)
        let late = start + .seconds(100)
        schedule.polled(at: late, using: &random)
        #expect(schedule.next >= late)
    }

    @Test func theWindowFallsToOneWithARefusalAndGrowsWithSuccess() {
        var window = CreationWindow(initial: 2, largest: 4)
        window.began()
        window.began()
        #expect(!window.hasRoom)
        window.succeeded()
        window.succeeded()
        #expect(window.size == 4)
        window.began()
        window.refused()
        #expect(window.size == 1)
        #expect(window.underWay == 0)
    }

    @Test(arguments: [0, 1, 3]) func aNewTemplateStartsAnewWithTheCallsThatAreUnderWay(underWay: Int) {
        var window = CreationWindow(initial: 3, largest: 8)
        for _ in 0..<underWay { window.began() }
        window.reset(initial: 3)
        #expect(window.size == 3)
        #expect(window.underWay == underWay)
        #expect(window.hasRoom == (underWay < 3))
        for _ in 0..<underWay { window.succeeded() }
        #expect(window.underWay == 0)
    }

    @Test func namesGoOnAfterTheHighestSeen() {
        var names = JobNames(scaledJob: "transcode", uid: "7c1f")
        let first = names.next()
        #expect(first.hasPrefix("transcode-") && first.hasSuffix("-1"))
        var restarted = JobNames(scaledJob: "transcode", uid: "7c1f")
        restarted.saw(first)
        let (next, following) = (names.next(), restarted.next())
        #expect(next == following)
        restarted.saw("someone-else-99")
        #expect(restarted.lastNumber == 2)
    }

    @Test func longNamesStillFitAPodLabel() {
        var names = JobNames(
            scaledJob: String(repeating: "a", count: 250),
            uid: "7c1f",
            lastNumber: UInt64.max - 1
        )
        let name = names.next()
        #expect(name.utf8.count <= JobNames.longestName)
    }
}
