import Controller
import Kubernetes
import PluginHost
import Scaling

/// ScaledJobs and their Jobs in a cluster that exists only in memory, with a wall clock that can be set.
///
/// Deletions and what the watch shows wait until the test lets them happen.
struct FinishedJobWorld {
    /// What becomes of a deletion.
    enum Fate: CaseIterable { case done, refused, lost, answerLost, alreadyGone }

    struct WorldJob {
        var owner: String
        var phase = JobTracker.Observed.Phase.unfinished
        var timeToLive: Int32?
        var finalizers: [String] = []
        /// Set on one that is being deleted.
        var deletingSince: Int64?
    }

    static let namespace = "media"

    var machine: ControllerMachine
    var now = ContinuousClock.now
    var unixSeconds: Int64 = 1_800_000_000
    var jobs: [String: WorldJob] = [:]
    var scaledJobs: [String: ScaledJob] = [:]
    var unseen: [JobsChange] = []
    var calls: [(job: JobReference, deletion: JobDeletion)] = []
    /// Every deletion that was asked for, in order.
    var asked: [String] = []
    var events: [EventRecord] = []
    var logs: [LogRecord] = []
    /// Deletions of Jobs that were not finished, or were being deleted as far as the host could see.
    var offences: [String] = []
    /// What the watch has shown.
    var shown: [String: JobSummary] = [:]
    var creations = 0

    init(_ settings: CleaningSettings = CleaningSettings(), seed: UInt64 = 1) {
        var configuration = ControllerConfiguration(version: "test")
        configuration.cleaning = settings
        self.machine = ControllerMachine(configuration: configuration, now: self.now, seed: seed)
    }

    // MARK: - ScaledJobs

    /// By name, which is the UID as well.
    mutating func apply(
        _ name: String,
        succeeded: Int64? = 0,
        failed: Int64? = 0,
        annotations: [String: String] = [:],
        members: [String: JSONValue] = [:]
    ) {
        var spec = members.merging([
            "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "worker"]]]]],
            "triggers": [["type": "counter", "metadata": [:]]],
        ]) { left, _ in left }
        if let succeeded { spec["successfulJobsHistoryLimit"] = .integer(succeeded) }
        if let failed { spec["failedJobsHistoryLimit"] = .integer(failed) }
        let scaledJob = ScaledJob(
            metadata: ObjectMetadata(
                name: name,
                namespace: Self.namespace,
                uid: name,
                generation: 1,
                annotations: annotations
            ),
            spec: .object(spec)
        )
        self.scaledJobs[name] = scaledJob
        self.take(.scaledJobs(.upserted(scaledJob), scope: nil))
    }

    mutating func start() {
        self.take(.scaledJobs(.replaced(Array(self.scaledJobs.values), startedAt: self.now), scope: nil))
        self.relist()
    }

    mutating func relist() {
        self.unseen = []
        self.shown = [:]
        let all = self.jobs.map { Self.summary($0.key, $0.value) }
        for job in all { self.shown[job.key.name] = job }
        self.take(.jobs(.replaced(all, startedAt: self.now), scope: nil))
    }

    // MARK: - Jobs

    /// Adds Jobs of a ScaledJob that end one second after the other, the last one now.
    mutating func finish(_ count: Int, of owner: String, _ prefix: String, failed: Bool = false, ttl: Int32? = nil) {
        for number in 0..<count {
            let at = self.unixSeconds - Int64(count - 1 - number)
            let name = "\(prefix)\(String(number + 100_000).dropFirst())"
            self.set(
                name,
                WorldJob(owner: owner, phase: failed ? .failed(at: at) : .succeeded(at: at), timeToLive: ttl)
            )
        }
    }

    mutating func set(_ name: String, _ job: WorldJob) {
        self.jobs[name] = job
        self.unseen.append(.upserted(Self.summary(name, job)))
    }

    /// The Job goes for good.
    mutating func vanish(_ name: String) {
        guard let job = self.jobs.removeValue(forKey: name) else { return }
        self.unseen.append(.deleted(Self.summary(name, job)))
    }

