/// Finished Jobs of one outcome, the oldest first.
///
/// Jobs finish in about the order in which they are deleted: most are added near the end and taken at the beginning, and
/// both are cheap. Anywhere else costs a search and a move of what is behind.
struct AgeOrder: Sendable {
    private var jobs: [FinishedJob] = []
    /// Places at the beginning whose Jobs were taken.
    private var taken = 0

    init(_ jobs: [FinishedJob] = []) { self.jobs = jobs.sorted() }

    var count: Int { self.jobs.count - self.taken }

    /// The Job that this many others are older than; nil beyond the end.
    subscript(index: Int) -> FinishedJob? {
        index < self.count ? self.jobs[self.taken + index] : nil
    }

    /// How many are older than this one.
    func rank(of job: FinishedJob) -> Int {
        var low = self.taken
        var high = self.jobs.count
        while low < high {
            let middle = low + (high - low) / 2
            if self.jobs[middle] < job { low = middle + 1 } else { high = middle }
        }
        return low - self.taken
    }

    func contains(_ job: FinishedJob) -> Bool { self[self.rank(of: job)]?.isSame(as: job) ?? false }

    /// Adds a Job, or replaces what was known of it; false when nothing changed.
    mutating func insert(_ job: FinishedJob) -> Bool {
        if let last = self.jobs.last, self.count > 0, last < job {
            self.jobs.append(job)
            return true
        }
        let rank = self.rank(of: job)
        if let found = self[rank], found.isSame(as: job) {
            guard found != job else { return false }
            self.jobs[self.taken + rank] = job
            return true
        }
        self.jobs.insert(job, at: self.taken + rank)
        return true
    }

    /// Takes a Job out; false when it is not in here.
    mutating func remove(_ job: FinishedJob) -> Bool {
        let rank = self.rank(of: job)
        guard let found = self[rank], found.isSame(as: job) else { return false }
        if rank == 0 {
            self.taken += 1
            // The places are given back once they are the greater part.
            if self.taken > 32, self.taken * 2 > self.jobs.count {
                self.jobs.removeFirst(self.taken)
                self.taken = 0
            }
        } else {
            self.jobs.remove(at: self.taken + rank)
        }
        return true
    }

    var all: ArraySlice<FinishedJob> { self.jobs[self.taken...] }
}

extension FinishedJob {
    /// Whether both stand at the same place in the order.
    fileprivate func isSame(as other: FinishedJob) -> Bool { self.endedAt == other.endedAt && self.name == other.name }
}
