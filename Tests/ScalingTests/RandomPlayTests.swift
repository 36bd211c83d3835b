import Scaling
import Testing

/// A million situations, decided by the policy and by a plain model of the formulas that existing manifests rely on.
///
/// One part after the other, with pauses: tests that measure time run beside it.
@Suite(.serialized) struct RandomPlayTests {
    static let cases = 1_000_000
    static let parts = 8
    /// Another one each time; a failure names it.
    static let seed = UInt64.random(in: 0...UInt64.max)

    @Test(arguments: 0..<parts) func thePolicyAgreesWithThePlainModel(part: Int) async {
        let seed = Self.seed &+ UInt64(part)
        print("random play, part \(part): seed \(seed)")
        var dice = Dice(seed: seed)
        var decided = 0
        for number in 0..<(Self.cases / Self.parts) {
            let situation = PlainSituation(&dice)
            let complaint = situation.complaint(&dice)
            decided += 1
            if number % 500 == 0 { await Task.yield() }
            if let complaint {
                Issue.record("seed \(seed), case \(number): \(complaint) \(situation)")
                return
            }
        }
        #expect(decided == Self.cases / Self.parts)
    }
}

/// Small random numbers, cheap enough for a million cases in a debug build.
struct Dice {
    private var state: UInt64
    private var bits: UInt64 = 0
    private var left = 0

    init(seed: UInt64) { self.state = seed | 1 }

    /// A number below a power of two.
    mutating func bits(_ count: Int) -> Int {
        if self.left < count {
            self.state ^= self.state &<< 13
            self.state ^= self.state &>> 7
            self.state ^= self.state &<< 17
            self.bits = self.state &* 0x2545_f491_4f6c_dd1d
            self.left = 64
        }
        let value = Int(truncatingIfNeeded: self.bits & ((1 &<< UInt64(count)) &- 1))
        self.bits &>>= UInt64(count)
        self.left &-= count
        return value
    }
}

/// A situation as plain numbers, and the plain model of its decision.
struct PlainSituation {
    /// Queue length, target, active; nil when the reading failed.
    var triggers: [(queue: Double, target: Double, active: Bool)?]
    var mode: Int
    var minimum: Int?
    var maximum: Int?
    var strategy: Int
    var deduction: Int
    var percentage: Double
    var running: Int
    var pending: Int

    static let modes: [BacklogCombination] = [.max, .min, .avg, .sum]
    static let targets = [1.0, 1.0, 2.0, 5.0, 0.5, 3.0, 0.25, 0.0]
    static let queues = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 12.25, 0.5, 50.0, 99.0, 100.0, 1000.0, 1e7, 0.125]
    static let percentages = [0.0, 0.5, 1.0, 1.5, 0.33, -0.5, 2.0, 1e300]
    static let moment = ContinuousClock.now

    init(_ dice: inout Dice) {
        self.triggers = []
        var count = dice.bits(2)
        while count > 0 {
            count -= 1
            if dice.bits(4) == 0 {
                self.triggers.append(nil)
            } else {
                let queue = Self.queues[dice.bits(4)]
                self.triggers.append((queue, Self.targets[dice.bits(3)], dice.bits(2) != 0))
            }
        }
        self.mode = dice.bits(2)
        self.minimum = dice.bits(1) == 0 ? nil : dice.bits(4)
        self.maximum = dice.bits(2) == 0 ? nil : dice.bits(4) + 1
        self.strategy = dice.bits(2)
        self.deduction = dice.bits(3) - 3
        self.percentage = Self.percentages[dice.bits(3)]
        self.running = dice.bits(5)
        self.pending = Swift.min(self.running, dice.bits(3))
    }

    /// What the policy gets wrong; nil when it agrees with the model.
    func complaint(_ dice: inout Dice) -> String? {
        let wanted = self.model()
        let decision = self.decide(dice: nil)
        if decision.create != wanted.create { return "create \(decision.create), not \(wanted.create):" }
        if decision.isActive != wanted.active { return "active differs:" }
        if let numbers = wanted.numbers {
            guard let found = decision.numbers else { return "no numbers:" }
            if found.queueLength != numbers.queue || found.maxScale != numbers.maxScale { return "numbers differ:" }
            if found.effectiveMaxScale != numbers.effective { return "effective differs:" }
        } else if decision.numbers != nil {
            return "numbers of what is not known:"
        }
        // The same reading a little later: Jobs have started, finished and come since. Never more than fresh.
        let later = self.decide(dice: Later(&dice))
        if later.create > decision.create { return "an old reading creates \(later.create):" }
        return nil
    }

    /// What has happened since the reading was asked for.
    struct Later {
        let finished: Int
        let created: Int
        let started: Int

        init(_ dice: inout Dice) {
            self.finished = dice.bits(3)
            self.created = dice.bits(3)
            self.started = dice.bits(3)
        }
    }

    private func decide(dice later: Later?) -> ScalingDecision {
        let bounds = ReplicaBounds(minimum: self.minimum, maximum: self.maximum)
        var standings: [TriggerStanding] = []
        for trigger in self.triggers {
            if let trigger {
                let backlog = TriggerBacklog(waiting: trigger.queue, target: trigger.target, isActive: trigger.active)
                standings.append(.known(backlog, askedAt: Self.moment))
            } else {
                standings.append(.unknown("away"))
            }
        }
        let strategy: ScalingStrategy =
            switch self.strategy {
            case 0: .default
            case 1: .custom(deduction: self.deduction, percentage: self.percentage)
            case 2: .accurate
            default: .eager
            }
        let backlog = Self.modes[self.mode].combine(standings, demandCeiling: bounds.demandCeiling)
        var jobs = ScalingPolicy.Jobs(unfinished: self.running, pending: self.pending)
        if let later {
            jobs = ScalingPolicy.Jobs(
                unfinished: self.running,
                pending: self.pending,
                servedSinceReading: self.running + later.finished,
                createdSinceReading: later.created,
                pendingSinceReading: self.pending + later.started
            )
        }
        return ScalingPolicy(bounds: bounds, strategy: strategy).decide(backlog, jobs)
    }
}

