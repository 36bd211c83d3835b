import FoundationEssentials
import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

@testable import Controller

/// A cluster of some ScaledJobs with backlogs, budgets and quotas, where every call is answered at once.
///
/// Its quotas work as the API server's: a Job object is counted in the moment in which it is stored and refused beyond the
/// quota; everything else is counted by a controller, and seen by the host, only when the test says so.
struct BudgetBench {
    struct BenchJob {
        var owner: String
        var uid: String
        var needs: JobNeeds
        var isFinished = false
    }

    var machine: ControllerMachine
    var now = ContinuousClock.now
    var scaledJobs: [String: ScaledJob] = [:]
    /// What waits, by the UID of the ScaledJob; a finished Job has taken one away.
    var backlog: [String: Int] = [:]
    var jobs: [ObjectKey: BenchJob] = [:]
    /// The `hard` of one quota for each namespace.
    var quotas: [String: PodResources.Amounts] = [:]
    var refusals = 0
    var most: [String: Int] = [:]
    /// The status of each budget as it was written.
    var statuses: [String: JSONValue] = [:]
    var statusWrites: [(name: String, at: ContinuousClock.Instant)] = []
    var logs: [LogRecord] = []
    var asksForNamespaces = false
    var scaledJobStatuses: [String: JSONValue] = [:]
    private var waiting: [ControllerInput] = []
    private var lastUID = 0

    init(_ change: (inout ControllerConfiguration) -> Void = { _ in }) {
        var configuration = ControllerConfiguration(version: "test")
        configuration.watchesLimits = true
        change(&configuration)
        self.machine = ControllerMachine(configuration: configuration, now: self.now, seed: 1)
    }

    // MARK: - Objects

    static func scaledJob(
        _ key: String,
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        maximum: Int = 1_000,
        job: JSONValue? = nil
    ) -> JSONValue {
        let parts = key.split(separator: "/").map(String.init)
        return [
            "metadata": [
                "name": .string(parts[1]), "namespace": .string(parts[0]),
                "labels": .object(labels.mapValues(JSONValue.string)),
                "annotations": .object(annotations.mapValues(JSONValue.string)),
            ],
            "spec": [
                "maxReplicaCount": .integer(Int64(maximum)), "pollingInterval": 10,
                "successfulJobsHistoryLimit": 5,
                "jobTargetRef": job ?? ["template": ["spec": ["containers": [["name": "main", "image": "worker"]]]]],
                "triggers": [["type": "mongodb", "metadata": [:]]],
            ],
        ]
    }

    /// Adds a ScaledJob, or takes a new version of it; its UID is `namespace/name`.
    mutating func apply(_ manifest: JSONValue, waiting: Int? = nil) {
        var object = manifest
        let namespace = object[path: "metadata", "namespace"]?.stringValue ?? "default"
        let uid = "\(namespace)/\(object[path: "metadata", "name"]?.stringValue ?? "")"
        var metadata = object["metadata"] ?? [:]
        metadata["namespace"] = .string(namespace)
        metadata["uid"] = .string(uid)
        object["metadata"] = metadata
        guard let scaledJob = try? JSONDecoder().decode(ScaledJob.self, from: Data(object.encoded())) else { return }
        self.scaledJobs[uid] = scaledJob
        if let waiting { self.backlog[uid] = waiting }
        self.take(.scaledJobs(.upserted(scaledJob), scope: nil))
    }

    static func budget(_ name: String, _ spec: JSONValue, generation: Int64 = 1) -> JobBudget {
        JobBudget(metadata: ObjectMetadata(name: name, uid: "uid-\(name)", generation: generation), spec: spec)
    }

    /// Everything that a host lists when it starts; the rest comes as changes.
    mutating func list(budgets: [JobBudget] = [], ranges: [LimitRange] = []) {
        self.listWork()
        self.take(.limitRanges(.replaced(ranges, startedAt: self.now), scope: nil))
        self.take(.quotas(.replaced(self.quotas.keys.map { self.quota($0) }, startedAt: self.now), scope: nil))
        self.take(.budgets(.replaced(budgets, startedAt: self.now)))
    }

    /// The same without what sets limits.
    mutating func listWork() {
        let declaration = TriggerTypeDeclaration(type: "mongodb", help: "", parameters: [])
        let offer = TriggerTypeOffer(plugin: "mongodb", isConnected: true, declaration: declaration)
        self.take(.plugin(.offers(["mongodb": offer])))
        self.take(.authentications(.replaced([], startedAt: self.now), scope: nil))
        self.take(.clusterAuthentications(.replaced([], startedAt: self.now)))
        self.take(.scaledJobs(.replaced(Array(self.scaledJobs.values), startedAt: self.now), scope: nil))
        self.take(.jobs(.replaced([], startedAt: self.now), scope: nil))
    }

    // MARK: - Quotas

    /// What a namespace uses, by the rules of a quota.
    private func used(_ namespace: String) -> ResourceAmounts {
        var used = ResourceAmounts()
        for (key, job) in self.jobs where key.namespace == namespace {
            if !job.isFinished { used += job.needs.cost() }
            used[QuotaRoom.jobObjects] += 1_000
        }
        return used
    }

    func quota(_ namespace: String) -> ResourceQuota {
        let hard = self.quotas[namespace] ?? [:]
        let used = self.used(namespace)
        let amounts = hard.reduce(into: PodResources.Amounts()) { amounts, entry in
            let name = entry.key.hasPrefix("requests.") ? String(entry.key.dropFirst(9)) : entry.key
            amounts[entry.key] = Quantity.text(thousandths: used[name])
        }
        return ResourceQuota(
            metadata: ObjectMetadata(name: "quota", namespace: namespace),
            wanted: hard,
            hard: hard,
            used: amounts
        )
    }

