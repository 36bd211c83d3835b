import Scaling
import Testing

@Suite struct DeletionPaceTests {
    @Test(arguments: [1.0, 20, 333.3, 5_000])
    func noMoreBeginThanThePaceAllowsAndNoFewer(perSecond: Double) {
        var pace = DeletionPace(perSecond: perSecond)
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

    @Test func withoutAPaceThereIsAlwaysRoom() {
        var pace = DeletionPace(perSecond: nil)
        for _ in 0..<1_000 {
            #expect(pace.nextRoom(at: .now) == nil)
            pace.begin()
        }
    }
}
