import Kubernetes
import Scaling
import Testing

@testable import Controller

/// JobBudgets, quotas and LimitRanges in the controller: what holds, since when, and what is said about it.
@Suite struct BudgetMachineTests {
    private static func gpuJob(_ number: Int = 1) -> JSONValue {
        let resources: JSONValue = ["limits": ["nvidia.com/gpu": .integer(Int64(number))]]
        return [
            "template": [
                "spec": ["containers": [["name": "main", "image": "worker", "resources": resources]]]
            ]
        ]
    }

    // MARK: - Unknown is not none

    @Test func nothingIsCreatedBeforeTheLimitsAreKnown() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 5)
        bench.list()
        #expect(bench.unfinished() == 5)
        for missing in 0..<3 {
            var bench = BudgetBench()
            bench.apply(BudgetBench.scaledJob("media/a"), waiting: 5)
            let error = KubernetesError(.unreachable, "away")
            let lists: [(ControllerInput, ControllerInput)] = [
                (.budgets(.replaced([], startedAt: bench.now)), .budgets(.interrupted(error))),
                (
                    .quotas(.replaced([], startedAt: bench.now), scope: nil),
                    .quotas(.interrupted(error), scope: nil)
                ),
                (
                    .limitRanges(.replaced([], startedAt: bench.now), scope: nil),
                    .limitRanges(.interrupted(error), scope: nil)
                ),
            ]
            bench.listWithLimits(lists.enumerated().map { $0.offset == missing ? $0.element.1 : $0.element.0 })
            bench.wait(.seconds(30))
            #expect(bench.unfinished() == 0, "\(missing)")
            bench.take(lists[missing].0)
            #expect(bench.unfinished() == 5, "\(missing)")
        }
    }

    @Test func whereThereAreNoBudgetsNothingWaitsForThem() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 5)
        let missing = KubernetesError(.notFound, "no such kind", status: 404)
        let forbidden = KubernetesError(.forbidden, "no right", status: 403)
        bench.listWithLimits([
            .budgets(.interrupted(missing)), .quotas(.interrupted(forbidden), scope: nil),
            .limitRanges(.interrupted(forbidden), scope: nil),
        ])
        #expect(bench.unfinished() == 0, "an API server that starts may say so of a kind that it has")
        bench.take(.budgets(.interrupted(missing)))
        #expect(bench.unfinished() == 5)
        let told = bench.logs.filter { $0.message.hasSuffix("cannot be listed; going on without them") }
        #expect(told.count == 2)
        bench.take(.quotas(.interrupted(forbidden), scope: nil))
        #expect(bench.logs.filter { $0.message.hasSuffix("going on without them") }.count == 2, "once")
        // The kind is installed later.
        bench.backlog["media/a"] = 50
        bench.take(.budgets(.replaced([BudgetBench.budget("x", ["maxRunningJobs": 7])], startedAt: bench.now)))
        bench.wait(.seconds(30))
        #expect(bench.unfinished() == 7)
    }

    @Test func withoutTheRightToSeeBudgetsNothingIsCreated() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 5)
        let forbidden = KubernetesError(.forbidden, "no right", status: 403)
        bench.listWithLimits([
            .budgets(.interrupted(forbidden)), .quotas(.replaced([], startedAt: bench.now), scope: nil),
            .limitRanges(.replaced([], startedAt: bench.now), scope: nil),
        ])
        bench.wait(.seconds(30))
        #expect(bench.unfinished() == 0)
        let ready = bench.scaledJobStatuses["media/a"]?["conditions"]?.arrayValue?.first
        #expect(ready?["status"] == "False")
        #expect(ready?["message"]?.stringValue?.hasPrefix("JobBudgets: cannot be listed") == true)
    }

    @Test func aBrokenWatchKeepsTheLimits() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 50)
        bench.list(budgets: [BudgetBench.budget("x", ["maxRunningJobs": 7])])
        for code in [KubernetesError.Code.unreachable, .forbidden, .notFound] {
            bench.take(.budgets(.interrupted(KubernetesError(code, "away"))))
        }
        bench.wait(.seconds(5))
        #expect(bench.unfinished() == 7)
        // For good, the kind is gone.
        bench.take(.budgets(.interrupted(KubernetesError(.notFound, "away"))))
        bench.wait(.seconds(11))
        bench.take(.budgets(.interrupted(KubernetesError(.notFound, "away"))))
        bench.wait(.seconds(11))
        #expect(bench.unfinished() == 50)
    }

    // MARK: - Budgets

    @Test func aBudgetHoldsWhateverChanges() {
        var bench = BudgetBench()
        for number in 0..<5 { bench.apply(BudgetBench.scaledJob("media/\(number)"), waiting: 100) }
        bench.list(budgets: [BudgetBench.budget("x", ["maxRunningJobs": 20])])
        bench.wait(.seconds(20))
        #expect(bench.running == ["media/0": 4, "media/1": 4, "media/2": 4, "media/3": 4, "media/4": 4])
        bench.take(.budgets(.upserted(BudgetBench.budget("x", ["maxRunningJobs": 30], generation: 2))))
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 30)
        // Down: nothing is killed, nothing begins.
        bench.take(.budgets(.upserted(BudgetBench.budget("x", ["maxRunningJobs": 10], generation: 3))))
        bench.finish(15)
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 15)
        bench.finish(10)
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 10)
        #expect(bench.most[""] == 30)
        bench.take(.budgets(.deleted(BudgetBench.budget("x", ["maxRunningJobs": 10], generation: 3))))
        bench.wait(.seconds(20))
        #expect(bench.unfinished() > 400)
    }

    @Test func resourcesAreCountedOfTheTemplateAndOfWhatRuns() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a", job: Self.gpuJob(2)), waiting: 100)
        bench.apply(BudgetBench.scaledJob("media/b", job: Self.gpuJob()), waiting: 100)
        bench.apply(BudgetBench.scaledJob("media/c"), waiting: 9)
        bench.list(budgets: [BudgetBench.budget("gpus", ["maxResources": ["nvidia.com/gpu": 8]])])
        bench.wait(.seconds(20))
        let running = bench.running
        #expect(2 * (running["media/a"] ?? 0) + (running["media/b"] ?? 0) == 8)
        #expect(running["media/c"] == 9, "what needs none waits for none")
        #expect(bench.statuses["gpus"]?[path: "inUse", "resources", "nvidia.com/gpu"] == "8")
        #expect(bench.statuses["gpus"]?[path: "waiting", "scaledJobs"] == 2)
        // A larger template: what runs goes on to cost what it was made of.
        bench.apply(BudgetBench.scaledJob("media/b", job: Self.gpuJob(4)))
        bench.finish(1, of: "media/a")
        bench.wait(.seconds(20))
        let mostUsed = bench.jobs.values.filter { !$0.isFinished }.reduce(0) { $0 + $1.needs.cost()["nvidia.com/gpu"] }
        #expect(mostUsed <= 8_000)
    }

    @Test func jobsOfADeletedScaledJobCountUntilTheyAreGone() throws {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 100)
        bench.apply(BudgetBench.scaledJob("media/b"), waiting: 0)
        bench.list(budgets: [BudgetBench.budget("x", ["maxRunningJobs": 10])])
        bench.wait(.seconds(20))
        #expect(bench.running == ["media/a": 10])
        let gone = try #require(bench.scaledJobs["media/a"])
        bench.backlog["media/b"] = 100
        bench.take(.scaledJobs(.deleted(gone), scope: nil))
        bench.wait(.seconds(20))
        #expect(bench.running == ["media/a": 10])
        bench.finish(4, of: "media/a")
        bench.wait(.seconds(20))
        #expect(bench.running == ["media/a": 6, "media/b": 4])
    }

    @Test func namespacesAreAskedForOnlyByABudgetThatSelectsByTheirLabels() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 100)
        bench.list(budgets: [BudgetBench.budget("x", ["maxRunningJobs": 10])])
        #expect(!bench.asksForNamespaces)
        bench.apply(BudgetBench.scaledJob("batch/b"), waiting: 100)
        let selector: JSONValue = ["namespaceSelector": ["matchLabels": ["tier": "iron"]]]
        bench.take(
            .budgets(
                .replaced([BudgetBench.budget("y", ["selector": selector, "maxRunningJobs": 3])], startedAt: bench.now)
            )
        )
        #expect(bench.asksForNamespaces)
        bench.finish(100)
        bench.wait(.seconds(30))
        #expect(bench.unfinished() == 0, "whom it selects is not known")
        let namespaces = [Namespace(name: "media"), Namespace(name: "batch", labels: ["tier": "iron"])]
        bench.take(.namespaces(.replaced(namespaces, startedAt: bench.now)))
        bench.wait(.seconds(30))
        #expect(bench.running["batch/b"] == 3)
        #expect(bench.running["media/a"] ?? 0 > 50)
    }

    @Test func aBadAnnotationStopsThatScaledJobAndSaysWhy() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a", annotations: ["sluice.dev/weight": "heavy"]), waiting: 5)
        bench.apply(BudgetBench.scaledJob("media/b"), waiting: 5)
        bench.list()
        bench.wait(.seconds(20))
        #expect(bench.running == ["media/b": 5])
        let ready = bench.scaledJobStatuses["media/a"]?["conditions"]?.arrayValue?.first
        #expect(
            ready?["message"]?.stringValue
                == "metadata.annotations.sluice.dev/weight: \"heavy\" is not a number greater than 0; write one such as "
                + "\"3\" or \"0.5\""
        )
        bench.apply(BudgetBench.scaledJob("media/a", annotations: ["sluice.dev/weight": "2"]))
        bench.wait(.seconds(20))
        #expect(bench.running == ["media/a": 5, "media/b": 5])
    }

    // MARK: - The status of a budget

    @Test func theStatusSaysWhatIsSoAndIsWrittenSeldom() {
        var bench = BudgetBench()
        for number in 0..<30 { bench.apply(BudgetBench.scaledJob("media/\(number)"), waiting: 1_000) }
        bench.list(budgets: [BudgetBench.budget("x", ["maxRunningJobs": 20, "maxResources": ["cpu": "500m"]])])
        for _ in 0..<60 {
            bench.finish(5)
            bench.wait(.milliseconds(500))
        }
        bench.wait(.seconds(10))
        let status = bench.statuses["x"]
        #expect(status?[path: "inUse", "jobs"] == 20)
        #expect(status?[path: "inUse", "resources", "cpu"] == "0")
        #expect(status?[path: "limit", "jobs"] == 20)
        #expect(status?[path: "limit", "resources", "cpu"] == "500m")
        #expect(status?[path: "waiting", "scaledJobs"] == 30)
        #expect(status?[path: "waiting", "names"]?.arrayValue?.count == 10)
        #expect(status?["observedGeneration"] == 1)
        let ready = status?["conditions"]?.arrayValue?.first
        #expect(ready?["status"] == "True")
        for (first, second) in zip(bench.statusWrites, bench.statusWrites.dropFirst()) {
            #expect(second.at - first.at >= .seconds(3))
        }
        #expect(bench.statusWrites.count <= 14)
        // Nothing is written where nothing changes.
        let writes = bench.statusWrites.count
        bench.wait(.seconds(60))
        #expect(bench.statusWrites.count <= writes + 1)
    }

    @Test func aMistakeIsNamedAndTheLastGoodLimitsHold() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 100)
        bench.list(budgets: [BudgetBench.budget("x", ["maxRunningJobs": 10])])
        bench.wait(.seconds(20))
        bench.take(.budgets(.upserted(BudgetBench.budget("x", ["maxRunningJobs": -3], generation: 2))))
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 10)
        let ready = bench.statuses["x"]?["conditions"]?.arrayValue?.first
        #expect(ready?["status"] == "False")
        #expect(
            ready?["message"]
                == "spec.maxRunningJobs: -3 is too small; write 0 or more; the limits that were read last stay in force"
        )
        #expect(bench.statuses["x"]?["observedGeneration"] == 2)
    }

    // MARK: - Quotas

    /// Job objects are counted by the API server at once, and shown to the host late; nothing is ever refused.
    @Test(arguments: [0, 1, 3]) func aQuotaIsNeverRunInto(lateness: Int) {
        var bench = BudgetBench()
        bench.quotas["media"] = [QuotaRoom.jobObjects: "30", "requests.cpu": "20"]
        let job: JSONValue = [
            "template": [
                "spec": [
                    "containers": [["name": "main", "image": "a", "resources": ["requests": ["cpu": "1"]]]]
                ]
            ]
        ]
        bench.apply(BudgetBench.scaledJob("media/a", job: job), waiting: 1_000)
        bench.apply(BudgetBench.scaledJob("media/b"), waiting: 1_000)
        bench.list()
        var most = 0
        for round in 0..<200 {
            if round % (lateness + 1) == 0 { bench.showQuota("media") }
            bench.finish(2)
            bench.wait(.milliseconds(700))
            most = Swift.max(most, bench.unfinished("media/a"))
        }
        #expect(bench.refusals == 0)
        #expect(most <= 20)
        #expect(bench.jobs.count <= 30)
        #expect(bench.jobs.count >= 20, "and the room is used")
        #expect(bench.backlog["media/a"] ?? 0 < 950, "work goes on")
    }

    @Test func aQuotaThatShrinksKillsNothing() {
        var bench = BudgetBench()
        bench.quotas["media"] = ["pods": "20"]
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 100)
        bench.list()
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 20)
        bench.quotas["media"] = ["pods": "5"]
        bench.showQuota("media")
        bench.finish(8)
        bench.showQuota("media")
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 12)
        bench.finish(8)
        bench.showQuota("media")
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 5)
        let decision = bench.scaledJobStatuses["media/a"]?["lastDecision"]?.stringValue ?? ""
        #expect(decision.contains("quota") || decision.contains("Quota"), "\(decision)")
    }

    @Test func aLimitRangeMakesJobsCostSomething() {
        var bench = BudgetBench()
        bench.apply(BudgetBench.scaledJob("media/a"), waiting: 100)
        let key = ObjectMetadata(name: "r", namespace: "media")
        bench.list(
            budgets: [BudgetBench.budget("x", ["maxResources": ["cpu": "2"]])],
            ranges: [LimitRange(metadata: key, defaultRequests: ["cpu": "500m"])]
        )
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 4)
        // More for each: no room. Then less, also for those that run.
        bench.take(.limitRanges(.upserted(LimitRange(metadata: key, defaultRequests: ["cpu": "1"])), scope: nil))
        bench.finish(1)
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 3)
        bench.take(.limitRanges(.upserted(LimitRange(metadata: key, defaultRequests: ["cpu": "250m"])), scope: nil))
        bench.wait(.seconds(20))
        #expect(bench.unfinished() == 8)
    }
}

extension BudgetBench {
    /// Lists everything as ``list(budgets:ranges:)`` does, and of what sets limits only this.
    fileprivate mutating func listWithLimits(_ limits: [ControllerInput]) {
        self.listWork()
        for input in limits { self.take(input) }
    }
}
