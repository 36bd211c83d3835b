import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

/// A cluster and a source of items in memory, with hosts that crash: each document is to have one Job at a time.
struct ItemWorld {
    enum Nature { case good, alwaysFails, flaky, finishesInVain }

    struct Job {
        let key: String
        let attempt: Int?
        let uid: String
        var phase = JobTracker.Observed.Phase.unfinished

        var isFinished: Bool { self.phase != .unfinished }
    }

    static let uid = "5c1e-uid"
    static let key = ObjectKey(namespace: "media", name: "transcode")
    static let trigger = TriggerID(owner: uid, index: 0)

    let attempts: Int
    var scaledJob: ScaledJob
    var machine: ControllerMachine
    var now = ContinuousClock.now
    var jobs: [String: Job] = [:]
    var unseen: [JobsChange] = []
    var calls: [ControllerAction] = []
    /// Creations of hosts that are gone and that may still reach the server.
    var strays: [(name: String, template: JobTemplate)] = []
    var measures: [(revision: UInt64, askedAt: ContinuousClock.Instant, items: Int?, counted: Reading?)] = []
    var revision: UInt64 = 0
    var isOpen = false
    /// What waits, in the order of its arrival.
    var waiting: [Int] = []
    var natures: [Int: Nature] = [:]
    var created: [String: Int] = [:]
    var succeeded: [String: Int] = [:]
    var events: [EventRecord] = []
    var statuses: [JSONValue] = []
    var largestQuestion = 0
    var mostUnfinished = 0
    /// Jobs that hosts made which were gone already.
    var strayJobs = 0
    /// What must never happen and did.
    var offences: [String] = []
    private var clock: Int64 = 0
    private var lastUID = 0

    init(seed: UInt64, scaledJob: ScaledJob, attempts: Int = 3) {
        self.scaledJob = scaledJob
        self.attempts = attempts
        self.machine = Self.host(seed, self.now)
    }

    static func host(_ seed: UInt64, _ now: ContinuousClock.Instant) -> ControllerMachine {
        ControllerMachine(configuration: ControllerConfiguration(version: "test"), now: now, seed: seed)
    }

    static func scaledJob(
        maximum: Int = 4,
        keep: Int64 = 0,
        annotations: [String: String] = [ItemPolicy.annotation: "true"],
        type: String = "counter",
        extra: JSONValue = [:]
    ) -> ScaledJob {
        var spec: JSONValue = [
            "pollingInterval": 10, "maxReplicaCount": .integer(Int64(maximum)),
            "successfulJobsHistoryLimit": .integer(keep), "failedJobsHistoryLimit": .integer(keep),
            "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "worker"]]]]],
            "triggers": [["type": .string(type), "metadata": [:]]],
        ]
        for (key, value) in extra.objectValue ?? [:] { spec[key] = value }
        return ScaledJob(
            metadata: ObjectMetadata(
                name: Self.key.name,
                namespace: Self.key.namespace,
                uid: Self.uid,
                generation: 1,
                annotations: annotations
            ),
            spec: spec
        )
    }

    // MARK: - Hosts

    mutating func start() {
        self.take(.authentications(.replaced([], startedAt: self.now), scope: nil))
        self.take(.clusterAuthentications(.replaced([], startedAt: self.now)))
        let declarations = [true, false].map { items in
            let type = items ? "counter" : "plain"
            let capabilities = TriggerTypeDeclaration.Capabilities(items: items)
            return TriggerTypeDeclaration(type: type, help: "Counts.", parameters: [], capabilities: capabilities)
        }
        let offers = declarations.map { declaration in
            (declaration.type, TriggerTypeOffer(plugin: "p", isConnected: true, declaration: declaration))
        }
        self.take(.plugin(.offers(Dictionary(uniqueKeysWithValues: offers))))
        self.take(.scaledJobs(.replaced([self.scaledJob], startedAt: self.now), scope: nil))
        self.relist()
        self.open()
    }

    mutating func open() {
        guard self.isOpen else { return }
        self.take(.plugin(.opened(Self.trigger, revision: self.revision, OpenedTrigger(target: 1))))
    }

