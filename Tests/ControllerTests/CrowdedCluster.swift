import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

@testable import Controller

/// A cluster of many ScaledJobs, each with an authentication and a Secret of its own, where every call succeeds.
///
/// It counts what the machine does for each input rather than how long that takes.
struct CrowdedCluster {
    var machine: ControllerMachine
    var now = ContinuousClock.now
    let size: Int
    var inputs = 0
    var actions = 0
    var sentTriggers = 0
    var opened: Set<TriggerID> = []
    /// Dry runs that have been asked for and not answered.
    var trials: [ControllerInput] = []
    var mostTrialsUnderWay = 0
    /// The ScaledJobs with something to do; nil for all.
    var busy: Set<String>?
    var createdJobs = 0
    /// Names that are taken: every creation is answered with that.
    var refusesCreations = false
    /// Look-ups that have been asked for and not answered.
    var lookUps: [JobReference] = []
    var mostLookUpsUnderWay = 0
    var authenticationWrites = 0
    private var waiting: [ControllerInput] = []
    private let namespace = "crowd"

    init(_ size: Int) {
        self.size = size
        self.machine = ControllerMachine(
            configuration: ControllerConfiguration(version: "test"),
            now: self.now,
            seed: 1
        )
    }

    func key(_ index: Int) -> ObjectKey { ObjectKey(namespace: self.namespace, name: "job-\(index)") }

    func secretKey(_ index: Int) -> ObjectKey { ObjectKey(namespace: self.namespace, name: "secret-\(index)") }

