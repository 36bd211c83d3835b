import Scaling
import Testing

/// Which items get a Job: by what the reading names and what the cluster holds.
@Suite struct ItemBookTests {
    private let start = ContinuousClock.now
    private let names = ItemNames(scaledJob: "transcode", uid: "7c1f")

    /// A book with its tracker, where time is a number of seconds.
    private struct Scene {
        var book: ItemBook
        var tracker = JobTracker()
        let names: ItemNames
        let start: ContinuousClock.Instant

        var history: ItemHistory { ItemHistory(self.tracker, names: self.names) }

        static func hash(_ key: String) -> String {
            var digest = Array(key.utf8.prefix(16))
            digest += [UInt8](repeating: 0, count: 16 - digest.count)
            return ItemNames.hash(of: digest)
        }

        func name(_ key: String, _ number: Int) -> String { self.names.name(hash: Self.hash(key), number: number) }

        mutating func read(_ keys: [String], at seconds: Double, waiting: Int? = nil, asked: Int = 16) {
            let items = keys.map { WaitingItem(key: $0, hash: Self.hash($0)) }
            let listing = ItemListing(
                items,
                askedAt: self.start + .seconds(seconds),
                asked: asked,
                waiting: Double(waiting ?? keys.count)
            )
            self.book.take(listing, self.history)
        }

        mutating func show(
            _ key: String,
            _ number: Int,
            _ phase: JobTracker.Observed.Phase = .unfinished,
            attempt: Int? = nil,
            of other: String? = nil,
            at seconds: Double
        ) {
            let job = JobTracker.Observed(
                name: self.name(key, number),
                uid: "uid-\(key)-\(number)",
                phase: phase,
                item: ItemMark(key: other ?? key, attempt: attempt ?? number)
            )
            _ = self.tracker.upserted(job, now: self.start + .seconds(seconds))
        }

        func names(_ count: Int = 100) -> [String] { self.book.plan(count, self.history).orders.map(\.name) }

        func tally() -> ItemTally { self.book.plan(0, self.history).tally }
    }

    private func scene(attempts: Int = 3) -> Scene {
        var scene = Scene(
            book: ItemBook(names: self.names, attempts: attempts, most: 5),
            names: self.names,
            start: self.start
        )
        scene.tracker.followsEnds = true
        return scene
    }

    @Test func itemsGetJobsInTheirOrderAndNoMoreThanWanted() {
        var scene = self.scene()
        #expect(scene.names() == [])
        scene.read(["c", "a", "b", "a"], at: 1)
        #expect(scene.names() == [scene.name("c", 1), scene.name("a", 1), scene.name("b", 1)])
        #expect(scene.names(2) == [scene.name("c", 1), scene.name("a", 1)])
    }

    @Test func anItemWithAnUnfinishedJobGetsNoSecondOne() {
        var scene = self.scene()
        scene.read(["a", "b", "c"], at: 1)
        scene.show("a", 1, at: 2)
        _ = scene.tracker.assume(scene.name("b", 1), now: self.start + .seconds(2))
        #expect(scene.names() == [scene.name("c", 1)])
        #expect(scene.tally().inWork == 2)
    }

    @Test func afterAnEndOnlyANewerReadingSaysThatAnItemWaits() {
        for phase in [JobTracker.Observed.Phase.succeeded(at: 1), .failed(at: 1)] {
            var scene = self.scene()
            scene.read(["a"], at: 1)
            scene.show("a", 1, at: 2)
            scene.read(["a"], at: 3)
            scene.show("a", 1, phase, at: 4)
            #expect(scene.names() == [])
            #expect(scene.tally().settling == 1)
            scene.read(["a"], at: 5)
            #expect(scene.names() == [scene.name("a", 2)])
        }
    }

    @Test func aJobThatIsGoneCountsAsEndedTillTheNextReading() {
        var scene = self.scene()
        scene.show("a", 1, at: 0)
        scene.read(["a"], at: 1)
        _ = scene.tracker.deleted(scene.name("a", 1), now: self.start + .seconds(2))
        #expect(scene.names() == [])
        scene.read(["a"], at: 3)
        #expect(scene.names() == [scene.name("a", 1)])
    }

    @Test func attemptsAreCountedByTheJobsThatExist() {
        var scene = self.scene()
        scene.show("a", 2, .failed(at: 1), at: 0)
        scene.show("b", 3, .failed(at: 1), at: 0)
        // Its first two Jobs are gone, and its name says nothing any more: the annotation does.
        scene.show("c", 9, .failed(at: 1), attempt: 2, at: 0)
        scene.read(["a", "b", "c"], at: 1)
        #expect(scene.names() == [scene.name("a", 3), scene.name("c", 10)])
        #expect(scene.tally().exhausted == 1)
        #expect(scene.tally().blocked == 1)
        scene.book.attempts = 4
        #expect(scene.tally().exhausted == 0)
    }

    @Test func aSuccessInVainIsAnAttemptAndIsTold() {
        var scene = self.scene(attempts: 2)
        scene.show("a", 1, .succeeded(at: 1), at: 0)
        scene.read(["a"], at: 1)
        #expect(scene.tally().stillWaiting == 1)
        #expect(scene.names() == [scene.name("a", 2)])
        scene.show("a", 2, .succeeded(at: 2), at: 2)
        scene.read(["a"], at: 3)
        #expect(scene.names() == [])
        #expect(scene.tally().exhausted == 1)
    }

