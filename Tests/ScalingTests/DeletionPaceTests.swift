import Scaling
import Testing

@Suite struct DeletionPaceTests {
    @Test(arguments: [1.0, 20, 333.3, 5_000])
    func noMoreBeginThanThePaceAllowsAndNoFewer(perSecond: Double) {
        var pace = DeletionPace(.atMost(perSecond: perSecond))
        let start = ContinuousClock.now
        var now = start
        var begun = 0
        while now < start + .seconds(10) {
            if let room = pace.nextRoom(at: now) {
                #expect(room > now)
                now = room
            } else {
                pace.begin()
                begun += 1
            }
        }
        #expect(Double(begun) <= perSecond * 10.1 + 1)
        #expect(Double(begun) >= perSecond * 10 * 0.99)
    }

    @Test func eachJobThatFinishesMakesRoomUpToABound() {
        var pace = DeletionPace(.backlog(perSecond: 10))
        let now = ContinuousClock.now
        #expect(pace.nextRoom(at: now) == nil)
        pace.begin()
        #expect(pace.nextRoom(at: now) != nil)
        for _ in 0..<5_000 { pace.finished() }
        var begun = 0
        while pace.nextRoom(at: now) == nil {
            pace.begin()
            begun += 1
        }
        #expect(begun == 1_000)
    }

    @Test func withoutAPaceThereIsAlwaysRoom() {
        var pace = DeletionPace(.unlimited)
        for _ in 0..<1_000 {
            #expect(pace.nextRoom(at: .now) == nil)
            pace.begin()
        }
    }
}