    /// Lets the host see what the quota counts now.
    mutating func showQuota(_ namespace: String) { self.take(.quotas(.upserted(self.quota(namespace)), scope: nil)) }

    private func isRefused(_ key: ObjectKey) -> Bool {
        guard let text = self.quotas[key.namespace]?[QuotaRoom.jobObjects], let hard = Quantity(text)?.thousandths
        else { return false }
        return self.used(key.namespace)[QuotaRoom.jobObjects] + 1_000 > hard
    }

    // MARK: - Jobs

    func unfinished(_ uid: String? = nil) -> Int {
        self.jobs.values.count { !$0.isFinished && (uid == nil || $0.owner == uid) }
    }

    /// Unfinished Jobs of every ScaledJob that has any.
    var running: [String: Int] {
        self.jobs.values.reduce(into: [:]) { if !$1.isFinished { $0[$1.owner, default: 0] += 1 } }
    }

    mutating func finish(_ number: Int, of uid: String? = nil) {
        let names = self.jobs.filter { !$0.value.isFinished && (uid == nil || $0.value.owner == uid) }.keys
            .sorted().prefix(number)
        for key in names {
            guard var job = self.jobs[key] else { continue }
            job.isFinished = true
            self.jobs[key] = job
            self.backlog[job.owner, default: 0] -= 1
            self.take(.jobs(.upserted(self.summary(key, job)), scope: nil))
        }
    }

    private func summary(_ key: ObjectKey, _ job: BenchJob) -> JobSummary {
        JobSummary(
            key: key,
            owner: job.owner,
            observed: JobTracker.Observed(
                name: key.name,
                uid: job.uid,
                phase: job.isFinished ? .succeeded(at: 1) : .unfinished
            ),
            needs: job.needs
        )
    }

    // MARK: - Going on

    /// Lets one thing happen, and with it everything that the machine asks for and gets at once.
    mutating func take(_ input: ControllerInput) {
        self.waiting.append(input)
        var first = 0
        while first < self.waiting.count {
            let input = self.waiting[first]
            first += 1
            self.now += .microseconds(1)
            let moment = Moment(instant: self.now, unixSeconds: 1_700_000_000)
            for action in self.machine.handle(input, at: moment) { self.perform(action) }
        }
        self.waiting = []
    }

    private mutating func perform(_ action: ControllerAction) {
        switch action {
        case .setTrigger(let id, let revision, _):
            self.waiting.append(.plugin(.opened(id, revision: revision, OpenedTrigger(target: 1))))
        case .measure(let ids):
            for id in ids {
                let reading = Reading(waiting: Double(Swift.max(0, self.backlog[id.owner] ?? 0)))
                self.waiting.append(.plugin(.reading(id, revision: 1, reading, askedAt: self.now)))
            }
        case .tryTemplate(let owner, let revision, _, _):
            self.waiting.append(.templateTried(owner: owner, revision: revision, .success(())))
        case .createJob(let job, let template): self.create(job, template)
        case .deleteJob(let job, _):
            guard let gone = self.jobs.removeValue(forKey: job.key) else { return }
            self.waiting.append(.jobDeleted(job, .success(())))
            self.waiting.append(.jobs(.deleted(self.summary(job.key, gone)), scope: nil))
        case .writeStatus(let owner, _, let patch):
            self.scaledJobStatuses[owner] = patch["status"]
            self.waiting.append(.statusWritten(owner: owner, .success(())))
        case .writeBudgetStatus(let name, let patch):
            self.statusWrites.append((name, self.now))
            self.statuses[name] = Self.merge(patch["status"] ?? [:], into: self.statuses[name] ?? [:])
            self.waiting.append(.budgetStatusWritten(name, .success(())))
        case .watchNamespaces: self.asksForNamespaces = true
        case .log(let record): self.logs.append(record)
        default: break
        }
    }

    private mutating func create(_ job: JobReference, _ template: JobTemplate) {
        guard !self.isRefused(job.key) else {
            self.refusals += 1
            let error = KubernetesError(.forbidden, "exceeded quota: quota", status: 403)
            return self.waiting.append(.jobCreated(job, .failure(error)))
        }
        self.lastUID += 1
        let spec = try? JSONValue(parsing: template.body(name: job.key.name))["spec"]
        let created = BenchJob(
            owner: job.owner,
            uid: "job-\(self.lastUID)",
            needs: JobNeeds(jobTargetRef: (spec ?? nil) ?? [:])
        )
        self.jobs[job.key] = created
        for (uid, count) in self.running { self.most[uid] = Swift.max(self.most[uid] ?? 0, count) }
        self.most[""] = Swift.max(self.most[""] ?? 0, self.unfinished())
        self.waiting.append(.jobCreated(job, .success(())))
        self.waiting.append(.jobs(.upserted(self.summary(job.key, created)), scope: nil))
    }

    private static func merge(_ patch: JSONValue, into value: JSONValue) -> JSONValue {
        guard let members = patch.objectValue else { return patch }
        var result = value.objectValue ?? [:]
        for (key, member) in members {
            result[key] = member == .null ? nil : Self.merge(member, into: result[key] ?? .null)
        }
        return .object(result)
    }

    /// Lets time pass, with every wake-up on the way.
    mutating func wait(_ pause: Duration) {
        let end = self.now + pause
        while let next = self.machine.nextWake, next <= end {
            self.now = Swift.max(self.now, next)
            self.take(.tick)
        }
        self.now = Swift.max(self.now, end)
        self.take(.tick)
    }
}
