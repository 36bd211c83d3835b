import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

@testable import Controller

/// Many ScaledJobs with more work than the limits that they share let them do, on a server that answers late, wrongly or
/// not at all.
struct SharedCluster {
    struct ServerJob {
        let owner: String
        let cost: ResourceAmounts
        var isFinished = false
        let endsAt: ContinuousClock.Instant
    }

    var machine: ControllerMachine
    var now = ContinuousClock.now
    var random: SystemOrSeededGenerator
    let size: Int
    /// What the API server has.
    var jobs: [String: ServerJob] = [:]
    var unseen: [JobsChange] = []
    /// Calls for Jobs that were not answered.
    var calls: [ControllerAction] = []
    var measures: [TriggerID] = []
    var backlog: [String: Int] = [:]
    var slotSeconds: [String: Double] = [:]
    var created: [String] = []
    var costs: [String: ResourceAmounts] = [:]
    var duration = 5.0...15.0
    var statuses: [String: JSONValue] = [:]
    var watches: Set<String> = []
    /// What the budget `night` of all of them says.
    var budget: JSONValue = [:]
    private var claims: [AdmissionClaim] = []

    init(_ size: Int, seed: UInt64, host: AdmissionLimits = AdmissionLimits()) {
        self.size = size
        self.random = SystemOrSeededGenerator(seed: seed)
        var configuration = ControllerConfiguration(version: "test")
        configuration.hostLimits = host
        self.machine = ControllerMachine(configuration: configuration, now: self.now, seed: seed)
    }

    static func uid(_ index: Int) -> String { "uid-\(index)" }

    /// Jobs that exist unfinished, and those that a call under way may yet create.
    ///
    /// By name, with their owners.
    var unfinished: [String: String] {
        var names = self.jobs.filter { !$0.value.isFinished }.mapValues(\.owner)
        for case .createJob(let job, _) in self.calls where self.jobs[job.key.name] == nil {
            names[job.key.name] = job.owner
        }
        return names
    }

    // MARK: - Inputs

    mutating func take(_ input: ControllerInput) {
        self.now += .nanoseconds(2)
        var answers: [ControllerInput] = []
        for action in self.machine.handle(input, at: Moment(instant: self.now, unixSeconds: 1_700_000_000)) {
            switch action {
            case .setTrigger(let id, let revision, _):
                answers.append(.plugin(.opened(id, revision: revision, OpenedTrigger(target: 1))))
            case .measure(let ids): self.measures += ids
            case .tryTemplate(let owner, let revision, _, _):
                answers.append(.templateTried(owner: owner, revision: revision, .success(())))
            case .writeStatus(let owner, _, let status):
                self.statuses[owner] = status
                answers.append(.statusWritten(owner: owner, .success(())))
            case .createJob, .deleteJob, .lookUpJob: self.calls.append(action)
            default: break
            }
        }
        for answer in answers { self.take(answer) }
    }

    func scaledJob(_ index: Int, paused: Bool = false, maximum: Int = 100) -> ScaledJob {
        ScaledJob(
            metadata: ObjectMetadata(
                name: "job-\(index)",
                namespace: "team-\(index % 3)",
                uid: Self.uid(index),
                generation: 1,
                annotations: self.annotations(index, paused: paused)
            ),
            spec: [
                "pollingInterval": 15,
                "maxReplicaCount": .integer(Int64(maximum)),
                "successfulJobsHistoryLimit": 0,
                "jobTargetRef": self.jobTargetRef(Self.uid(index)),
                "triggers": [["type": "counter", "metadata": ["queue": "a"]]],
            ]
        )
    }

    private func annotations(_ index: Int, paused: Bool) -> [String: String] {
        var annotations = paused ? ["autoscaling.keda.sh/paused": "true"] : [:]
        annotations[JobShare.weightAnnotation] = "\(self.claims[index].weight)"
        annotations[JobShare.batchAnnotation] = self.claims[index].limits.jobsPerBatch.map { "\($0)" }
        return annotations
    }

    private func jobTargetRef(_ owner: String) -> JSONValue {
        let cost = self.costs[owner] ?? ResourceAmounts()
        var requests: [String: JSONValue] = [:]
        for name in cost.names { requests[name] = .string(Quantity.text(thousandths: cost[name])) }
        let container: JSONValue = ["name": "main", "image": "worker", "resources": ["requests": .object(requests)]]
        return ["template": ["spec": ["containers": [container]]]]
    }

    mutating func start(work: Int = 1000, _ claim: (Int) -> AdmissionClaim) {
        for index in 0..<self.size {
            self.claims.append(claim(index))
            self.costs[Self.uid(index)] = claim(index).cost
            self.backlog[Self.uid(index)] = work
        }
        self.take(.authentications(.replaced([], startedAt: self.now), scope: nil))
        self.take(.clusterAuthentications(.replaced([], startedAt: self.now)))
        self.take(.plugin(.offers(CrowdedCluster.offers())))
        let night = JobBudget(metadata: ObjectMetadata(name: "night", uid: "night", generation: 1), spec: self.budget)
        self.take(.budgets(.replaced([night], startedAt: self.now)))
        self.take(
            .scaledJobs(.replaced((0..<self.size).map { self.scaledJob($0) }, startedAt: self.now), scope: nil)
        )
    }

