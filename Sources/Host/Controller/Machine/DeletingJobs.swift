import Kubernetes

/// Jobs that are being deleted and are still there.
///
/// Nearly all of them are gone before anybody sees them like this. Those that stay have a finalizer that somebody else must
/// take off; nothing is done to them, and they are reported once for each ScaledJob.
struct DeletingJobs: Sendable {
    /// What is to be told of one ScaledJob.
    enum Report: Sendable, Equatable {
        case stuck(count: Int, example: String, finalizers: [String])
        case over
    }

    private struct Owner: Sendable {
        var jobs: [String: JobSummary.Deletion] = [:]
        var stuck = 0
        var isReported = false
        /// When something may change with the time.
        var lookAt: Int64?
    }

    /// Seconds after which one counts as stuck.
    let patience: Int64
    /// Seconds that the report waits for others.
    private let gathering: Int64
    private var owners: [String: Owner] = [:]
    /// Those whose Jobs changed.
    private var changed: Set<String> = []

    init(patience: Int64) {
        self.patience = patience
        self.gathering = Swift.max(1, patience / 12)
    }

    /// Jobs of a ScaledJob that are stuck.
    func stuck(of owner: String) -> Int { self.owners[owner]?.stuck ?? 0 }

    /// When one of them may become stuck, in Unix seconds.
    private(set) var nextLook: Int64?

    mutating func upsert(_ job: JobSummary, of owner: String) {
        guard let deletion = job.deletion else { return self.remove(job.key.name, of: owner) }
        guard self.owners[owner]?.jobs[job.key.name] != deletion else { return }
        self.owners[owner, default: Owner()].jobs[job.key.name] = deletion
        self.changed.insert(owner)
    }

    mutating func remove(_ job: String, of owner: String) {
        guard self.owners[owner]?.jobs.removeValue(forKey: job) != nil else { return }
        self.changed.insert(owner)
    }

    mutating func reset(_ owner: String, to jobs: [JobSummary]) {
        var deleting: [String: JobSummary.Deletion] = [:]
        for job in jobs { deleting[job.key.name] = job.deletion }
        guard self.owners[owner] != nil || !deleting.isEmpty else { return }
        self.owners[owner, default: Owner()].jobs = deleting
        self.changed.insert(owner)
    }

    /// Reports what there is to report again: the ScaledJob is new.
    mutating func beginAnew(_ owner: String) {
        guard self.owners[owner] != nil else { return }
        self.owners[owner]?.isReported = false
        self.changed.insert(owner)
    }

    mutating func forget(_ owner: String) {
        self.owners[owner] = nil
        self.changed.remove(owner)
    }

    /// Looks which are stuck by now; returns what is to be told, by ScaledJob.
    mutating func look(at unixSeconds: Int64) -> [(owner: String, report: Report)] {
        let isDue = self.nextLook.map { $0 <= unixSeconds } ?? false
        guard isDue || !self.changed.isEmpty else { return [] }
        if isDue {
            for (uid, owner) in self.owners {
                if let lookAt = owner.lookAt, lookAt <= unixSeconds { self.changed.insert(uid) }
            }
        }
        var reports: [(owner: String, report: Report)] = []
        for uid in self.changed.sorted() {
            if let report = self.look(at: uid, unixSeconds) { reports.append((uid, report)) }
        }
        self.changed = []
        self.nextLook = self.owners.values.compactMap(\.lookAt).min()
        return reports
    }

    private mutating func look(at uid: String, _ unixSeconds: Int64) -> Report? {
        guard var owner = self.owners[uid] else { return nil }
        owner.stuck = 0
        owner.lookAt = nil
        var oldest: (name: String, deletion: JobSummary.Deletion)?
        for (name, deletion) in owner.jobs {
            let stuckAt = deletion.since + self.patience
            guard stuckAt <= unixSeconds else {
                owner.lookAt = Swift.min(owner.lookAt ?? stuckAt, stuckAt)
                continue
            }
            owner.stuck += 1
            let isOlder = oldest.map { (deletion.since, name) < ($0.deletion.since, $0.name) } ?? true
            if isOlder { oldest = (name, deletion) }
        }
        var report: Report?
        if let oldest, !owner.isReported {
            let reportAt = oldest.deletion.since + self.patience + self.gathering
            if reportAt <= unixSeconds {
                owner.isReported = true
                report = .stuck(count: owner.stuck, example: oldest.name, finalizers: oldest.deletion.finalizers)
            } else {
                owner.lookAt = Swift.min(owner.lookAt ?? reportAt, reportAt)
            }
        } else if oldest == nil, owner.isReported {
            owner.isReported = false
            report = .over
        }
        // Those that become stuck one after the other are looked at together.
        if let lookAt = owner.lookAt { owner.lookAt = Swift.max(lookAt, unixSeconds + 1) }
        self.owners[uid] = owner.jobs.isEmpty ? nil : owner
        return report
    }
}
