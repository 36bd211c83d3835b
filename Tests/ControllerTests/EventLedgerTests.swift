import Kubernetes
import Testing

@testable import Controller

@Suite struct EventLedgerTests {
    private var ledger = EventLedger()
    private var random = SystemOrSeededGenerator(seed: 1)
    private var now = ContinuousClock.now

    private mutating func take(_ note: String, isOwn: Bool = false) -> EventLedger.Telling {
        self.ledger.take(.scalerFailed, note, isOwn: isOwn, at: self.now, using: &self.random)
    }

    @Test mutating func theSameWordsAreOneEventWithACount() {
        guard case .first(let number) = self.take("the source is down") else {
            Issue.record("not told")
            return
        }
        #expect(self.take("the source is down") == .counted)
        self.now += .seconds(10)
        #expect(self.take("the source is down") == .again(number: number, count: 3))
        self.now += .seconds(10)
        #expect(self.take("the source is down") == .counted)
        self.now += .seconds(10)
        #expect(self.take("the source is down") == .again(number: number, count: 5))
    }

    @Test mutating func aCountIsWrittenEverMoreRarely() {
        var told = 0
        for _ in 0..<3600 {
            self.now += .seconds(1)
            switch self.take("the source is down") {
            case .first, .again: told += 1
            case .counted: break
            case .dropped: Issue.record("dropped")
            }
        }
        // 10, 20, 40, 80, 160, and from then on 300 seconds apart.
        #expect((12...20).contains(told), "\(told)")
    }

    @Test mutating func wordsThatAlwaysDifferAreBounded() {
        var told = 0
        for number in 0..<600 {
            self.now += .milliseconds(100)
            if case .first = self.take("message \(number)") { told += 1 }
        }
        // The burst, and one more every five seconds of a minute.
        #expect((25...38).contains(told), "\(told)")
    }

    @Test mutating func afterALongSilenceTheSameWordsAreNews() {
        _ = self.take("the source is down")
        self.now += .seconds(3600)
        guard case .first = self.take("the source is down") else {
            Issue.record("not told anew")
            return
        }
    }

    @Test mutating func transitionsAreEventsOfTheirOwn() {
        guard case .first(let one) = self.take("paused", isOwn: true),
            case .first(let two) = self.take("paused", isOwn: true)
        else {
            Issue.record("not told")
            return
        }
        #expect(one != two)
    }

    @Test func textsFitWhatTheServerTakes() {
        let note = String(repeating: "ü", count: 2_000)
        let event = EventRecord(
            .warning,
            .scaledJobCheckFailed,
            note,
            regarding: EventRecord.Regarding(.scaledJobs, ObjectKey(namespace: "a", name: "b"), uid: "c"),
            number: 7
        )
        #expect(event.note.utf8.count == 1024)
        #expect(event.action.utf8.count == 128)
        #expect(event.name == "b.7")
    }
}
