import Kubernetes
import Logging
import NIOConcurrencyHelpers

/// The truth about the Jobs of one namespace, as the API server tells it, revision by revision.
///
/// It has a connection of its own and shares nothing with the host but the code of the reflector.
final class JobWatch: Sendable {
    struct Seen: Sendable {
        let name: String
        let uid: String
        let scaledJob: String
        let createdAt: ContinuousClock.Instant
        var isFinished: Bool
        var isGone = false
    }

    fileprivate struct State {
        /// By UID, every Job that ever was, in the order in which they were seen.
        var jobs: [String: Seen] = [:]
        var order: [String] = []
        var most: [String: Int] = [:]
        var mostOfAll = 0
        /// How many are unfinished now.
        var unfinishedOfAll = 0
        var killed: [String] = []
        /// How many of each ScaledJob are unfinished now.
        var unfinished: [String: Int] = [:]
        /// ScaledJobs whose number has changed since it was last compared with the most.
        var changed: Set<String> = []
        /// By ScaledJob, the UIDs of Jobs that nobody works on yet, in the order in which they were seen.
        var unserved: [String: ArraySlice<String>] = [:]
        var isSynced = false
    }

    private let state = NIOLockedValueBox(State())

    /// Follows the namespace until the task is cancelled.
    func run(_ api: any KubernetesAPI, namespace: String) async {
        var logger = Logger(label: "job-watch")
        logger.logLevel = .error
        let reflector = Reflector<Job>(api: api, namespace: namespace, logger: logger)
        await reflector.run { change in
            self.state.withLockedValue { state in
                switch change {
                case .replaced(let jobs, _):
                    let listed = Set(jobs.compactMap(\.metadata.uid))
                    for uid in state.order where !listed.contains(uid) { state.gone(uid) }
                    for job in jobs { state.upsert(job) }
                    state.isSynced = true
                case .upserted(let job): state.upsert(job)
                case .deleted(let job):
                    state.upsert(job)
                    state.gone(job.metadata.uid ?? "")
                case .interrupted: break
                }
                state.count()
            }
        }
    }

    var isSynced: Bool { self.state.withLockedValue { $0.isSynced } }

    /// Every Job that ever was, in the order of their creation.
    func all() -> [Seen] { self.state.withLockedValue { state in state.order.compactMap { state.jobs[$0] } } }

    /// Jobs that exist and have not finished, of all ScaledJobs.
    func unfinished() -> [Seen] { self.all().filter { !$0.isGone && !$0.isFinished } }

    /// The most unfinished Jobs of all ScaledJobs together at any revision.
    var mostOfAll: Int { self.state.withLockedValue { $0.mostOfAll } }

    /// Waits until this many Jobs have been created, ever.
    func created(_ count: Int, within timeout: Duration) async throws {
        try await eventually("\(count) Jobs", within: timeout, otherwise: { "\(self.all().count)" }) {
            self.all().count >= count
        }
    }

    /// Every Job of this ScaledJob that ever was, in the order of their creation.
    func all(of scaledJob: String) -> [Seen] {
        self.state.withLockedValue { state in
            state.order.compactMap { state.jobs[$0] }.filter { $0.scaledJob == scaledJob }
        }
    }

    /// Jobs that exist, finished or not.
    func existing(of scaledJob: String) -> [Seen] { self.all(of: scaledJob).filter { !$0.isGone } }

    /// Jobs that exist and have not finished.
    func unfinished(of scaledJob: String) -> [Seen] { self.existing(of: scaledJob).filter { !$0.isFinished } }

    /// Takes the oldest Job that nobody works on; nil while there is none.
    func takeUnserved(of scaledJob: String) -> Seen? {
        self.state.withLockedValue { state in
            while let uid = state.unserved[scaledJob]?.popFirst() {
                if let job = state.jobs[uid], !job.isFinished, !job.isGone { return job }
            }
            return nil
        }
    }

    /// The most unfinished Jobs of this ScaledJob at any revision.
    func most(of scaledJob: String) -> Int { self.state.withLockedValue { $0.most[scaledJob] ?? 0 } }

    /// Jobs that were deleted before they finished.
    var killed: [String] { self.state.withLockedValue { $0.killed } }

    /// Waits until this many Jobs of the ScaledJob have been created, ever.
    func created(_ count: Int, of scaledJob: String, within timeout: Duration = .seconds(30)) async throws {
        try await eventually(
            "\(count) Jobs of \(scaledJob)",
            within: timeout,
            otherwise: { "\(self.all(of: scaledJob).count)" },
            { self.all(of: scaledJob).count >= count }
        )
    }
}

extension JobWatch.State {
    fileprivate mutating func upsert(_ job: Job) {
        guard let uid = job.metadata.uid else { return }
        let isFinished = (job.status.conditions ?? []).contains {
            ($0.type == "Complete" || $0.type == "Failed") && $0.status == "True"
        }
        let before = self.jobs[uid]
        var seen =
            before
            ?? JobWatch.Seen(
                name: job.metadata.name,
                uid: uid,
                scaledJob: job.metadata.labels?["scaledjob.keda.sh/name"] ?? "",
                createdAt: .now,
                isFinished: isFinished
            )
        seen.isFinished = isFinished
        self.jobs[uid] = seen
        if before == nil {
            self.order.append(uid)
            self.unserved[seen.scaledJob, default: []].append(uid)
        }
        self.note(before, seen)
    }

    fileprivate mutating func gone(_ uid: String) {
        guard let job = self.jobs[uid], !job.isGone else { return }
        self.jobs[uid]?.isGone = true
        self.note(job, nil)
        if !job.isFinished { self.killed.append(job.name) }
    }

    /// Counts a Job as it is now instead of as it was.
    private mutating func note(_ before: JobWatch.Seen?, _ after: JobWatch.Seen?) {
        for (seen, step) in [(before, -1), (after, 1)] {
            guard let seen, !seen.isFinished, !seen.isGone else { continue }
            self.unfinished[seen.scaledJob, default: 0] += step
            self.unfinishedOfAll += step
            self.changed.insert(seen.scaledJob)
        }
    }

    fileprivate mutating func count() {
        self.mostOfAll = max(self.mostOfAll, self.unfinishedOfAll)
        for scaledJob in self.changed {
            self.most[scaledJob] = max(self.most[scaledJob] ?? 0, self.unfinished[scaledJob] ?? 0)
        }
        self.changed = []
    }
}
