import Controller
import Kubernetes
import PluginHost
import Testing

/// Plays one Job per item with crashing hosts, failing Jobs and clean-up that keeps nothing.
@Suite struct ItemRandomTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func noItemTwiceNoneTooOftenNoneForgotten(seed: UInt64) {
        var random = SystemOrSeededGenerator(seed: seed)
        let attempts = Int.random(in: 1...4, using: &random)
        let maximum = Int.random(in: 1...6, using: &random)
        var annotations = [ItemPolicy.annotation: "true"]
        annotations[ItemPolicy.attemptsAnnotation] = "\(attempts)"
        let scaledJob = ItemWorld.scaledJob(
            maximum: maximum,
            keep: Int64.random(in: 0...2, using: &random),
            annotations: annotations
        )
        var world = ItemWorld(seed: seed, scaledJob: scaledJob, attempts: attempts)
        world.start()
        for step in 0..<500 {
            self.step(&world, &random)
            #expect(world.offences == [], "seed \(seed) step \(step)")
            if !world.offences.isEmpty { return }
        }
        // From here on the world behaves, and everything must come to its end.
        world.relist()
        world.open()
        world.workOff(&random)
        #expect(world.offences == [], "seed \(seed)")
        // A creation that arrives after the next host has listed is not among those that it counts.
        #expect(world.mostUnfinished <= maximum + world.strayJobs, "seed \(seed)")
        #expect(world.unfinished == [], "seed \(seed)")
        let told = world.events.filter { $0.reason == .itemFailed }.map(\.note)
        for number in world.waiting {
            let key = "doc-\(number)"
            #expect(world.natures[number] != .good, "seed \(seed): \(key) is stuck")
            #expect(world.created[key] == attempts, "seed \(seed): \(key)")
            #expect(told.contains { $0.contains("\"\(key)\"") }, "seed \(seed): \(key) is not told")
        }
        for (number, nature) in world.natures where nature == .good {
            #expect(world.succeeded["doc-\(number)"] == 1, "seed \(seed): doc-\(number)")
        }
        #expect(world.machine.metrics().scaledJobs.first?.exhaustedItems == world.waiting.count, "seed \(seed)")
    }

    private func step(_ world: inout ItemWorld, _ random: inout SystemOrSeededGenerator) {
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1:
            // At most as many that stay as budgets of Events tell of one by one.
            guard world.natures.count < 24 else { return }
            let natures: [ItemWorld.Nature] = [.good, .good, .good, .flaky, .alwaysFails, .finishesInVain]
            world.insert(natures.randomElement(using: &random) ?? .good)
        case 2: world.take(.plugin(.changed(ItemWorld.trigger)))
        case 3, 4, 5, 6:
            guard !world.calls.isEmpty else { return }
            let fault: ModelCluster.Fault =
                Int.random(in: 0..<4, using: &random) == 0
                ? ModelCluster.Fault.allCases.randomElement(using: &random) ?? .none : .none
            world.answerCall(at: Int.random(in: 0..<world.calls.count, using: &random), fault)
        case 7, 8, 9: world.showNext()
        case 10, 11:
            guard let name = world.unfinished.randomElement(using: &random) else { return }
            world.finish(name, &random)
        case 12:
            guard !world.measures.isEmpty else { return }
            world.countForMeasure(at: Int.random(in: 0..<world.measures.count, using: &random))
        case 13, 14:
            guard !world.measures.isEmpty else { return }
            let index = Int.random(in: 0..<world.measures.count, using: &random)
            world.answerMeasure(at: index, fails: Int.random(in: 0..<6, using: &random) == 0)
        case 15, 16: world.advance(.milliseconds(Int.random(in: 1...6_000, using: &random)))
        case 17: if !world.strays.isEmpty { world.arriveStray() }
        case 18: if Int.random(in: 0..<5, using: &random) == 0 { world.relist() }
        default: if Int.random(in: 0..<6, using: &random) == 0 { world.replaceHost(&random) }
        }
    }
}
