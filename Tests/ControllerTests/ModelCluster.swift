import Controller
import Credentials
import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

/// A cluster and a source of work that exist only in memory, slow and unreliable on purpose.
///
/// Calls, watch events and measurements wait in queues until the test lets them happen, in any order that a real cluster
/// could show.
struct ModelCluster {
    enum Fault: CaseIterable { case none, timeoutButHappened, timeoutNotHappened, unreachable, serverError }

    struct ModelJob {
        var isFinished = false
        var failed = false
        var document: Int?
    }

    var machine: ControllerMachine
    var now: ContinuousClock.Instant
    var jobs: [String: ModelJob] = [:]
    /// Watch events that the host has not seen yet, in order.
    var unseen: [JobsChange] = []
    var calls: [ControllerAction] = []
    var measures: [(trigger: TriggerID, revision: UInt64, askedAt: ContinuousClock.Instant, waiting: Int?)] = []
    var revisions: [TriggerID: UInt64] = [:]
    var specifications: [TriggerID: TriggerSpecification] = [:]
    /// The first revision whose readings still come.
    var answersSince: [TriggerID: UInt64] = [:]
    var events: [EventRecord] = []
    var statuses: [JSONValue] = []
    var watchedSecrets: Set<ObjectKey> = []
    var watchedConfigMaps: Set<ObjectKey> = []
    var fetches: [CredentialRequest] = []
    /// Documents that wait; a document stays in here until its Job has finished it.
    var documents: Set<Int> = []
    var nextDocument = 0
    var createdJobs = 0
    var surplusJobs = 0
    var mostUnfinished = 0
    var refusesTemplates: String?

    static let uid = "0b5e7c1e-uid"
    static let key = ObjectKey(namespace: "media", name: "transcode")

    init(seed: UInt64? = 1) {
        self.now = .now
        self.machine = ControllerMachine(
            configuration: ControllerConfiguration(version: "test"),
            now: self.now,
            seed: seed
        )
    }

    var unfinished: Int { self.jobs.values.count { !$0.isFinished } }

    // MARK: - Inputs

    mutating func take(_ input: ControllerInput) {
        let moment = Moment(instant: self.now, unixSeconds: 1_700_000_000)
        for action in self.machine.handle(input, at: moment) {
            switch action {
            case .setTrigger(let id, let revision, let specification):
                self.revisions[id] = revision
                // A trigger that is set again while it is set goes on answering.
                if self.specifications[id] == nil { self.answersSince[id] = revision }
                self.specifications[id] = specification
            case .removeTrigger(let id): self.specifications[id] = nil
            case .measure(let ids):
                for id in ids { self.measures.append((id, self.revisions[id] ?? 0, self.now, nil)) }
            case .watchSecrets(let keys): self.watchedSecrets = keys
            case .watchConfigMaps(let keys): self.watchedConfigMaps = keys
            case .fetchCredential(let request): self.fetches.append(request)
            case .recordEvent(let event): self.events.append(event)
            case .log: break
            case .writeStatus(let owner, _, let status):
                self.statuses.append(status)
                self.calls.append(action)
                _ = owner
            default: self.calls.append(action)
            }
        }
    }

    mutating func advance(_ duration: Duration) {
        self.now += duration
        self.take(.tick)
    }

    /// Advances to the time that the machine asked to be woken at.
    mutating func advanceToNextWake(atMost limit: Duration = .seconds(60)) {
        guard let wake = self.machine.nextWake else { return self.advance(limit) }
        self.now = Swift.max(self.now, Swift.min(wake, self.now + limit))
        self.take(.tick)
    }

    static func scaledJob(
        maximum: Int? = 5,
        minimum: Int? = nil,
        interval: Int64 = 15,
        keepSucceeded: Int64 = 0,
        triggers: JSONValue = [["type": "counter", "metadata": ["queue": "a"]]],
        annotations: [String: String]? = nil,
        generation: Int64 = 1
    ) -> ScaledJob {
        var spec: JSONValue = [
            "pollingInterval": .integer(interval),
            "successfulJobsHistoryLimit": .integer(keepSucceeded),
            "jobTargetRef": [
                "template": ["spec": ["containers": [["name": "main", "image": "worker"]]]]
            ],
            "triggers": triggers,
        ]
        if let maximum { spec["maxReplicaCount"] = .integer(Int64(maximum)) }
        if let minimum { spec["minReplicaCount"] = .integer(Int64(minimum)) }
        return ScaledJob(
            metadata: ObjectMetadata(
                name: Self.key.name,
                namespace: Self.key.namespace,
                uid: Self.uid,
                generation: generation,
                annotations: annotations
            ),
            spec: spec
        )
    }

    static let declaration = TriggerTypeDeclaration(
        type: "counter",
        help: "Counts.",
        parameters: [
            ParameterDeclaration("queue", required: true, help: "The queue."),
            ParameterDeclaration(
                "password",
                secret: true,
                from: [.authentication, .environment],
                help: "The password."
            ),
        ]
    )

    /// Brings a host up in a cluster that holds one ScaledJob.
    mutating func start(_ scaledJob: ScaledJob = Self.scaledJob()) {
        self.take(.authentications(.replaced([], startedAt: self.now), scope: nil))
        self.take(.clusterAuthentications(.replaced([], startedAt: self.now)))
        self.take(
            .plugin(
                .offers([
                    "counter": TriggerTypeOffer(plugin: "counter", isConnected: true, declaration: Self.declaration)
                ])
            )
        )
        self.take(.scaledJobs(.replaced([scaledJob], startedAt: self.now), scope: nil))
        self.relist()
    }