    /// The host is killed, and another one starts; some of what it was sending may still arrive.
    mutating func replaceHost(_ random: inout SystemOrSeededGenerator) {
        for case .createJob(let job, let template) in self.calls where Bool.random(using: &random) {
            self.strays.append((job.key.name, template))
        }
        self.calls = []
        self.measures = []
        self.isOpen = false
        self.machine = Self.host(random.next(), self.now)
        self.start()
    }

    mutating func relist() {
        self.unseen = []
        let jobs = self.jobs.keys.sorted().map { self.summary($0) }
        self.take(.jobs(.replaced(jobs, startedAt: self.now), scope: nil))
    }

    mutating func edit(_ scaledJob: ScaledJob) {
        self.scaledJob = scaledJob
        self.take(.scaledJobs(.upserted(scaledJob), scope: nil))
        self.open()
    }

    mutating func take(_ input: ControllerInput) {
        self.now += .nanoseconds(2)
        for action in self.machine.handle(input, at: Moment(instant: self.now, unixSeconds: 1_700_000_000)) {
            switch action {
            case .setTrigger(_, let revision, _):
                self.revision = revision
                self.isOpen = true
            case .removeTrigger: self.isOpen = false
            case .measure(let ids):
                for _ in ids { self.measures.append((self.revision, self.now + .nanoseconds(1), nil, nil)) }
            case .measureItems(let items):
                for (_, count) in items {
                    self.largestQuestion = Swift.max(self.largestQuestion, count)
                    self.measures.append((self.revision, self.now + .nanoseconds(1), count, nil))
                }
            case .recordEvent(let event): self.events.append(event)
            case .writeStatus(_, _, let status):
                self.statuses.append(status)
                self.calls.append(action)
            case .log, .watchSecrets, .watchConfigMaps, .watchPods, .fetchCredential: break
            default: self.calls.append(action)
            }
        }
    }

    mutating func advance(_ duration: Duration) {
        self.now += duration
        self.take(.tick)
    }

    // MARK: - The source

    mutating func insert(_ nature: Nature) {
        let number = self.natures.count
        self.natures[number] = nature
        self.waiting.append(number)
    }

    func reading(_ items: Int?) -> Reading {
        Reading(
            waiting: Double(self.waiting.count),
            items: self.waiting.prefix(items ?? 0).map { number in
                Reading.Item(key: Array("doc-\(number)".utf8), payload: Array("{\"n\":\(number)}".utf8))
            }
        )
    }

    mutating func countForMeasure(at index: Int) {
        if self.measures[index].counted == nil {
            self.measures[index].counted = self.reading(self.measures[index].items)
        }
    }

    mutating func answerMeasure(at index: Int = 0, fails: Bool = false) {
        let measure = self.measures.remove(at: index)
        guard self.isOpen else { return }
        let failure = PluginFailure(.unavailable, "the source is down")
        self.take(
            .plugin(
                fails
                    ? .unknown(Self.trigger, revision: measure.revision, failure)
                    : .reading(
                        Self.trigger,
                        revision: measure.revision,
                        measure.counted ?? self.reading(measure.items),
                        askedAt: measure.askedAt
                    )
            )
        )
    }

    // MARK: - The API server

    func summary(_ name: String) -> JobSummary {
        let job = self.jobs[name] ?? Job(key: "", attempt: nil, uid: "")
        return JobSummary(
            key: ObjectKey(namespace: Self.key.namespace, name: name),
            owner: Self.uid,
            observed: JobTracker.Observed(
                name: name,
                uid: job.uid,
                phase: job.phase,
                item: job.key.isEmpty ? nil : ItemMark(key: job.key, attempt: job.attempt)
            )
        )
    }

