import Controller
import Kubernetes
import Scaling
import Testing

/// Random play: whatever fails and whatever is shown late, no unfinished Job is deleted, and in the end what is kept is what
/// the rules say.
@Suite struct FinishedJobRandomTests {
    private struct Rules {
        var succeeded: Int64 = 0
        var failed: Int64 = 0
        var age: Int64?
    }

    private struct Play {
        var world: FinishedJobWorld
        var rules: [String: Rules] = [:]
        var random: SystemOrSeededGenerator
        let most: Int?
        var next = 0

        init(seed: UInt64) {
            self.random = SystemOrSeededGenerator(seed: seed)
            var settings = CleaningSettings()
            self.most = seed % 3 == 0 ? 12 : nil
            settings.most = self.most
            if seed % 5 == 0 { settings.pace = .atMost(perSecond: 5) }
            self.world = FinishedJobWorld(settings, seed: seed)
            for owner in ["a", "b", "c"] { self.edit(owner) }
            self.world.start()
        }

        mutating func edit(_ owner: String) {
            let rules = Rules(
                succeeded: Int64.random(in: 0...8, using: &self.random),
                failed: Int64.random(in: 0...4, using: &self.random),
                age: Bool.random(using: &self.random) ? Int64.random(in: 1...300, using: &self.random) : nil
            )
            self.rules[owner] = rules
            var annotations = rules.age.map { ["sluice.dev/finished-jobs-max-age": "\($0)s"] } ?? [:]
            if Bool.random(using: &self.random) { annotations["autoscaling.keda.sh/paused"] = "true" }
            self.world.apply(owner, succeeded: rules.succeeded, failed: rules.failed, annotations: annotations)
        }

        mutating func step() {
            switch Int.random(in: 0..<16, using: &self.random) {
            case 0..<3:
                self.next += 1
                let owner = ["a", "b", "c"].randomElement(using: &self.random) ?? "a"
                var job = FinishedJobWorld.WorldJob(owner: owner)
                if Int.random(in: 0..<5, using: &self.random) == 0 {
                    job.timeToLive = Int32.random(in: 0...200, using: &self.random)
                }
                self.world.set("j\(self.next)", job)
            case 3..<6:
                let running = self.world.jobs.filter { $0.value.phase == .unfinished }.keys.sorted()
                guard let name = running.randomElement(using: &self.random), var job = self.world.jobs[name] else {
                    return
                }
                let at = self.world.unixSeconds - Int64.random(in: -5...20, using: &self.random)
                job.phase = Bool.random(using: &self.random) ? .succeeded(at: at) : .failed(at: at)
                self.world.set(name, job)
            case 6..<9: self.world.showNext()
            case 9..<12:
                guard !self.world.calls.isEmpty else { return }
                let fate = FinishedJobWorld.Fate.allCases.randomElement(using: &self.random) ?? .done
                self.world.answer(at: Int.random(in: 0..<self.world.calls.count, using: &self.random), fate)
            case 12:
                let name = self.world.jobs.keys.sorted().randomElement(using: &self.random)
                if let name { self.world.vanish(name) }
            case 13: self.edit(["a", "b", "c"].randomElement(using: &self.random) ?? "a")
            case 14:
                if Int.random(in: 0..<4, using: &self.random) == 0 { self.world.relist() }
            default:
                let seconds = Int64.random(in: 0...20, using: &self.random)
                self.world.now += .seconds(seconds)
                self.world.unixSeconds += seconds
                self.world.take(.tick)
            }
        }

        /// Jobs that the rules delete, of those that are left.
        var excess: [String] {
            let now = self.world.unixSeconds
            var kept: [FinishedJob] = []
            var excess: [String] = []
            for (owner, rules) in self.rules {
                let finished = self.world.jobs.filter { $0.value.owner == owner }
                    .compactMap { FinishedJob(FinishedJobWorld.summary($0.key, $0.value).observed) }.sorted()
                let isExpired = { (job: FinishedJob) in
                    if let timeToLive = job.timeToLive { return job.endedAt + Int64(timeToLive) + 5 <= now }
                    return rules.age.map { job.endedAt + $0 <= now } ?? false
                }
                excess += finished.filter(isExpired).map(\.name)
                for (outcome, limit) in [(FinishedJob.Outcome.succeeded, rules.succeeded), (.failed, rules.failed)] {
                    let young = finished.filter { $0.outcome == outcome && !isExpired($0) }
                    excess += young.dropLast(Int(limit)).map(\.name)
                    kept += young.suffix(Int(limit))
                }
            }
            return excess + kept.sorted().dropLast(self.most ?? .max).map(\.name)
        }
    }

    @Test(arguments: 0..<60)
    func inTheEndWhatIsKeptIsWhatTheRulesSay(seed: UInt64) {
        var play = Play(seed: seed)
        for _ in 0..<400 { play.step() }
        #expect(play.world.offences == [], "seed \(seed)")
        let before = play.world.jobs
        play.world.pass(.seconds(400))
        #expect(play.world.offences == [], "seed \(seed)")
        #expect(play.excess == [], "seed \(seed)")
        for (name, job) in before where job.phase == .unfinished {
            #expect(play.world.jobs[name] != nil, "seed \(seed): \(name)")
        }
    }

    /// Without edits, losses and disorder by hand exactly the Jobs that the rules keep are left.
    @Test(arguments: 0..<30)
    func nothingIsDeletedThatTheRulesKeep(seed: UInt64) {
        var random = SystemOrSeededGenerator(seed: seed)
        var world = FinishedJobWorld(seed: seed)
        let limits = (
            succeeded: Int64.random(in: 0...20, using: &random), failed: Int64.random(in: 0...20, using: &random)
        )
        world.apply("a", succeeded: limits.succeeded, failed: limits.failed)
        world.start()
        var names: [(name: String, at: Int64, failed: Bool)] = []
        for number in 0..<80 {
            names.append(("j\(number)", 1_000 + Int64.random(in: 0...60, using: &random), Bool.random(using: &random)))
        }
        for (name, at, failed) in names.shuffled(using: &random) {
            world.set(name, .init(owner: "a", phase: failed ? .failed(at: at) : .succeeded(at: at)))
            while Bool.random(using: &random) {
                if Bool.random(using: &random) { world.showNext() } else if !world.calls.isEmpty { world.answer(.done) }
            }
        }
        world.settle()
        let wanted = [(false, limits.succeeded), (true, limits.failed)].flatMap { failed, limit in
            names.filter { $0.failed == failed }.sorted { ($0.at, $0.name) < ($1.at, $1.name) }
                .suffix(Int(limit)).map(\.name)
        }
        #expect(world.names(of: "a") == wanted.sorted())
    }
}
