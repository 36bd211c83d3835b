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
        /// Its Pod runs.
        var isStarted = false
        var isDeleting = false
        /// Nil for a Job that KEDA made.
        var hash: String?
        var generation: Int64?
        var image = "worker"
        /// When it takes a document, or finds none; nil before its Pod runs and afterwards.
        var claimsAt: ContinuousClock.Instant?
    }

    var machine: ControllerMachine
    var now: ContinuousClock.Instant
    var jobs: [String: ModelJob] = [:]
    /// Watch events that the host has not seen yet, in order.
    var unseen: [JobsChange] = []
    var calls: [ControllerAction] = []
    var measures: [(trigger: TriggerID, revision: UInt64, askedAt: ContinuousClock.Instant, counted: Reading?)] = []
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
    /// The source counts a document only until a Job has taken it.
    var countsUntilClaimed = false
    /// How long Jobs take from their start until they have a document.
    var claimDelay = Duration.zero
    /// It says as well how many documents are in work.
    var saysInFlight = false
    /// Nil until the host asks for Pods; then what it has not seen yet, in order.
    var unseenPods: [Reflection<Pod>]?
    /// The ScaledJob as the API server has it.
    var scaledJob = Self.scaledJob()
    /// Templates of which the API server made a Job in a trial.
    var acceptedHashes: Set<String> = []
    /// Deletions of unfinished Jobs that nobody asked for, and creations while paused.
    var offences: [String] = []
    var deletions: [String: JobDeletion] = [:]
    var removedFinalizers: [FinalizerReference] = []

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
        // No two things happen at the same time.
        self.now += .nanoseconds(2)
        let moment = Moment(instant: self.now, unixSeconds: 1_700_000_000)
        for action in self.machine.handle(input, at: moment) {
            self.judge(action)
            switch action {
            case .setTrigger(let id, let revision, let specification):
                self.revisions[id] = revision
                // A trigger that is set again while it is set goes on answering.
                if self.specifications[id] == nil { self.answersSince[id] = revision }
                self.specifications[id] = specification
            case .removeTrigger(let id): self.specifications[id] = nil
            case .measure(let ids):
                for id in ids { self.measures.append((id, self.revisions[id] ?? 0, self.now + .nanoseconds(1), nil)) }
            case .watchSecrets(let begin, let end):
                self.watchedSecrets = self.watchedSecrets.subtracting(end).union(begin)
            case .watchPods: self.unseenPods = [.replaced(self.pods, startedAt: self.now)]
            case .watchConfigMaps(let begin, let end):
                self.watchedConfigMaps = self.watchedConfigMaps.subtracting(end).union(begin)
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

    /// What must never happen, at the moment when the machine asks for it.
    private mutating func judge(_ action: ControllerAction) {
        switch action {
        case .createJob(let job, _):
            if WellKnown.isPaused(self.scaledJob.metadata.annotations) {
                self.offences.append("\(job.key.name) was created while paused")
            }
        case .deleteJob(let job, let deletion):
            self.deletions[job.key.name] = deletion
            guard let found = self.jobs[job.key.name], !found.isFinished else { return }
            let current = self.currentHash
            let isAsked = self.scaledJob.spec?[path: "rollout", "strategy"] == "immediate"
            let isOld = found.hash.map { $0 != current } ?? (found.image != self.currentImage)
            if !isAsked || !isOld || !self.acceptedHashes.contains(current) {
                self.offences.append("\(job.key.name) was deleted while it ran")
            }
        default: break
        }
    }

    var currentHash: String {
        (self.scaledJob.spec?["jobTargetRef"]).flatMap { try? CanonicalTemplate($0).hash() } ?? ""
    }

    var currentImage: String? {
        self.scaledJob.spec?[path: "jobTargetRef", "template", "spec"]?["containers"]?.arrayValue?.first?["image"]?
            .stringValue
    }

    /// Edits the ScaledJob; the host hears of it at once.
    mutating func edit(_ scaledJob: ScaledJob) {
        self.scaledJob = scaledJob
        self.take(.scaledJobs(.upserted(scaledJob), scope: nil))
    }

    mutating func advance(_ duration: Duration) {
        self.now += duration
        self.claimDue()
        self.take(.tick)
    }

    /// Advances to the time that the machine asked to be woken at.
    mutating func advanceToNextWake(atMost limit: Duration = .seconds(60)) {
        guard let wake = self.machine.nextWake else { return self.advance(limit) }
        self.now = Swift.max(self.now, Swift.min(wake, self.now + limit))
        self.claimDue()
        self.take(.tick)
    }

    static func scaledJob(
        maximum: Int? = 5,
        minimum: Int? = nil,
        scaling: JSONValue? = nil,
        interval: Int64 = 15,
        keepSucceeded: Int64 = 0,
        triggers: JSONValue = [["type": "counter", "metadata": ["queue": "a"]]],
        annotations: [String: String]? = nil,
        generation: Int64 = 1,
        image: String = "worker",
        rollout: JSONValue? = nil
    ) -> ScaledJob {
        var spec: JSONValue = [
            "pollingInterval": .integer(interval),
            "successfulJobsHistoryLimit": .integer(keepSucceeded),
            "jobTargetRef": [
                "template": ["spec": ["containers": [["name": "main", "image": .string(image)]]]]
            ],
            "triggers": triggers,
        ]
        if let rollout { spec["rollout"] = rollout }
        if let maximum { spec["maxReplicaCount"] = .integer(Int64(maximum)) }
        if let minimum { spec["minReplicaCount"] = .integer(Int64(minimum)) }
        if let scaling { spec["scalingStrategy"] = scaling }
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
        self.scaledJob = scaledJob
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

    mutating func openTriggers(counts: OpenedTrigger.Counts = .unspecified) {
        for (id, revision) in self.revisions where self.specifications[id] != nil {
            self.take(.plugin(.opened(id, revision: revision, OpenedTrigger(target: 1, counts: counts))))
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
                        measure.counted ?? self.reading,
                        askedAt: measure.askedAt
                    )
            )
        )
    }

    /// The source counts now, although the answer arrives later.
    mutating func countForMeasure(at index: Int) {
        guard self.measures.indices.contains(index), self.measures[index].counted == nil else { return }
        self.measures[index].counted = self.reading
    }

    /// A Job takes a document that no other Job works on and finishes it.
    mutating func runJob(_ name: String, fails: Bool = false) {
        self.startJob(name)
        self.claim(name)
        guard var job = self.jobs[name], !job.isFinished else { return }
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
        case .createJob(let job, let template):
            self.take(.jobCreated(job, self.write(fault) { $0.create(job.key.name, template) }))
        case .tryTemplate(let owner, let revision, _, let template):
            let refusal = self.refusesTemplates
            if refusal == nil, fault == .none { self.acceptedHashes.insert(template.hash) }
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
        case .deleteJob(let job, let deletion):
            self.take(.jobDeleted(job, self.write(fault) { $0.delete(job.key.name, deletion) }))
        case .compareTemplate(let job, let uid, _, let template, let comparison):
            let spec = self.jobs[job.key.name].map { Self.jobSpec(image: $0.image) } ?? [:]
            let tried = Self.jobSpec(image: self.currentImage ?? "")
            let outcome = self.write(fault) { _ in nil }.map { comparison.verdict(on: spec, tried: tried) }
            self.take(.templateCompared(job, uid: uid, hash: template.hash, outcome))
        case .removeFinalizer(let reference):
            let outcome = self.write(fault) { _ in nil }
            if case .success = outcome { self.removedFinalizers.append(reference) }
            self.take(.finalizerRemoved(reference, outcome))
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

    static func jobSpec(image: String) -> JSONValue {
        [
            "template": [
                "spec": ["restartPolicy": "OnFailure", "containers": [["name": "main", "image": .string(image)]]]
            ]
        ]
    }

    mutating func create(_ name: String, _ template: JobTemplate? = nil) -> KubernetesError? {
        guard self.jobs[name] == nil else { return KubernetesError(.alreadyExists, "exists", status: 409) }
        self.jobs[name] = ModelJob(hash: template?.hash ?? self.currentHash)
        self.createdJobs += 1
        self.mostUnfinished = Swift.max(self.mostUnfinished, self.unfinished)
        self.unseen.append(.upserted(Self.summary(name, self.jobs[name] ?? ModelJob())))
        return nil
    }

    mutating func delete(_ name: String, _ deletion: JobDeletion) -> KubernetesError? {
        guard var job = self.jobs[name] else { return KubernetesError(.notFound, "not found", status: 404) }
        guard deletion.uid == "uid-\(name)" else { return KubernetesError(.conflict, "another UID", status: 409) }
        if deletion.propagation == .foreground, !job.isFinished {
            // Its pods go first.
            job.isDeleting = true
            self.jobs[name] = job
            self.unseen.append(.upserted(Self.summary(name, job)))
        } else {
            self.vanish(name)
        }
        return nil
    }

    /// A Job goes for good.
    mutating func vanish(_ name: String) {
        guard let job = self.jobs.removeValue(forKey: name) else { return }
        self.unseen.append(.deleted(Self.summary(name, job)))
    }

    static func summary(_ name: String, _ job: ModelJob) -> JobSummary {
        let phase: JobTracker.Observed.Phase =
            !job.isFinished ? .unfinished : job.failed ? .failed(at: 1) : .succeeded(at: 1)
        return JobSummary(
            key: ObjectKey(namespace: Self.key.namespace, name: name),
            owner: Self.uid,
            observed: JobTracker.Observed(
                name: name,
                uid: "uid-\(name)",
                phase: phase,
                isDeleting: job.isDeleting,
                template: TemplateMark(hash: job.hash, generation: job.generation)
            )
        )
    }

    // MARK: - Letting everything happen

    /// Answers everything that waits, without faults and without letting time pass or Jobs run.
    mutating func settle() {
        for _ in 0..<10_000 {
            if !self.calls.isEmpty {
                self.answerCall()
            } else if self.unseenPods?.isEmpty == false {
                self.showNextPod()
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
