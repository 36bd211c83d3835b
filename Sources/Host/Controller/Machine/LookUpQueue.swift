import DequeModule

/// Jobs to look for, each at most once, with the turns of their ScaledJobs.
struct LookUpQueue: Sendable {
    private var jobs: [String: Deque<JobReference>] = [:]
    private var waiting: Set<JobReference> = []
    private var turns = TurnQueue()

    mutating func add(_ job: JobReference) {
        guard self.waiting.insert(job).inserted else { return }
        self.jobs[job.owner, default: []].append(job)
        self.turns.add(job.owner)
    }

    mutating func next() -> JobReference? {
        guard let owner = self.turns.next(), let job = self.jobs[owner]?.popFirst() else { return nil }
        self.waiting.remove(job)
        if self.jobs[owner]?.isEmpty == true { self.jobs[owner] = nil } else { self.turns.add(owner) }
        return job
    }
}
