import Scaling
import Testing

/// Who has how much in the long run.
@Suite struct AdmissionShareTests {
    @Test func oneSlotIsSharedThreeToTwo() {
        var world = AdmissionWorld()
        world.limit(.budget("b"), AdmissionLimits(runningJobs: 1))
        world.add("a", Self.claim(weight: 3))
        world.add("b", Self.claim(weight: 2))
        world.run(3000)
        #expect(Self.worst(world.shares()) < 0.05)
        // Within any five turns each has its own.
        for begin in stride(from: 20, to: world.grants.count - 5, by: 5) {
            let turns = world.grants[begin..<begin + 5].count { $0.uid == "a" }
            #expect((2...4).contains(turns))
        }
    }

    @Test(arguments: [1.0...1.0, 5.0...60.0, 600.0...600.0, 20.0...1200.0])
    func fiftyShareAHundredByWeight(duration: ClosedRange<Double>) {
        var world = AdmissionWorld(seed: 7)
        world.limit(.budget("b"), AdmissionLimits(runningJobs: 100))
        for index in 0..<50 { world.add("s\(index)", Self.claim(weight: Double(1 + index % 3)), duration: duration) }
        world.run(duration.upperBound * 4)
        world.forgetTime()
        world.run(duration.upperBound * 40) { world in
            #expect(world.use(of: .budget("b")).jobs == 100)
        }
        #expect(Self.worst(world.shares()) < 0.05)
    }

    @Test func whoseJobsAreLongHasFewerOfThem() {
        var world = AdmissionWorld(seed: 3)
        world.limit(.budget("b"), AdmissionLimits(runningJobs: 10))
        world.add("short", Self.claim(), duration: 5...15)
        world.add("long", Self.claim(), duration: 100...300)
        world.run(20_000)
        #expect(Self.worst(world.shares()) < 0.05)
    }

    @Test func whatJobsRequestIsShared() {
        var world = AdmissionWorld(seed: 5)
        let limits = AdmissionLimits(resources: ["cpu": 32_000, "nvidia.com/gpu": 8_000])
        world.limit(.budget("b"), limits)
        // The dominant resource of one is cpu, of the other the GPUs.
        world.add("cpu", Self.claim(cost: ["cpu": 2000]), duration: 10...30)
        world.add("gpu", Self.claim(cost: ["cpu": 2000, "nvidia.com/gpu": 1000]), duration: 10...30)
        world.run(200)
        world.forgetTime()
        world.run(10_000)
        // A Job of one takes a sixteenth of the cores, of the other an eighth of the GPUs, and both the same cores.
        let shares = world.shares { $0.claim.cost["nvidia.com/gpu"] == 0 ? 2 : 1 }
        #expect(Self.worst(shares) < 0.05, "\(shares)")
    }

    @Test func groupsShareBeforeTheirMembersDo() {
        var world = AdmissionWorld(seed: 11)
        world.limit(.budget("b"), AdmissionLimits(runningJobs: 20))
        for index in 0..<2 { world.add("a\(index)", Self.claim(group: "red", groupWeight: 3), duration: 5...20) }
        for index in 0..<10 { world.add("b\(index)", Self.claim(group: "blue", groupWeight: 1), duration: 5...20) }
        world.run(200)
        world.forgetTime()
        world.run(8000)
        let shares = world.shares { $0.claim.group?.name == "red" ? 3.0 / 2 : 1.0 / 10 }
        #expect(Self.worst(shares) < 0.05, "\(shares)")
    }

    @Test func oneWithoutAGroupSharesBesideGroups() {
        var world = AdmissionWorld(seed: 12)
        world.limit(.host, AdmissionLimits(runningJobs: 9))
        world.add("alone", Self.claim(weight: 1), duration: 5...20)
        for index in 0..<4 { world.add("b\(index)", Self.claim(group: "blue", groupWeight: 2), duration: 5...20) }
        world.run(8000)
        let shares = world.shares { $0.claim.group == nil ? 1 : 2.0 / 4 }
        #expect(Self.worst(shares) < 0.05, "\(shares)")
    }

