import Controller
import Kubernetes
import Scaling
import Testing

@Suite struct FailingDeletionTests {
    @Test func oneThatAlwaysFailsHoldsUpNoOther() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a")
        world.finish(200, of: "a", "ok-")
        let isBad = { (name: String) in name == "ok-00000" }
        world.settle(refusing: isBad)
        #expect(world.names(of: "a") == ["ok-00000"])
        world.pass(.seconds(600), refusing: isBad)
        // Ever longer pauses, up to a minute.
        #expect((12...40).contains(world.asked.count { isBad($0) }))
        world.pass(.seconds(61))
        #expect(world.jobs.isEmpty)
    }

    @Test func manyThatAlwaysFailHoldUpTheOthersNotForLong() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a")
        world.apply("b")
        world.finish(60, of: "a", "a-")
        world.finish(200, of: "a", "b-")
        world.finish(50, of: "b", "c-")
        let isBad = { (name: String) in name.hasPrefix("a-") }
        world.settle(refusing: isBad)
        #expect(world.names(of: "b").isEmpty)
        world.pass(.seconds(30), refusing: isBad)
        #expect(world.names(of: "a").count == 60)
        world.pass(.seconds(120))
        #expect(world.jobs.isEmpty)
    }

    @Test func aScaledJobOfWhichNothingCanBeDeletedCostsFewCalls() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a")
        world.finish(5_000, of: "a", "ok-")
        let start = world.asked.count
        world.pass(.seconds(60), refusing: { _ in true })
        #expect((64...600).contains(world.asked.count - start))
        #expect(world.logs.count { $0.level == .warning && $0.message.contains("cannot be deleted") } == 1)
        // Another one does not wait for it.
        world.apply("b")
        world.finish(100, of: "b", "b-")
        world.settle(refusing: { $0.hasPrefix("ok-") })
        #expect(world.names(of: "b").isEmpty)
        world.pass(.seconds(120))
        #expect(world.jobs.isEmpty)
    }

    @Test func anAnswerThatWasLostIsNoReasonToDeleteTwice() {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a")
        world.finish(1, of: "a", "ok-")
        world.jobs["ok-00000"]?.finalizers = ["example.test/mine"]
        world.showNext()
        world.answer(.answerLost)
        world.pass(.seconds(600))
        #expect(world.asked == ["ok-00000"])
    }

    /// A Job that a complete list still shows was not deleted, whatever the answer said.
    @Test func aYesThatAListContradictsIsForgotten() throws {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a")
        world.finish(1, of: "a", "ok-")
        world.showNext()
        let call = try #require(world.calls.last)
        world.calls.removeAll()
        world.take(.jobDeleted(call.job, .success(())))
        world.relist()
        world.settle()
        #expect(world.asked.count == 2)
        #expect(world.jobs.isEmpty)
    }

    // MARK: - Stuck in deletion

    @Test func jobsThatStayInDeletionAreReportedOnceAndLeftAlone() throws {
        var world = FinishedJobWorld()
        world.start()
        world.apply("a")
        world.finish(5, of: "a", "ok-")
        for name in world.names(of: "a").prefix(3) { world.jobs[name]?.finalizers = ["b.test/x", "c.test/y"] }
        world.settle()
        #expect(world.names(of: "a").count == 3)
        world.pass(.seconds(119))
        #expect(world.machine.metrics().scaledJobs.first?.stuckDeleting == 0)
        world.pass(.seconds(2))
        #expect(world.machine.metrics().scaledJobs.first?.stuckDeleting == 3)
        world.pass(.seconds(7_200))
        let told = world.events.filter { $0.reason == "ScaledJobDeletionStuck" }
        #expect(told.count == 1)
        let event = try #require(told.first)
        #expect(event.kind == .warning)
        #expect(
            event.note.hasPrefix(
                "3 Jobs have been in deletion for over 120 seconds: ok-00000 is kept by b.test/x, c.test/y"
            )
        )
        #expect(world.asked.count == 5)

        for name in world.names(of: "a") { world.vanish(name) }
        world.settle()
        #expect(world.machine.metrics().scaledJobs.first?.stuckDeleting == 0)
        #expect(world.logs.contains { $0.message == "no Job is stuck in its deletion any more" })
        #expect(world.machine.metrics().scaledJobs.first?.counters.cleaned == 5)
    }

    @Test func aHostThatStartsReportsThemToo() {
        var world = FinishedJobWorld()
        world.finish(1, of: "a", "ok-")
        world.jobs["ok-00000"]?.finalizers = ["b.test/x"]
        world.jobs["ok-00000"]?.deletingSince = world.unixSeconds - 1_000
        world.start()
        world.apply("a")
        world.settle()
        #expect(world.asked == [])
        #expect(world.machine.metrics().scaledJobs.first?.stuckDeleting == 1)
        #expect(world.events.count { $0.reason == "ScaledJobDeletionStuck" } == 1)
    }
}
