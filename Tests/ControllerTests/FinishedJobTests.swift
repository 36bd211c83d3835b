import Controller
import Kubernetes
import Scaling
import Testing

@Suite struct FinishedJobTests {
    private static let age = "sluice.dev/finished-jobs-max-age"

    /// No plugin is connected in any of these.
    @Test(
        arguments: [
            (["autoscaling.keda.sh/paused": "true"], [:]),
            ([:], ["pollingInterval": 0]),
            ([:], [:]),
        ] as [([String: String], [String: JSONValue])]
    )
    func cleaningNeedsNothingElse(annotations: [String: String], members: [String: JSONValue]) {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a", succeeded: 2, failed: 1, annotations: annotations, members: members)
        world.finish(30, of: "a", "ok-")
        world.finish(30, of: "a", "bad-", failed: true)
        world.settle()
        #expect(world.names(of: "a") == ["bad-00029", "ok-00028", "ok-00029"])
        #expect(world.offences == [])
    }

    @Test func limitsThatCannotBeReadKeepEverything() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a", succeeded: -1)
        world.finish(300, of: "a", "ok-")
        world.settle()
        #expect(world.names(of: "a").count == 300)
    }

    /// The annotation, the host's flag, and how long Jobs stay.
    @Test(
        arguments: [
            ("30m", nil, 1_800), ("1h30m", 60, 5_400), (nil, 60, 60), ("2d", 60, 172_800), (nil, nil, nil),
            ("soon", 60, nil), ("", 60, nil), ("0s", 60, nil), ("-1h", 60, nil), ("90", 60, nil), ("1.5h", 60, nil),
            ("30m1h", 60, nil), ("99999999999d", 60, nil), ("1h1h", 60, nil),
        ] as [(String?, Int64?, Int64?)]
    )
    func jobsGoByTheAgeOfTheirScaledJobOrElseOfTheHost(annotation: String?, flag: Int64?, age: Int64?) {
        var settings = CleaningSettings()
        settings.longest = flag
        var world = FinishedJobWorld(settings)
        world.start()
        world.apply("a", succeeded: 9, annotations: annotation.map { [Self.age: $0] } ?? [:])
        world.finish(1, of: "a", "ok-")
        world.pass(.seconds((age ?? 50_000) - 1))
        #expect(world.names(of: "a").count == 1)
        world.pass(.seconds(1))
        #expect(world.names(of: "a").count == (age == nil ? 1 : 0))
        let told = world.events.filter { $0.reason == "ScaledJobRetentionInvalid" }
        let isInvalid = annotation != nil && age == nil
        #expect(told.count == (isInvalid ? 1 : 0))
        if isInvalid { #expect(told.first?.note.hasPrefix("metadata.annotations.\(Self.age): \"") == true) }
    }

    @Test func aClockThatJumpsDeletesNothingEarly() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a", succeeded: 9, annotations: [Self.age: "1h"])
        world.finish(1, of: "a", "ok-")
        world.settle()
        world.unixSeconds -= 100_000
        world.pass(.seconds(100_000 + 3_500))
        #expect(world.names(of: "a").count == 1)
        world.pass(.seconds(100))
        #expect(world.names(of: "a").isEmpty)
    }

    /// A clock that is put forward, as after a sleep of the machine, is noticed although no alarm was set for it.
    @Test func aClockThatIsPutForwardIsNoticed() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a", succeeded: 9, annotations: [Self.age: "7d"])
        world.finish(1, of: "a", "ok-")
        world.settle()
        world.unixSeconds += 8 * 86_400
        world.pass(.seconds(601))
        #expect(world.names(of: "a").isEmpty)
    }

    @Test func aTimeToLiveIsKeptAndTheClusterGoesFirst() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a", succeeded: 9, annotations: [Self.age: "1m"])
        world.finish(1, of: "a", "ok-", ttl: 600)
        world.pass(.seconds(600))
        #expect(world.names(of: "a").count == 1)
        world.pass(.seconds(5))
        #expect(world.names(of: "a").isEmpty)
    }

    @Test func theTotalOfTheHostTakesTheOldestOfAll() {
        var settings = CleaningSettings()
        settings.most = 25
        var world = FinishedJobWorld(settings)
        world.start()
        world.apply("a", succeeded: nil)
        world.apply("b", succeeded: nil, annotations: ["autoscaling.keda.sh/paused": "true"])
        world.finish(20, of: "a", "a-")
        world.pass(.seconds(100))
        world.finish(20, of: "b", "b-")
        world.settle()
        #expect(world.names(of: "a") == ["a-00015", "a-00016", "a-00017", "a-00018", "a-00019"])
        #expect(world.names(of: "b").count == 20)
    }

    @Test func jobsOfAScaledJobThatIsGoneAreLeftToTheGarbageCollector() {
        var settings = CleaningSettings()
        settings.most = 0
        settings.longest = 1
        var world = FinishedJobWorld(settings)
        world.start()
        world.apply("a", succeeded: 9)
        if let scaledJob = world.scaledJobs["a"] { world.take(.scaledJobs(.deleted(scaledJob), scope: nil)) }
        world.finish(5, of: "a", "ok-")
        world.pass(.seconds(10_000))
        #expect(world.asked == [])
    }

    @Test func jobsThatWereListedBeforeTheirScaledJobAreCleaned() {
        var world = FinishedJobWorld()
        world.start()
        world.finish(5, of: "a", "ok-")
        world.settle()
        world.apply("a", succeeded: 2)
        world.settle()
        #expect(world.names(of: "a") == ["ok-00003", "ok-00004"])
    }

    @Test func aHigherLimitTakesBackWhatWasNotSentYet() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a", succeeded: 1_000)
        world.finish(500, of: "a", "ok-")
        world.settle()
        world.apply("a", succeeded: 0)
        #expect(world.calls.count == 32)
        world.apply("a", succeeded: 1_000)
        world.settle()
        #expect(world.names(of: "a").count == 468)
    }

    /// The order in which ten thousand go, and that they go at all.
    @Test func tenThousandGoOldestFirst() {
        var world = FinishedJobWorld()
        world.finish(10_000, of: "a", "ok-")
        world.apply("a")
        world.start()
        world.settle()
        #expect(world.jobs.isEmpty)
        #expect(world.asked.count == 10_000)
        #expect(world.asked == world.asked.sorted())
    }

    @Test func noMoreBeginThanThePaceAllows() {
        var settings = CleaningSettings()
        settings.pace = .atMost(perSecond: 20)
        var world = FinishedJobWorld(settings)
        world.start()
        world.apply("a")
        world.apply("b")
        world.finish(1_000, of: "a", "a-")
        world.finish(1_000, of: "b", "b-")
        world.pass(.seconds(60))
        #expect((1_140...1_260).contains(world.asked.count))
        #expect(abs(world.names(of: "a").count - world.names(of: "b").count) <= 2)
    }

    /// A backlog is taken slowly, and Jobs that finish meanwhile don't pile up behind it.
    @Test func aBacklogIsPacedAndWhatFinishesIsNot() {
        var settings = CleaningSettings()
        settings.pace = .backlog(perSecond: 10)
        var world = FinishedJobWorld(settings)
        world.apply("a")
        world.finish(600, of: "a", "old-")
        world.start()
        world.pass(.seconds(10))
        #expect((90...112).contains(world.asked.count))
        for number in 0..<200 { world.set("new-\(number)", .init(owner: "a")) }
        world.settle()
        let before = world.asked.count
        for number in 0..<200 {
            world.set("new-\(number)", .init(owner: "a", phase: .succeeded(at: world.unixSeconds)))
        }
        world.settle()
        #expect((200...205).contains(world.asked.count - before))
        world.pass(.seconds(60))
        #expect(world.jobs.isEmpty)
    }
}
