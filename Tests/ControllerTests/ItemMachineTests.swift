import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

/// One Job for each item, as the controller does it.
@Suite struct ItemMachineTests {
    private func started(_ scaledJob: ScaledJob = ItemWorld.scaledJob()) -> ItemWorld {
        var world = ItemWorld(seed: 1, scaledJob: scaledJob)
        world.start()
        world.settle()
        return world
    }

    private func push(_ world: inout ItemWorld) { world.take(.plugin(.changed(ItemWorld.trigger))) }

    @Test func eachItemGetsItsJobOldestFirst() {
        var random = SystemOrSeededGenerator(seed: 1)
        var world = self.started()
        for _ in 0..<10 { world.insert(.good) }
        self.push(&world)
        world.settle()
        #expect(Set(world.jobs.values.map(\.key)) == ["doc-0", "doc-1", "doc-2", "doc-3"])
        #expect(world.jobs.values.allSatisfy { $0.attempt == 1 })
        world.workOff(&random, rounds: 8)
        #expect(world.waiting.isEmpty)
        #expect(world.created.count == 10)
        #expect(world.jobs.isEmpty)
        #expect(world.offences == [])
    }

    @Test func aNewHostGoesOnWhereTheLastOneWas() {
        var random = SystemOrSeededGenerator(seed: 1)
        var world = self.started()
        for nature in [.good, .alwaysFails, .good] as [ItemWorld.Nature] { world.insert(nature) }
        for _ in 0..<12 {
            world.settle()
            world.replaceHost(&random)
            world.settle()
            for name in world.unfinished { world.finish(name, &random) }
            world.advance(.seconds(10))
        }
        world.settle()
        #expect(world.offences == [])
        #expect(world.waiting == [1])
        #expect(world.created == ["doc-0": 1, "doc-1": 3, "doc-2": 1])
        // Nothing is left but what says that it was tried three times.
        #expect(world.jobs.values.map(\.attempt) == [3])
    }