    mutating func openTriggers() {
        for (id, revision) in self.revisions where self.specifications[id] != nil {
            self.take(.plugin(.opened(id, revision: revision, OpenedTrigger(target: 1))))
        }
    }

    mutating func relist() {
        self.unseen = []
        self.take(.jobs(.replaced(self.jobs.map { Self.summary($0, $1) }, startedAt: self.now), scope: nil))
    }

    // MARK: - What the world does

    mutating func insertDocuments(_ count: Int) {
        for _ in 0..<count {
            self.documents.insert(self.nextDocument)
            self.nextDocument += 1
        }
    }

    mutating func answerMeasure(at index: Int = 0, fail: Bool = false) {
        guard self.measures.indices.contains(index) else { return }
        let measure = self.measures.remove(at: index)
        guard measure.revision >= self.answersSince[measure.trigger] ?? 0,
            self.specifications[measure.trigger] != nil
        else { return }
        self.take(
            .plugin(
                fail
                    ? .unknown(
                        measure.trigger,
                        revision: measure.revision,
                        PluginFailure(.unavailable, "the source is down")
                    )
                    : .reading(
                        measure.trigger,
                        revision: measure.revision,
                        Reading(waiting: Double(measure.waiting ?? self.documents.count)),
                        askedAt: measure.askedAt
                    )
            )
        )
    }

    /// The source counts now, although the answer arrives later.
    mutating func countForMeasure(at index: Int) {
        guard self.measures.indices.contains(index), self.measures[index].waiting == nil else { return }
        self.measures[index].waiting = self.documents.count
    }

    /// A Job takes a document that no other Job works on and finishes it.
    mutating func runJob(_ name: String, fails: Bool = false) {
        guard var job = self.jobs[name], !job.isFinished else { return }
        if job.document == nil {
            let taken = Set(self.jobs.values.compactMap { $0.isFinished ? nil : $0.document })
            job.document = self.documents.subtracting(taken).min()
            if job.document == nil { self.surplusJobs += 1 }
        }
        job.isFinished = true
        job.failed = fails
        if !fails, let document = job.document { self.documents.remove(document) }
        self.jobs[name] = job
        self.unseen.append(.upserted(Self.summary(name, job)))
    }

    mutating func showNext() {
        guard !self.unseen.isEmpty else { return }
        self.take(.jobs(self.unseen.removeFirst(), scope: nil))
    }

    mutating func answerCall(at index: Int = 0, _ fault: Fault = .none) {
        guard self.calls.indices.contains(index) else { return }
        let call = self.calls.remove(at: index)
        switch call {
        case .createJob(let job, _):
            self.take(.jobCreated(job, self.write(fault) { $0.create(job.key.name) }))
        case .tryTemplate(let owner, let revision, _, _):
            let refusal = self.refusesTemplates
            self.take(
                .templateTried(
                    owner: owner,
                    revision: revision,
                    self.write(fault) { _ in refusal.map { KubernetesError(.invalid, $0, status: 422) } }
                )
            )
        case .lookUpJob(let job):
            let found = self.jobs[job.key.name].map { Self.summary(job.key.name, $0) }
            self.take(.jobLookedUp(job, self.write(fault) { _ in nil }.map { found }))
        case .deleteJob(let job):
            self.take(.jobDeleted(job, self.write(fault) { $0.delete(job.key.name) }))
        case .writeStatus(let owner, _, _):
            self.take(.statusWritten(owner: owner, self.write(fault) { _ in nil }))
        default: break
        }
    }

    /// Does a write with a fault; the function returns the server's own refusal.
    private mutating func write(
        _ fault: Fault,
        _ apply: (inout ModelCluster) -> KubernetesError?
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

    mutating func create(_ name: String) -> KubernetesError? {
        guard self.jobs[name] == nil else { return KubernetesError(.alreadyExists, "exists", status: 409) }
        self.jobs[name] = ModelJob()
        self.createdJobs += 1
        self.mostUnfinished = Swift.max(self.mostUnfinished, self.unfinished)
        self.unseen.append(.upserted(Self.summary(name, ModelJob())))
        return nil
    }

    mutating func delete(_ name: String) -> KubernetesError? {
        guard let job = self.jobs.removeValue(forKey: name) else {
            return KubernetesError(.notFound, "not found", status: 404)
        }
        self.unseen.append(.deleted(Self.summary(name, job)))
        return nil
    }

    static func summary(_ name: String, _ job: ModelJob) -> JobSummary {
        let phase: JobTracker.Observed.Phase =
            !job.isFinished ? .unfinished : job.failed ? .failed(at: 1) : .succeeded(at: 1)
        return JobSummary(
            key: ObjectKey(namespace: Self.key.namespace, name: name),
            owner: Self.uid,
            observed: JobTracker.Observed(name: name, uid: "uid-\(name)", phase: phase)
        )
    }

    // MARK: - Letting everything happen

    /// Answers everything that waits, without faults and without letting time pass or Jobs run.
    mutating func settle() {
        for _ in 0..<10_000 {
            if !self.calls.isEmpty {
                self.answerCall()
            } else if !self.unseen.isEmpty {
                self.showNext()
            } else if !self.measures.isEmpty {
                self.answerMeasure()
            } else {
                return
            }
        }
    }
}
