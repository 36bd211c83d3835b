import Controller
import Kubernetes
import PluginHost
import Scaling
import Testing

/// A controller with one ScaledJob and the Jobs of a row, whose API server says yes to everything.
struct LifeCycleBench {
    static let uid = "0b5e7c1e-uid"

    private(set) var machine: ControllerMachine
    private(set) var deletions: [(job: String, deletion: JobDeletion)] = []
    private(set) var created: [(job: ObjectKey, template: JobTemplate)] = []
    private var now = ContinuousClock.now
    private var open: [ControllerAction] = []
    /// The answer to the deletion of each Job; success where there is none.
    var refusals: [String: KubernetesError] = [:]

    init() {
        self.machine = ControllerMachine(
            configuration: ControllerConfiguration(version: "test"),
            now: self.now,
            seed: 1
        )
    }

    static func scaledJob(
        name: String = "test",
        namespace: String = "test",
        spec members: [String: JSONValue] = [:],
        labels: [String: String]? = nil,
        annotations: [String: String]? = nil,
        generation: Int64 = 3
    ) -> ScaledJob {
        var spec: [String: JSONValue] = [
            "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "worker"]]]]],
            "triggers": [["type": "counter", "metadata": [:]]],
        ]
        for (key, value) in members { spec[key] = value }
        return ScaledJob(
            metadata: ObjectMetadata(
                name: name,
                namespace: namespace,
                uid: Self.uid,
                generation: generation,
                labels: labels,
                annotations: annotations
            ),
            spec: .object(spec)
        )
    }

    /// Runs until nothing is left to do.
    mutating func run(_ scaledJob: ScaledJob, _ jobs: [JobTracker.Observed]) {
        self.take(.jobs(.replaced(jobs.map { Self.summary($0, of: scaledJob) }, startedAt: self.now), scope: nil))
        self.take(.scaledJobs(.replaced([scaledJob], startedAt: self.now), scope: nil))
        self.answerAll()
    }

    mutating func edit(_ scaledJob: ScaledJob) {
        self.take(.scaledJobs(.upserted(scaledJob), scope: nil))
        self.answerAll()
    }

    private static func summary(_ job: JobTracker.Observed, of scaledJob: ScaledJob) -> JobSummary {
        JobSummary(
            key: ObjectKey(namespace: scaledJob.key.namespace, name: job.name),
            owner: Self.uid,
            observed: job
        )
    }

    private mutating func answerAll() {
        for _ in 0..<1_000 {
            guard !self.open.isEmpty else { return }
            switch self.open.removeFirst() {
            case .tryTemplate(let owner, let revision, _, _):
                self.take(.templateTried(owner: owner, revision: revision, .success(())))
            case .createJob(let job, let template):
                self.created.append((job.key, template))
                self.take(.jobCreated(job, .success(())))
            case .deleteJob(let job, let deletion):
                self.deletions.append((job.key.name, deletion))
                let refusal = self.refusals[job.key.name]
                self.take(.jobDeleted(job, refusal.map(Result.failure) ?? .success(())))
            case .compareTemplate(let job, let uid, _, let template, _):
                self.take(.templateCompared(job, uid: uid, hash: template.hash, .success(.different("template"))))
            case .writeStatus(let owner, _, _): self.take(.statusWritten(owner: owner, .success(())))
            default: break
            }
        }
    }

    private mutating func take(_ input: ControllerInput) {
        self.now += .nanoseconds(1)
        self.open += self.machine.handle(input, at: Moment(instant: self.now, unixSeconds: 1_700_000_000))
    }
}

extension JobTracker.Observed {
    static func finished(_ name: String, succeeded: Bool = true, at seconds: Int64) -> JobTracker.Observed {
        JobTracker.Observed(
            name: name,
            uid: "uid-\(name)",
            phase: succeeded ? .succeeded(at: seconds) : .failed(at: seconds)
        )
    }
}