    @Test func whatIsExhaustedIsToldOnceAndCanBeTriedAgain() throws {
        var random = SystemOrSeededGenerator(seed: 1)
        var world = self.started()
        world.insert(.alwaysFails)
        world.workOff(&random, rounds: 12)
        #expect(world.created == ["doc-0": 3])
        #expect(world.events.filter { $0.reason == .itemFailed }.map(\.count) == [nil])
        let note = try #require(world.events.first { $0.reason == .itemFailed }?.note)
        #expect(note == "item \"doc-0\" failed 3 times and gets no further Job; mend it, then delete its failed Jobs")
        #expect(
            world.decision == "1 waiting, 0 unfinished: create 0; of 1 items named 1 exhausted",
            "\(world.decision)"
        )
        #expect(world.machine.metrics().scaledJobs.first?.exhaustedItems == 1)
        world.natures[0] = .good
        world.created = [:]
        for name in world.jobs.keys.sorted() { world.vanish(name) }
        world.workOff(&random, rounds: 3)
        #expect(world.created == ["doc-0": 1])
        #expect(world.waiting.isEmpty)
    }

    @Test func aSuccessThatLeavesItsItemWaitingIsTold() {
        var random = SystemOrSeededGenerator(seed: 1)
        var world = self.started()
        world.insert(.finishesInVain)
        world.workOff(&random, rounds: 12)
        #expect(world.created == ["doc-0": 3])
        let told = world.events.filter { $0.reason == .itemStillWaiting || $0.reason == .itemFailed }
        #expect(told.map(\.reason) == [.itemStillWaiting, .itemStillWaiting, .itemFailed])
        #expect(told.last?.note.contains("the worker must take it out of the trigger's query") == true)
    }

    @Test func manyExhaustedItemsDoNotHideThoseBehindThem() {
        var random = SystemOrSeededGenerator(seed: 1)
        var annotations = [ItemPolicy.annotation: "true"]
        annotations[ItemPolicy.attemptsAnnotation] = "1"
        var world = ItemWorld(seed: 1, scaledJob: ItemWorld.scaledJob(annotations: annotations), attempts: 1)
        world.start()
        for _ in 0..<100 { world.insert(.alwaysFails) }
        for _ in 0..<5 { world.insert(.good) }
        world.workOff(&random)
        #expect(world.waiting.count == 100)
        #expect(world.offences == [])
        #expect(world.largestQuestion == 128)
    }

    // MARK: - Switching

    @Test func switchedOnWhileOrdinaryJobsRunNothingExceedsTheMaximum() {
        var random = SystemOrSeededGenerator(seed: 1)
        var world = self.started(ItemWorld.scaledJob(annotations: [:]))
        for _ in 0..<6 { world.insert(.good) }
        self.push(&world)
        world.settle()
        #expect(world.unfinished.count == 4)
        #expect(world.jobs.values.allSatisfy { $0.key.isEmpty })
        world.edit(ItemWorld.scaledJob())
        world.settle()
        world.workOff(&random, rounds: 10)
        #expect(world.waiting.isEmpty)
        #expect(world.mostUnfinished <= 4)
        #expect(world.offences == [])
    }

    @Test func switchedOffWhatIsUncertainIsLookedUpAndNotAskedForAgain() {
        var world = self.started()
        world.insert(.good)
        world.insert(.good)
        self.push(&world)
        while !world.calls.contains(where: Self.isCreation) {
            world.measures.isEmpty ? world.answerCall() : world.answerMeasure()
        }
        world.calls.removeAll { !Self.isCreation($0) }
        world.answerCall(at: 0, .timeoutButHappened)
        world.answerCall(at: 0, .timeoutNotHappened)
        world.edit(ItemWorld.scaledJob(annotations: [:]))
        let asked = world.calls.filter {
            if case .lookUpJob = $0 { true } else { false }
        }
        #expect(asked.count == 2)
        #expect(!world.calls.contains(where: Self.isCreation))
        world.unseen = []
        world.settle()
        for _ in 0..<3 {
            world.advance(.seconds(10))
            world.settle()
        }
        #expect(world.unfinished.count == 2)
        #expect(world.jobs.values.map(\.key).sorted().first == "")
    }

    private static func isCreation(_ action: ControllerAction) -> Bool {
        if case .createJob = action { true } else { false }
    }

    // MARK: - What cannot work

    @Test func aTriggerThatCannotNameItsItemsIsAFault() {
        let world = self.started(ItemWorld.scaledJob(type: "plain"))
        #expect(world.measures.isEmpty)
        #expect(world.decision.contains("\"plain\" does not name its items"), "\(world.decision)")
    }

    @Test(
        arguments: [
            ("metadata.annotations.sluice.dev/one-job-per-item", "yes", nil, [:]),
            ("metadata.annotations.sluice.dev/item-attempts", "true", "0", [:]),
            ("metadata.annotations.sluice.dev/item-attempts", "true", "many", [:]),
            ("metadata.annotations.sluice.dev/item-attempts", "false", "101", [:]),
            ("spec.triggers", "true", nil, ["triggers": [["type": "counter"], ["type": "counter"]]]),
            ("spec.minReplicaCount", "true", nil, ["minReplicaCount": 1]),
            (
                "spec.jobTargetRef.ttlSecondsAfterFinished", "true", nil,
                [
                    "jobTargetRef": [
                        "ttlSecondsAfterFinished": 60,
                        "template": ["spec": ["containers": [["name": "a", "image": "a"]]]],
                    ]
                ]
            ),
        ] as [(String, String, String?, JSONValue)]
    )
    func whatDoesNotGoTogetherIsNamedWithItsMend(field: String, text: String, attempts: String?, extra: JSONValue) {
        var annotations = [ItemPolicy.annotation: text]
        annotations[ItemPolicy.attemptsAnnotation] = attempts
        let scaledJob = ItemWorld.scaledJob(annotations: annotations, extra: extra)
        guard
            case .failure(let invalid) = ScaledJobSpecification.parse(
                scaledJob.spec,
                annotations: scaledJob.metadata.annotations
            )
        else {
            Issue.record("\(field) was accepted")
            return
        }
        #expect(invalid.problems.map(\.field) == [field])
        let message = invalid.problems.first?.message ?? ""
        #expect(message.contains("write") || message.contains("leave"), "\(message)")
    }

    @Test func zeroAsAMinimumIsNoMinimum() {
        let scaledJob = ItemWorld.scaledJob(extra: ["minReplicaCount": 0])
        let parsed = ScaledJobSpecification.parse(scaledJob.spec, annotations: scaledJob.metadata.annotations)
        #expect((try? parsed.get())?.items == ItemPolicy(attempts: 3))
    }
}