    @Test func anItemThatLeftAndComesBackBeginsANewRound() {
        var scene = self.scene(attempts: 1)
        scene.show("a", 1, .succeeded(at: 1), at: 0)
        scene.read([], at: 1)
        scene.read(["a"], at: 2)
        let orders = scene.book.plan(9, scene.history).orders
        #expect(orders.map(\.name) == [scene.name("a", 2)])
        #expect(orders.map(\.attempt) == [1])
        // One that failed keeps its attempts.
        scene.show("b", 1, .failed(at: 1), at: 0)
        scene.read(["a"], at: 3)
        scene.read(["a", "b"], at: 4)
        #expect(scene.names() == [scene.name("a", 2)])
    }

    @Test func anotherKeyOfTheSameNameIsNotRun() {
        var scene = self.scene()
        scene.show("a", 1, .failed(at: 1), of: "other", at: 0)
        scene.read(["a"], at: 1)
        #expect(scene.names() == [])
        #expect(scene.tally().collided == 1)
    }

    @Test func aNameThatIsSomebodyElsesIsPassedOver() {
        var scene = self.scene()
        scene.read(["a"], at: 1)
        scene.book.occupy(scene.name("a", 1))
        let orders = scene.book.plan(9, scene.history).orders
        #expect(orders.map(\.name) == [scene.name("a", 2)])
        #expect(orders.map(\.attempt) == [1])
    }

    // MARK: - What is kept

    @Test func theNewestFinishedJobIsKeptWhileItsItemMayWait() {
        var scene = self.scene()
        let phases: [(String, JobTracker.Observed.Phase)] = [("failed", .failed(at: 5)), ("good", .succeeded(at: 5))]
        for (key, phase) in phases {
            scene.show(key, 1, .failed(at: 1), at: 0)
            scene.show(key, 2, phase, at: 0)
        }
        let newest: Set = [scene.name("failed", 2), scene.name("good", 2)]
        #expect(scene.book.kept(scene.history) == newest)
        scene.read(["failed", "good"], at: 1)
        #expect(scene.book.kept(scene.history) == newest)
        // What waits besides may be them.
        scene.read(["x"], at: 2, waiting: 9)
        #expect(scene.book.kept(scene.history) == [scene.name("failed", 2)])
        scene.read(["x"], at: 3)
        #expect(scene.book.kept(scene.history) == [])
    }

    @Test func aReadingFromBeforeTheEndReleasesNothing() {
        var scene = self.scene()
        scene.show("a", 1, at: 0)
        scene.read([], at: 1)
        scene.show("a", 1, .failed(at: 2), at: 2)
        #expect(scene.book.kept(scene.history) == [scene.name("a", 1)])
    }

    @Test func onlyAJobThatTheServerHasShownTakesThePlaceOfTheOneBefore() {
        var scene = self.scene()
        scene.show("a", 1, .failed(at: 1), at: 0)
        _ = scene.tracker.assume(scene.name("a", 2), now: self.start)
        #expect(scene.book.kept(scene.history) == [scene.name("a", 1)])
        scene.show("a", 2, at: 1)
        #expect(scene.book.kept(scene.history) == [])
    }

    @Test func keepingIsBounded() {
        var scene = self.scene()
        for number in 0..<(ItemBook.mostKept + 10) { scene.show("k\(number)", 1, .failed(at: Int64(number)), at: 0) }
        scene.read(["k0"], at: 1, waiting: 5_000)
        let kept = scene.book.kept(scene.history)
        #expect(kept.count == ItemBook.mostKept)
        // The one that is known to wait stays, whatever its age.
        #expect(kept.contains(scene.name("k0", 1)))
        #expect(!kept.contains(scene.name("k1", 1)))
    }

    // MARK: - How many to ask for

    @Test func asMuchIsAskedForAsMayBeNeeded() {
        var scene = self.scene(attempts: 1)
        #expect(scene.book.asks == 16)
        #expect(ItemBook(names: self.names, attempts: 1, most: 100).asks == 128)
        #expect(ItemBook(names: self.names, attempts: 1, most: .max).asks == ItemBook.mostItems)
        let exhausted = (0..<16).map { "x\($0)" }
        for key in exhausted { scene.show(key, 1, .failed(at: 1), at: 0) }
        scene.read(exhausted, at: 1, waiting: 40)
        for _ in 0..<3 {
            let isAtOnce = scene.book.plansNext(most: 5, wanted: 5, scene.tally())
            #expect(isAtOnce)
            // Until there is a newer one, the same reading doubles it once.
            #expect(scene.book.asks == 32)
        }
        scene.read(exhausted + ["a"], at: 2, asked: 32)
        let isAgain = scene.book.plansNext(most: 5, wanted: 5, scene.tally())
        #expect(!isAgain)
    }

    @Test func aReadingThatNamesTooFewIsFollowedByOneForTwiceAsMany() {
        var scene = self.scene()
        scene.read([], at: 1, waiting: 40)
        let isAtOnce = scene.book.plansNext(most: 5, wanted: 5, scene.tally())
        #expect(isAtOnce)
        #expect(scene.book.asks == 32)
    }

    @Test func whereNothingIsLeftToAskForNothingIsAskedAtOnce() {
        var scene = self.scene(attempts: 1)
        let exhausted = (0..<ItemBook.mostItems).map { "x\($0)" }
        for key in exhausted { scene.show(key, 1, .failed(at: 1), at: 0) }
        scene.read(exhausted, at: 1, waiting: 4_000, asked: ItemBook.mostItems)
        let isAtOnce = scene.book.plansNext(most: 5, wanted: 5, scene.tally())
        #expect(!isAtOnce)
        #expect(scene.book.asks == ItemBook.mostItems)
    }
}