    func scaledJob(_ index: Int, image: String = "worker") -> ScaledJob {
        ScaledJob(
            metadata: ObjectMetadata(
                name: "job-\(index)",
                namespace: self.namespace,
                uid: "uid-\(index)",
                generation: 1
            ),
            spec: [
                "pollingInterval": 3600,
                "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": .string(image)]]]]],
                "triggers": [
                    [
                        "type": "counter", "metadata": ["queue": "a"],
                        "authenticationRef": ["name": .string("login-\(index)")],
                    ]
                ],
            ]
        )
    }

    func authentication(_ index: Int, parameter: String = "password", users: String? = nil) -> TriggerAuthentication {
        TriggerAuthentication(
            metadata: ObjectMetadata(
                name: "login-\(index)",
                namespace: self.namespace,
                uid: "login-uid-\(index)",
                generation: parameter == "password" ? 1 : 2
            ),
            spec: [
                "secretTargetRef": [
                    ["parameter": .string(parameter), "name": .string("secret-\(index)"), "key": "p"]
                ]
            ],
            status: users.map { ["scaledjobs": .string($0)] }
        )
    }

    static func offers(
        isConnected: Bool = true,
        help: String = "Counts.",
        others: [String] = []
    ) -> [String: TriggerTypeOffer] {
        var declaration = ModelCluster.declaration
        declaration.help = help
        var offers = [
            "counter": TriggerTypeOffer(plugin: "counter", isConnected: isConnected, declaration: declaration)
        ]
        for other in others {
            let declaration = TriggerTypeDeclaration(type: other, help: "Another.", parameters: [])
            offers[other] = TriggerTypeOffer(plugin: other, isConnected: true, declaration: declaration)
        }
        return offers
    }

    /// What the machine did for one input and what followed from it.
    mutating func work(for input: ControllerInput) -> ControllerMachine.Work {
        let before = self.machine.work
        self.take(input)
        return ControllerMachine.Work(
            reconciled: self.machine.work.reconciled - before.reconciled,
            resolved: self.machine.work.resolved - before.resolved
        )
    }

    /// Lets one thing happen, and with it everything that the machine asks for and gets at once.
    mutating func take(_ input: ControllerInput) {
        self.waiting.append(input)
        while !self.waiting.isEmpty {
            let inputs = self.waiting
            self.waiting = []
            for input in inputs { self.step(input) }
        }
    }

    private mutating func step(_ input: ControllerInput) {
        self.now += .microseconds(1)
        self.inputs += 1
        for action in self.machine.handle(input, at: Moment(instant: self.now, unixSeconds: 1_700_000_000)) {
            self.actions += 1
            self.perform(action)
        }
        _ = self.machine.nextWake
    }

    private mutating func perform(_ action: ControllerAction) {
        switch action {
        case .setTrigger(let id, let revision, _):
            self.sentTriggers += 1
            self.opened.insert(id)
            self.waiting.append(.plugin(.opened(id, revision: revision, OpenedTrigger(target: 1))))
        case .measure(let ids):
            for id in ids {
                let reading = Reading(waiting: self.busy?.contains(id.owner) == false ? 0 : 1)
                self.waiting.append(.plugin(.reading(id, revision: 1, reading, askedAt: self.now)))
            }
        case .tryTemplate(let owner, let revision, _, _):
            self.trials.append(.templateTried(owner: owner, revision: revision, .success(())))
            self.mostTrialsUnderWay = Swift.max(self.mostTrialsUnderWay, self.trials.count)
        case .createJob(let job, let template):
            self.createdJobs += 1
            guard !self.refusesCreations else {
                let error = KubernetesError(.alreadyExists, "exists", status: 409)
                self.waiting.append(.jobCreated(job, .failure(error)))
                return
            }
            let observed = JobTracker.Observed(
                name: job.key.name,
                uid: "job-uid-\(self.createdJobs)",
                phase: .unfinished,
                template: TemplateMark(hash: template.hash, generation: 1)
            )
            self.waiting.append(.jobCreated(job, .success(())))
            self.waiting.append(
                .jobs(.upserted(JobSummary(key: job.key, owner: job.owner, observed: observed)), scope: nil)
            )
        case .lookUpJob(let job):
            self.lookUps.append(job)
            self.mostLookUpsUnderWay = Swift.max(self.mostLookUpsUnderWay, self.lookUps.count)
        case .writeStatus(let owner, _, _): self.waiting.append(.statusWritten(owner: owner, .success(())))
        case .writeAuthenticationStatus(let id, let users):
            self.authenticationWrites += 1
            self.waiting.append(.authenticationStatusWritten(id, scaledJobs: users, .success(())))
            guard let index = Int(id.key.name.dropFirst("login-".count)) else { return }
            // The watch shows each write of our own.
            self.waiting.append(
                .authentications(.upserted(self.authentication(index, users: users)), scope: nil)
            )
        default: break
        }
    }

    /// Brings a host up: lists, then one Secret after the other.
    mutating func start() {
        self.list()
        self.answerTrials()
        self.wake(after: .seconds(2))
    }

    /// Lets time pass until then, with every wake-up on the way.
    mutating func wake(after pause: Duration) {
        let end = self.now + pause
        while let next = self.machine.nextWake, next <= end {
            self.now = Swift.max(self.now, next)
            self.take(.tick)
        }
        self.now = Swift.max(self.now, end)
    }

    mutating func list() {
        self.listAllButJobs()
        self.listJobs()
    }

    mutating func listAllButJobs() {
        let all = 0..<self.size
        self.take(.authentications(.replaced(all.map { self.authentication($0) }, startedAt: self.now), scope: nil))
        self.take(.clusterAuthentications(.replaced([], startedAt: self.now)))
        self.take(.plugin(.offers(Self.offers())))
        self.take(.scaledJobs(.replaced(all.map { self.scaledJob($0) }, startedAt: self.now), scope: nil))
        for index in all { self.take(.secret(self.secretKey(index), .present(["p": [112]]))) }
    }

    mutating func listJobs() {
        self.take(.jobs(.replaced([], startedAt: self.now), scope: nil))
    }

    /// Answers all dry runs, also those that follow.
    mutating func answerTrials() {
        while !self.trials.isEmpty { self.take(self.trials.removeFirst()) }
    }
}
