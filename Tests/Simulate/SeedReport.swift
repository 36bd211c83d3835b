import Simulation

/// What came of many runs.
struct SeedReport {
    private(set) var violations: [UInt64: String] = [:]
    private(set) var hashes: [UInt64: UInt64] = [:]
    private var runs = 0
    private var steps = 0
    private var createdJobs = 0
    private var deletedJobs = 0
    private var documents = 0
    private var faults: [Fault: Int] = [:]

    mutating func add(_ outcome: Simulation.Outcome) {
        self.runs += 1
        self.steps += outcome.steps
        self.createdJobs += outcome.createdJobs
        self.deletedJobs += outcome.deletedJobs
        self.documents += outcome.finishedDocuments
        self.faults.merge(outcome.faults, uniquingKeysWith: +)
        self.violations[outcome.seed] = outcome.violation
        self.hashes[outcome.seed] = outcome.hash
    }

    func print(after time: Duration) {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        let pace = Int(Double(self.runs) / Swift.max(seconds, 0.001))
        Swift.print(
            "\(self.runs) runs in \(Int(seconds.rounded(.up))) s (\(pace) a second), \(self.steps) steps, "
                + "\(self.createdJobs) Jobs created, \(self.deletedJobs) deleted, \(self.documents) documents finished, "
                + "\(self.violations.count) runs that broke a rule"
        )
        for fault in Fault.allCases { Swift.print("fault \(fault.rawValue) \(self.faults[fault] ?? 0)") }
    }
}