    static func summary(_ name: String, _ job: WorldJob) -> JobSummary {
        JobSummary(
            key: ObjectKey(namespace: Self.namespace, name: name),
            owner: job.owner,
            observed: JobTracker.Observed(
                name: name,
                uid: "uid-\(name)",
                phase: job.phase,
                isDeleting: job.deletingSince != nil,
                timeToLive: job.timeToLive
            ),
            deletion: job.deletingSince.map { JobSummary.Deletion(since: $0, finalizers: job.finalizers) }
        )
    }

    // MARK: - What happens

    mutating func take(_ input: ControllerInput) {
        self.now += .nanoseconds(1)
        for action in self.machine.handle(input, at: Moment(instant: self.now, unixSeconds: self.unixSeconds)) {
            switch action {
            case .deleteJob(let job, let deletion):
                self.asked.append(job.key.name)
                let known = self.shown[job.key.name]
                if known?.observed.isFinished != true || known?.observed.isDeleting == true {
                    self.offences.append(job.key.name)
                }
                self.calls.append((job, deletion))
            case .recordEvent(let event): self.events.append(event)
            case .log(let record): self.logs.append(record)
            case .createJob: self.creations += 1
            case .tryTemplate(let owner, let revision, _, _):
                self.take(.templateTried(owner: owner, revision: revision, .success(())))
            case .writeStatus(let owner, _, _): self.take(.statusWritten(owner: owner, .success(())))
            default: break
            }
        }
    }

    mutating func showNext() {
        guard !self.unseen.isEmpty else { return }
        let change = self.unseen.removeFirst()
        switch change {
        case .upserted(let job): self.shown[job.key.name] = job
        case .deleted(let job): self.shown[job.key.name] = nil
        case .replaced, .interrupted: break
        }
        self.take(.jobs(change, scope: nil))
    }

    mutating func answer(at index: Int = 0, _ fate: Fate = .done) {
        guard self.calls.indices.contains(index) else { return }
        let (job, deletion) = self.calls.remove(at: index)
        let name = job.key.name
        var outcome: Result<Void, KubernetesError> = .success(())
        switch fate {
        case .done, .answerLost:
            if self.jobs[name] == nil {
                outcome = .failure(KubernetesError(.notFound, "not found", status: 404))
            } else if deletion.uid != "uid-\(name)" {
                outcome = .failure(KubernetesError(.conflict, "another UID", status: 409))
            } else {
                self.delete(name)
            }
            if fate == .answerLost { outcome = .failure(KubernetesError(.timedOut, "lost", mayHaveHappened: true)) }
        case .alreadyGone:
            self.vanish(name)
            outcome = .failure(KubernetesError(.notFound, "not found", status: 404))
        case .refused: outcome = .failure(KubernetesError(.forbidden, "a webhook says no", status: 403))
        case .lost: outcome = .failure(KubernetesError(.unreachable, "refused", retry: .now))
        }
        self.take(.jobDeleted(job, outcome))
    }

    private mutating func delete(_ name: String) {
        guard var job = self.jobs[name] else { return }
        if job.finalizers.isEmpty {
            self.vanish(name)
        } else if job.deletingSince == nil {
            job.deletingSince = self.unixSeconds
            self.set(name, job)
        }
    }

    /// Lets everything happen that needs no time; deletions of the Jobs in `refused` fail.
    mutating func settle(refusing refused: (String) -> Bool = { _ in false }) {
        while true {
            if let call = self.calls.first {
                self.answer(refused(call.job.key.name) ? .refused : .done)
            } else if !self.unseen.isEmpty {
                self.showNext()
            } else {
                return
            }
        }
    }

    /// Lets time pass, and everything happen that it brings.
    mutating func pass(_ duration: Duration, refusing refused: (String) -> Bool = { _ in false }) {
        let end = self.now + duration
        let began = (instant: self.now, unixSeconds: self.unixSeconds)
        self.settle(refusing: refused)
        while let wake = self.machine.nextWake, wake <= end {
            self.now = Swift.max(self.now, wake)
            self.unixSeconds = began.unixSeconds + (self.now - began.instant).components.seconds
            self.take(.tick)
            self.settle(refusing: refused)
        }
        self.now = Swift.max(self.now, end)
        self.unixSeconds = began.unixSeconds + (self.now - began.instant).components.seconds
        self.take(.tick)
        self.settle(refusing: refused)
    }

    func names(of owner: String) -> [String] { self.jobs.filter { $0.value.owner == owner }.keys.sorted() }
}
