/// How much goes wrong in one run, drawn once from its seed: some runs are calm, some wild.
struct Weather {
    /// How likely each fault is, where its occasion comes.
    private var likelihood: [Fault: Double] = [:]
    /// Seconds between two occasions of each kind.
    var pauseOfUsers = 15.0
    var pauseOfHosts = 28.0
    var pauseOfPlugins = 25.0
    var pauseOfServer = 30.0
    /// Creations are mostly late until then.
    var stormUntil: ContinuousClock.Instant?
    /// From now on nothing goes wrong.
    var isOver = false

    init(_ dice: inout Dice) {
        let strength: Double = dice.pick([0.15, 0.4, 0.7, 1.0, 1.0]) ?? 1.0
        for fault in Fault.allCases {
            // Some faults are left out, so that others show what they do alone.
            self.likelihood[fault] = dice.chance(0.25) ? 0 : strength * (0.3 + 0.7 * dice.fraction())
        }
        self.pauseOfUsers /= 0.3 + strength
        self.pauseOfHosts /= 0.3 + strength
        self.pauseOfPlugins /= 0.3 + strength
        self.pauseOfServer /= 0.3 + strength
    }

    func chance(of fault: Fault, _ share: Double = 1) -> Double {
        self.isOver ? 0 : (self.likelihood[fault] ?? 0) * share
    }
}
