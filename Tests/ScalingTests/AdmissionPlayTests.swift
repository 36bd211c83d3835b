import Scaling
import Testing

/// The ledger plays against a model that counts everything anew at each step.
@Suite struct AdmissionPlayTests {
    static let resources = ["cpu", "nvidia.com/gpu"]

    @Test(arguments: 0..<60) func everyGrantIsWithinAllLimitsAndNoneIsWithheld(seed: Int) {
        var world = AdmissionWorld(seed: UInt64(seed))
        let uids = (0..<12).map { "s\($0)" }
        for uid in uids { world.add(uid, Self.claim(&world.random), backlog: 0, duration: 1...1) }
        for _ in 0..<400 {
            self.change(&world, uids)
            while let uid = world.ledger.next(now: world.now) {
                let broken = world.broken(by: uid)
                #expect(broken == nil, "\(uid) was granted a Job that breaks \(broken ?? "")")
                let person = world.people[uid]
                #expect(person?.isReady == true && person?.backlog ?? 0 > 0)
                #expect(world.grant(atMost: 1) == [uid])
                if broken != nil { return }
            }
            for uid in uids {
                guard let person = world.people[uid], person.backlog > 0, person.isReady else {
                    continue
                }
                let wait = world.ledger.wait(of: uid)
                #expect(wait != nil, "\(uid) waits and nobody says for what")
                guard world.broken(by: uid) == nil else { continue }
                // Held for a larger one is the only reason to keep what is free.
                #expect(wait?.cause == .held, "\(uid) could have its Job: \(wait?.sentence ?? "")")
            }
            for scope in world.limits.keys {
                let standing = world.ledger.standing(of: scope)
                #expect(standing.limits == world.limits(of: scope))
                #expect(standing.inUse == world.use(of: scope))
            }
        }
    }

    /// One thing that can happen.
    private func change(_ world: inout AdmissionWorld, _ uids: [String]) {
        let uid = uids.randomElement(using: &world.random) ?? ""
        switch Int.random(in: 0..<12, using: &world.random) {
        case 0:
            let scope = Self.scope(&world.random)
            world.limit(scope, Bool.random(using: &world.random) ? nil : Self.limits(&world.random))
        case 1:
            world.claim(uid, Self.claim(&world.random))
            world.tell(uid)
        case 2: world.people[uid]?.isReady.toggle()
        case 3: world.startBatch(uid)
        case 4: world.people[uid]?.backlog = 0
        case 5, 6: world.people[uid]?.backlog += Int.random(in: 1...5, using: &world.random)
        case 7: world.people[uid]?.finished = 0
        case 8: world.advance(to: world.now + .seconds(Double.random(in: 0...90, using: &world.random)))
        default:
            for _ in 0..<3 where !world.jobs.isEmpty {
                world.finish(Int.random(in: 0..<world.jobs.count, using: &world.random))
            }
        }
        world.tell(uid)
    }

    private static func scope(_ random: inout SplitMix) -> AdmissionScope {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: .host
        case 1: .namespace("n0")
        case 2: .namespace("n1")
        default: .budget("b\(Int.random(in: 0..<3, using: &random))")
        }
    }

    private static func limits(_ random: inout SplitMix) -> AdmissionLimits {
        var limits = AdmissionLimits()
        if Bool.random(using: &random) { limits.runningJobs = Int.random(in: 0...6, using: &random) }
        if Int.random(in: 0..<4, using: &random) == 0 { limits.jobObjects = Int.random(in: 0...20, using: &random) }
        if Int.random(in: 0..<4, using: &random) == 0 { limits.jobsPerBatch = Int.random(in: 0...4, using: &random) }
        for name in Self.resources where Bool.random(using: &random) {
            limits.resources[name] = Int128(Int.random(in: 0...8000, using: &random))
        }
        return limits
    }

    private static func claim(_ random: inout SplitMix) -> AdmissionClaim {
        var claim = AdmissionClaim(namespace: "n\(Int.random(in: 0..<2, using: &random))")
        for budget in 0..<3 where Bool.random(using: &random) { claim.budgets.append("b\(budget)") }
        claim.priority = Int.random(in: 0..<3, using: &random)
        claim.weight = Double.random(in: 0.5...3, using: &random)
        if Bool.random(using: &random) {
            claim.group = AdmissionClaim.Group(budget: "b0", name: "g\(Int.random(in: 0..<2, using: &random))")
        }
        for name in Self.resources where Bool.random(using: &random) {
            claim.cost[name] = Int128(Int.random(in: 100...4000, using: &random))
        }
        if Int.random(in: 0..<3, using: &random) == 0 { claim.limits = Self.limits(&random) }
        return claim
    }
}