    mutating func create(_ name: String, _ template: JobTemplate) -> KubernetesError? {
        guard self.jobs[name] == nil else { return KubernetesError(.alreadyExists, "exists", status: 409) }
        let body = (try? JSONValue(parsing: template.body(name: name))) ?? .null
        let annotations = body[path: "metadata", "annotations"]
        let key = annotations?["sluice.dev/item-key"]?.stringValue ?? ""
        if !key.isEmpty {
            if self.jobs.values.contains(where: { $0.key == key && !$0.isFinished }) {
                self.offences.append("\(key) has a second unfinished Job, \(name)")
            }
            self.created[key, default: 0] += 1
            if self.created[key] ?? 0 > self.attempts { self.offences.append("\(key) is tried too often, by \(name)") }
            if self.succeeded[key] ?? 0 > 0, !self.isVain(key) { self.offences.append("\(key) was finished already") }
        }
        self.lastUID += 1
        let attempt = annotations?["sluice.dev/item-attempt"]?.stringValue.flatMap { Int($0) }
        self.jobs[name] = Job(key: key, attempt: attempt, uid: "uid-\(self.lastUID)")
        self.mostUnfinished = Swift.max(self.mostUnfinished, self.jobs.values.count { !$0.isFinished })
        self.unseen.append(.upserted(self.summary(name)))
        return nil
    }

    private func isVain(_ key: String) -> Bool {
        Int(key.dropFirst(4)).flatMap { self.natures[$0] } == .finishesInVain
    }

    mutating func finish(_ name: String, fails: Bool? = nil, _ random: inout SystemOrSeededGenerator) {
        guard var job = self.jobs[name], !job.isFinished else { return }
        self.clock += 1
        let number = Int(job.key.dropFirst(4)) ?? -1
        let nature = self.natures[number] ?? .good
        let hasFailed = fails ?? (nature == .alwaysFails || nature == .flaky && Bool.random(using: &random))
        job.phase = hasFailed ? .failed(at: self.clock) : .succeeded(at: self.clock)
        if !hasFailed {
            self.succeeded[job.key, default: 0] += 1
            if nature != .finishesInVain { self.waiting.removeAll { $0 == number } }
        }
        self.jobs[name] = job
        self.unseen.append(.upserted(self.summary(name)))
    }

    mutating func vanish(_ name: String) {
        guard self.jobs[name] != nil else { return }
        let summary = self.summary(name)
        self.jobs[name] = nil
        self.unseen.append(.deleted(summary))
    }

    mutating func showNext() {
        if !self.unseen.isEmpty { self.take(.jobs(self.unseen.removeFirst(), scope: nil)) }
    }

    mutating func arriveStray(at index: Int = 0) {
        let stray = self.strays.remove(at: index)
        if self.create(stray.name, stray.template) == nil { self.strayJobs += 1 }
    }

    mutating func answerCall(at index: Int = 0, _ fault: ModelCluster.Fault = .none) {
        let call = self.calls.remove(at: index)
        switch call {
        case .createJob(let job, let template):
            self.take(.jobCreated(job, self.write(fault) { $0.create(job.key.name, template) }))
        case .tryTemplate(let owner, let revision, _, _):
            self.take(.templateTried(owner: owner, revision: revision, self.write(fault) { _ in nil }))
        case .lookUpJob(let job):
            let found = self.jobs[job.key.name] == nil ? nil : self.summary(job.key.name)
            self.take(.jobLookedUp(job, self.write(fault) { _ in nil }.map { found }))
        case .deleteJob(let job, _):
            // Nothing of a host that is gone arrives so late.
            self.strays = []
            self.take(
                .jobDeleted(
                    job,
                    self.write(fault) { world in
                        if world.jobs[job.key.name]?.isFinished == false {
                            world.offences.append("\(job.key.name) was deleted while it ran")
                        }
                        world.vanish(job.key.name)
                        return nil
                    }
                )
            )
        case .writeStatus(let owner, _, _):
            self.take(.statusWritten(owner: owner, self.write(fault) { _ in nil }))
        default: break
        }
    }

    private mutating func write(
        _ fault: ModelCluster.Fault,
        _ apply: (inout ItemWorld) -> KubernetesError?
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
        self.offences.append("never comes to rest")
    }

    /// Lets polls pass and Jobs run until nothing changes any more.
    mutating func workOff(_ random: inout SystemOrSeededGenerator, rounds: Int = 60) {
        for _ in 0..<rounds {
            self.settle()
            for name in self.jobs.keys.sorted() { self.finish(name, &random) }
            self.settle()
            self.advance(.seconds(10))
        }
        self.settle()
    }

    var unfinished: [String] { self.jobs.filter { !$0.value.isFinished }.keys.sorted() }

    var decision: String { self.machine.snapshots().first?.explanation ?? "" }
}
