import Kubernetes

/// One run: a world in trouble, then in peace, and what came of it.
package struct Simulation {
    /// What came of a run.
    package struct Outcome: Sendable {
        package let seed: UInt64
        /// The rule that was broken; nil where none was.
        package let violation: String?
        /// The same for the same run.
        package let hash: UInt64
        package let steps: Int
        /// How often each fault happened.
        package let faults: [Fault: Int]
        package let createdJobs: Int
        package let deletedJobs: Int
        package let finishedDocuments: Int
        /// The last steps in words, where the trace was kept.
        package let trace: [String]
    }

    private let seed: UInt64
    private let world: World

    package init(seed: UInt64, mutation: Mutation? = nil, keepsTrace: Bool = false) {
        self.seed = seed
        self.world = World(seed: seed, mutation: mutation, keepsTrace: keepsTrace)
    }

    package func run() -> Outcome {
        self.world.begin()
        self.world.run(for: self.world.dice.time(50, 130))
        self.world.makePeace()
        self.world.awaitPeace()
        return Outcome(
            seed: self.seed,
            violation: self.world.violation,
            hash: self.world.trace.hash,
            steps: self.world.steps,
            faults: self.world.faults,
            createdJobs: self.world.createdJobs,
            deletedJobs: self.world.deletedJobs,
            finishedDocuments: self.world.sources.values.reduce(0) { $0 + $1.finished },
            trace: self.world.trace.lines.suffix(Trace.longest)
        )
    }
}

extension World {
    /// Sets everything up, and sets it going.
    func begin() {
        for number in 0..<self.dice.number(1...3) {
            let key = ObjectKey(namespace: number == 2 ? "night" : "media", name: "scaled-\(number)")
            let types = self.dice.pick([["counter"], ["counter"], ["claims"], ["counter", "counter"]]) ?? []
            var plan = Plan(key: key, types: types)
            plan.most = self.dice.number(1...5)
            plan.interval = self.dice.number(2...10)
            plan.isImmediate = self.dice.chance(0.4)
            plan.hasFinalizer = self.dice.chance(0.2)
            if self.dice.chance(0.2) { plan.minimum = 1 }
            if types.count > 1 { plan.calculation = self.dice.pick([nil, "sum"]) ?? nil }
            if types == ["claims"] { plan.strategy = self.dice.pick([nil, "accurate", "eager"]) ?? nil }
            let saysInFlight = self.dice.chance(0.5)
            for (type, queue) in zip(types, plan.queues) {
                self.sources[queue] = Source(name: queue, type: type, saysInFlight: saysInFlight)
            }
            self.restoreLogin(of: plan)
            self.apply(plan)
        }
        for index in 0..<self.dice.number(1...3) {
            let host = Host(index: index)
            for type in Self.types { host.plugins[type] = PluginProcess() }
            self.hosts.append(host)
            self.schedule(after: self.dice.time(0, 3), "first start") { $0.boot(host) }
        }
        self.arrive()
        self.actAsSomebody()
        self.letHostsSuffer()
        self.letPluginsSuffer()
        self.letTheServerSuffer()
        self.rememberTheServer()
        if self.dice.chance(0.3) { self.brokenForGood = self.dice.pick(Self.types) }
    }
}