    mutating func relist() {
        self.unseen = []
        let jobs = self.jobs.sorted { $0.key < $1.key }.map { self.summary($0.key, $0.value) }
        self.take(.jobs(.replaced(jobs, startedAt: self.now), scope: nil))
    }

    func summary(_ name: String, _ job: ServerJob) -> JobSummary {
        JobSummary(
            key: ObjectKey(namespace: self.namespace(of: job.owner), name: name),
            owner: job.owner,
            observed: JobTracker.Observed(
                name: name,
                uid: "uid-\(name)",
                phase: job.isFinished ? .succeeded(at: 1) : .unfinished
            ),
            needs: JobNeeds(jobTargetRef: self.jobTargetRef(job.owner))
        )
    }

    func namespace(of owner: String) -> String { "team-\((Int(owner.dropFirst(4)) ?? 0) % 3)" }

    // MARK: - What the world does

    mutating func answerMeasure() {
        guard !self.measures.isEmpty else { return }
        let id = self.measures.removeFirst()
        let reading = Reading(waiting: Double(self.backlog[id.owner] ?? 0))
        self.take(.plugin(.reading(id, revision: 1, reading, askedAt: self.now)))
    }

    mutating func showNext() {
        guard !self.unseen.isEmpty else { return }
        self.take(.jobs(self.unseen.removeFirst(), scope: nil))
    }

    mutating func answerCall(at index: Int = 0, _ fault: ModelCluster.Fault = .none) {
        guard self.calls.indices.contains(index) else { return }
        switch self.calls.remove(at: index) {
        case .createJob(let job, _): self.take(.jobCreated(job, self.write(fault) { $0.create(job) }))
        case .deleteJob(let job, _): self.take(.jobDeleted(job, self.write(fault) { $0.delete(job.key.name) }))
        case .lookUpJob(let job):
            let found = self.jobs[job.key.name].map { self.summary(job.key.name, $0) }
            self.take(.jobLookedUp(job, self.write(fault) { _ in nil }.map { found }))
        default: break
        }
    }

    private mutating func write(
        _ fault: ModelCluster.Fault,
        _ apply: (inout SharedCluster) -> KubernetesError?
    ) -> Result<Void, KubernetesError> {
        switch fault {
        case .none: return apply(&self).map(Result.failure) ?? .success(())
        case .timeoutButHappened:
            _ = apply(&self)
            return .failure(KubernetesError(.timedOut, "no answer", mayHaveHappened: true))
        case .timeoutNotHappened: return .failure(KubernetesError(.timedOut, "no answer", mayHaveHappened: true))
        case .unreachable: return .failure(KubernetesError(.unreachable, "refused", retry: .now))
        case .serverError:
            return .failure(KubernetesError(.serverError, "etcd is away", mayHaveHappened: true, status: 500))
        }
    }

    private mutating func create(_ reference: JobReference) -> KubernetesError? {
        let name = reference.key.name
        guard self.jobs[name] == nil else { return KubernetesError(.alreadyExists, "exists", status: 409) }
        let length = Double.random(in: self.duration, using: &self.random)
        let job = ServerJob(
            owner: reference.owner,
            cost: self.costs[reference.owner] ?? ResourceAmounts(),
            endsAt: self.now + .seconds(length)
        )
        self.jobs[name] = job
        self.created.append(reference.owner)
        self.unseen.append(.upserted(self.summary(name, job)))
        return nil
    }

    private mutating func delete(_ name: String) -> KubernetesError? {
        guard let job = self.jobs.removeValue(forKey: name) else { return nil }
        self.unseen.append(.deleted(self.summary(name, job)))
        return nil
    }

    mutating func finish(_ name: String) {
        guard var job = self.jobs[name], !job.isFinished else { return }
        job.isFinished = true
        self.jobs[name] = job
        self.backlog[job.owner, default: 1] -= 1
        self.unseen.append(.upserted(self.summary(name, job)))
    }

    /// Answers everything that waits.
    mutating func settle(_ check: (inout SharedCluster) -> Void = { _ in }) {
        while !self.calls.isEmpty || !self.unseen.isEmpty || !self.measures.isEmpty {
            self.answerMeasure()
            self.answerCall()
            self.showNext()
            check(&self)
        }
    }

    /// Lets Jobs run for a while.
    mutating func run(_ seconds: Double, _ check: (inout SharedCluster) -> Void = { _ in }) {
        let end = self.now + .seconds(seconds)
        for _ in 0..<200_000 where self.now < end {
            self.settle(check)
            let next = self.jobs.filter { !$0.value.isFinished }.min { $0.value.endsAt < $1.value.endsAt }
            let wake = self.machine.nextWake ?? end
            let at = Swift.min(end, Swift.max(self.now, Swift.min(next?.value.endsAt ?? end, wake)))
            let passed = (at - self.now) / .seconds(1)
            for job in self.jobs.values where !job.isFinished { self.slotSeconds[job.owner, default: 0] += passed }
            self.now = at
            if let next, next.value.endsAt <= at { self.finish(next.key) }
            self.take(.tick)
        }
    }
}