    @Test func whatSomeDoNotWantIsSharedByTheOthers() {
        var world = AdmissionWorld(seed: 13)
        world.limit(.host, AdmissionLimits(runningJobs: 12))
        world.add("modest", Self.claim(limits: AdmissionLimits(runningJobs: 2)), duration: 5...20)
        world.add("a", Self.claim(), duration: 5...20)
        world.add("b", Self.claim(), duration: 5...20)
        world.run(8000)
        let shares = world.shares { $0.claim.limits.runningJobs == nil ? 5 : 2 }
        #expect(Self.worst(shares) < 0.05, "\(shares)")
    }

    @Test func aNewcomerHasTheNextSlotAndNoMoreThanItsShare() {
        var world = AdmissionWorld(seed: 17)
        world.limit(.budget("b"), AdmissionLimits(runningJobs: 100))
        world.add("large", Self.claim(), duration: 300...900)
        world.run(2000)
        world.add("small", Self.claim(), duration: 300...900)
        #expect(world.grant() == [])
        var mostSmall = 0
        let before = world.grants.count
        world.run(6000) { world in mostSmall = Swift.max(mostSmall, world.people["small"]?.running ?? 0) }
        #expect(world.grants[before].uid == "small")
        // It may be made up for the time when it had too little, but does not push the other out.
        #expect(mostSmall <= 75)
        world.forgetTime()
        world.run(6000)
        #expect(Self.worst(world.shares()) < 0.1)
    }

    @Test func nobodySavesUpWhileItWantsNothing() {
        var world = AdmissionWorld(seed: 19)
        world.limit(.host, AdmissionLimits(runningJobs: 4))
        world.add("busy", Self.claim(), duration: 5...15)
        world.add("idle", Self.claim(), backlog: 0, duration: 5...15)
        world.run(5000)
        world.people["idle"]?.backlog = 1_000_000
        world.tell("idle")
        world.forgetTime()
        world.run(300)
        #expect(Self.worst(world.shares()) < 0.15)
    }

    // MARK: - Priority

    @Test func higherPriorityComesFirst() {
        var world = AdmissionWorld()
        world.limit(.host, AdmissionLimits(runningJobs: 4))
        world.add("low", Self.claim(priority: 1), duration: 10...10)
        world.add("high", Self.claim(priority: 2), duration: 10...10)
        world.run(250)
        #expect(world.people["low"]?.grants == 0)
    }

    @Test func nobodyWaitsForEver() {
        var world = AdmissionWorld()
        world.limit(.host, AdmissionLimits(runningJobs: 1))
        for index in 0..<3 { world.add("low\(index)", Self.claim(priority: 0), duration: 10...10) }
        world.add("high", Self.claim(priority: 2), duration: 10...10)
        world.run(3600)
        for index in 0..<3 {
            let turns = world.grants.filter { $0.uid == "low\(index)" }.map(\.at)
            let waits = zip([0] + turns, turns + [3600]).map { $1 - $0 }
            // Five minutes, and the turns of those that waited as long, each after three others.
            #expect(waits.max() ?? .infinity <= 300 + 4 * 3 * 10)
        }
        // Priority still means something.
        #expect(world.people["high"]?.grants ?? 0 > 240)
    }

    @Test func priorityKeepsMostTurnsHoweverLongJobsAre() {
        var world = AdmissionWorld()
        world.limit(.host, AdmissionLimits(runningJobs: 2))
        for index in 0..<20 { world.add("low\(index)", Self.claim(priority: 0), duration: 600...600) }
        world.add("high", Self.claim(priority: 1), duration: 600...600)
        world.run(200_000)
        let turns = world.grants.count { $0.uid == "high" }
        #expect(turns * 4 >= world.grants.count * 3 - 4)
        #expect(turns < world.grants.count)
    }

    // MARK: - Parts

    static func claim(
        weight: Double = 1,
        priority: Int = 0,
        group: String? = nil,
        groupWeight: Double = 1,
        cost: [String: Int128] = [:],
        limits: AdmissionLimits = AdmissionLimits()
    ) -> AdmissionClaim {
        AdmissionClaim(
            namespace: "n",
            budgets: ["b"],
            priority: priority,
            weight: weight,
            group: group.map { AdmissionClaim.Group(budget: "b", name: $0) },
            groupWeight: groupWeight,
            cost: ResourceAmounts(thousandths: cost),
            limits: limits
        )
    }

    /// How far the one is from its share that is furthest.
    static func worst(_ shares: [String: Double]) -> Double {
        shares.values.map { abs($0 - 1) }.max() ?? 1
    }
}
