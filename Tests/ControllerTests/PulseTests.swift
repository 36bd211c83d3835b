import Testing

@testable import Controller

@Suite struct PulseTests {
    private let start = ContinuousClock.now

    @Test func aLoopThatStaysAwayIsAFault() {
        let pulse = Pulse(start: self.start)
        #expect(pulse.faults(at: self.start + .seconds(19)).isEmpty)
        #expect(pulse.faults(at: self.start + .seconds(25)) == ["the controller has not answered for 25 s"])
        pulse.beat(unlisted: [], at: self.start + .seconds(25))
        #expect(pulse.faults(at: self.start + .seconds(30)).isEmpty)
    }

    @Test func readyMeansThatEverythingIsListedAndTheLoopGoesRound() {
        let pulse = Pulse(start: self.start)
        #expect(pulse.obstacles(at: self.start) == ["the controller is starting"])
        pulse.beat(unlisted: ["Jobs"], at: self.start)
        #expect(pulse.obstacles(at: self.start) == ["Jobs have not been listed yet"])
        pulse.beat(unlisted: [], at: self.start)
        #expect(pulse.obstacles(at: self.start).isEmpty)
        #expect(pulse.obstacles(at: self.start + .seconds(21)).count == 1)
    }

    @Test func aHostThatStandsByIsHealthyAndReady() {
        let pulse = Pulse(start: self.start)
        pulse.standBy()
        #expect(pulse.faults(at: self.start + .seconds(3_600)).isEmpty)
        #expect(pulse.obstacles(at: self.start + .seconds(3_600)).isEmpty)
    }

    @Test(.timeLimit(.minutes(1))) func aBeatIsAskedForOnceUntilItComes() async {
        let pulse = Pulse()
        let (asked, queue) = AsyncStream.makeStream(of: Void.self)
        let run = Task { await pulse.run { queue.yield() } }
        var beats = 0
        for await _ in asked {
            beats += 1
            pulse.beat(unlisted: [])
            if beats == 2 { break }
        }
        run.cancel()
        await run.value
        #expect(beats == 2)
    }
}
