import Scaling

/// Measures one release and the grant that follows it, with 10,000 ScaledJobs of which half want Jobs all the time.
@main
struct LedgerBench {
    static let people = 10_000
    static let rounds = 100_000

    static func main() {
        for scene in Scene.allCases {
            var floor = Floor(scene)
            print("\(scene.rawValue): \(floor.filled) Jobs granted at the start, \(floor.filling) each")
            var figures: [Duration] = []
            figures.reserveCapacity(self.rounds)
            for _ in 0..<self.rounds { figures.append(floor.turn()) }
            figures.sort()
            let mean = figures.reduce(.zero, +) / self.rounds
            let (p50, p99, worst) = (
                figures[self.rounds / 2], figures[self.rounds * 99 / 100], figures[self.rounds - 1]
            )
            print("  release and grant: mean \(mean), p50 \(p50), p99 \(p99), worst \(worst)")
        }
    }
}

enum Scene: String, CaseIterable {
    case oneBudget = "one budget of 2,000 Jobs"
    case many = "20 budgets, 100 namespaces, the host, cores and GPUs, groups and priorities"
}

/// Running Jobs and a ledger that is full of them.
struct Floor {
    var ledger = AdmissionLedger()
    var now = ContinuousClock.now
    var running: [Int] = []
    var use: [AdmissionUse]
    let cost: [ResourceAmounts]
    var random: UInt64 = 88_172_645_463_325_252
    private(set) var filled = 0
    private(set) var filling = Duration.zero

    init(_ scene: Scene) {
        var cost: [ResourceAmounts] = []
        switch scene {
        case .oneBudget: self.ledger.setLimits(AdmissionLimits(runningJobs: 2000), of: .budget("b0"))
        case .many:
            self.ledger.setLimits(AdmissionLimits(runningJobs: 3000), of: .host)
            for budget in 0..<20 {
                let limits = AdmissionLimits(
                    runningJobs: 160,
                    resources: ["cpu": 300_000, "nvidia.com/gpu": 64_000]
                )
                self.ledger.setLimits(limits, of: .budget("b\(budget)"))
            }
            for name in 0..<100 {
                self.ledger.setLimits(AdmissionLimits(runningJobs: 40), of: .namespace("n\(name)"))
            }
        }
        for index in 0..<LedgerBench.people {
            var claim = AdmissionClaim(namespace: "n\(index % 100)", budgets: ["b0"], weight: Double(1 + index % 3))
            if scene == .many {
                claim.budgets = ["b\(index % 20)"]
                claim.priority = index % 7 == 0 ? 1 : 0
                claim.cost["cpu"] = Int128(500 * (1 + index % 8))
                if index % 5 == 0 { claim.cost["nvidia.com/gpu"] = 1000 }
                if index % 3 == 0 {
                    claim.group = .init(budget: "b\(index % 20)", name: "g\(index % 4)")
                }
            }
            cost.append(claim.cost)
            self.ledger.setClaim(claim, of: "s\(index)")
        }
        self.cost = cost
        self.use = Array(repeating: AdmissionUse(), count: LedgerBench.people)
        let clock = ContinuousClock()
        for index in stride(from: 0, to: LedgerBench.people, by: 2) {
            self.ledger.setDemand(of: "s\(index)", namespace: "n\(index % 100)", jobs: 50, isReady: true, now: self.now)
        }
        let time = clock.measure { self.grant() }
        self.filled = self.running.count
        self.filling = time / Swift.max(1, self.filled)
    }

    /// One Job ends, and what may follow is granted.
    mutating func turn() -> Duration {
        self.random ^= self.random << 13
        self.random ^= self.random >> 7
        self.random ^= self.random << 17
        self.now += .milliseconds(5)
        let index = Int(self.random % UInt64(self.running.count))
        let owner = self.running[index]
        self.running[index] = self.running[self.running.count - 1]
        self.running.removeLast()
        self.use[owner] -= AdmissionUse(jobs: 1, objects: 1, resources: self.cost[owner])
        let clock = ContinuousClock()
        return clock.measure {
            self.ledger.setUse(of: "s\(owner)", namespace: "n\(owner % 100)", self.use[owner], now: self.now)
            self.grant()
        }
    }

    private mutating func grant() {
        while let uid = self.ledger.next(now: self.now) {
            guard let owner = Int(uid.dropFirst()) else { return }
            self.ledger.take(uid, now: self.now)
            self.use[owner] += AdmissionUse(jobs: 1, objects: 1, resources: self.cost[owner])
            self.running.append(owner)
            self.ledger.setUse(of: uid, namespace: "n\(owner % 100)", self.use[owner], now: self.now)
        }
    }
}