extension PlainSituation {
    struct Answer {
        var active: Bool?
        var create: Int
        var numbers: (queue: Int, maxScale: Int, effective: Int)?
    }

    /// The well-known formulas, one after the other, and what is never done on top.
    func model() -> Answer {
        var low = 0
        if let minimum { low = minimum }
        var crossed = false
        if let minimum, let maximum, minimum > maximum { crossed = true }
        if crossed, let maximum { low = maximum }
        var high = 100
        if let maximum { high = crossed ? maximum : maximum - low }

        var queue = 0.0
        var worth = 0.0
        var active = false
        var counted = 0.0
        var known = 0
        for trigger in self.triggers {
            guard let trigger else { continue }
            known += 1
            guard trigger.active else { continue }
            counted += 1
            var share = trigger.target == 0 ? 0 : trigger.queue / trigger.target
            if share > Double(high) { share = Double(high) }
            if self.mode == 0 {
                guard trigger.queue > queue else { continue }
                queue = trigger.queue
                worth = share
            } else if self.mode == 1 {
                guard queue == 0 || trigger.queue < queue else { continue }
                queue = trigger.queue
                worth = share
            } else {
                queue += trigger.queue
                worth += share
            }
            active = true
        }
        if self.mode == 2, counted > 0 {
            queue /= counted
            worth /= counted
        }
        if worth > Double(high) { worth = Double(high) }
        let scaleTo = Int(queue.rounded(.up))
        let maxScale = Int(worth.rounded(.up))
        let isKnown = known > 0 && (known == self.triggers.count || self.mode == 0 || self.mode == 3)

        if self.running < low {
            let missing = low - self.running
            return Answer(active: true, create: missing, numbers: isKnown ? (scaleTo, maxScale, missing) : nil)
        }
        guard isKnown else { return Answer(active: low > 0 || active ? true : nil, create: 0, numbers: nil) }

        let beyond = self.running - low
        var effective = maxScale - beyond
        var batch = scaleTo
        if self.strategy == 1 {
            var less = Double(beyond) * self.percentage
            if less > 1e9 { less = 1e9 }
            effective = Swift.min(maxScale - self.deduction - Int(less), high)
        } else if self.strategy == 2 {
            effective = maxScale + beyond - self.pending > high ? high - beyond : maxScale - self.pending
        } else if self.strategy == 3 {
            effective = Swift.min(high - beyond - self.pending, maxScale)
            batch = high
        }
        if effective < 0 { effective = 0 }
        if low > 0 { active = true }
        // Never more unfinished Jobs than the maximum.
        let room = (self.maximum ?? 100 + low) - self.running
        var create = active ? Swift.min(batch, effective) : 0
        if create > room { create = room < 0 ? 0 : room }
        return Answer(active: active, create: create, numbers: (scaleTo, maxScale, effective))
    }
}
