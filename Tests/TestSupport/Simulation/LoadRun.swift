import Controller
import DequeModule
internal import FoundationEssentials
import HeapModule
import Kubernetes
import PluginHost
import PluginProtocol
import Standalone

/// Many ScaledJobs on the simulated server, half of them with work: what the controller costs.
///
/// Only the time inside the machine is taken, by the real clock; everything else happens by the simulated one.
package struct LoadRun {
    /// What it came to.
    package struct Figures: Sendable {
        /// Inputs of each kind, and the time that the machine took for them.
        package fileprivate(set) var spent: [String: (count: Int, time: Duration)] = [:]
        package fileprivate(set) var decisions = 0
        package fileprivate(set) var createdJobs = 0
        package fileprivate(set) var deletedJobs = 0
        package fileprivate(set) var statusWrites = 0
        /// Readings asked for of ScaledJobs without work, and everything else that was done for them once they were known.
        package fileprivate(set) var idlePolls = 0
        package fileprivate(set) var idleActions = 0
        package fileprivate(set) var residentKilobytes = 0

        package var total: Duration { self.spent.values.reduce(.zero) { $0 + $1.time } }
        package var microsecondsPerDecision: Double {
            let parts = self.total.components
            return (Double(parts.seconds) * 1e6 + Double(parts.attoseconds) * 1e-12) / Double(max(1, self.decisions))
        }
    }

    private struct Finish: Comparable {
        let at: ContinuousClock.Instant
        let key: ObjectKey

        static func < (left: Finish, right: Finish) -> Bool { (left.at, left.key) < (right.at, right.key) }
    }

    private let count: Int
    private var api = ClusterAPI(seed: 1)
    private var machine: ControllerMachine
    private var now: ContinuousClock.Instant
    private let start: ContinuousClock.Instant
    private var finishes = Heap<Finish>()
    private var revisions: [TriggerID: UInt64] = [:]
    private var idle: Set<String> = []
    private var figures = Figures()
    private var pending: Deque<ControllerAction> = []
    private var isPerforming = false

    package init(count: Int) {
        self.count = count
        self.start = .now
        self.now = self.start
        self.machine = ControllerMachine(
            configuration: ControllerConfiguration(version: "measured"),
            now: self.start,
            seed: 1
        )
    }

    private var decisions: Int { self.machine.metrics().totals.decisions.values.reduce(0, +) }

    private var time: String {
        KubernetesTime(secondsSinceEpoch: 1_750_000_000 + (self.now - self.start).components.seconds).description
    }

    /// Starts with all of them, lets things settle, and then takes the time of some polling intervals.
    package mutating func run() -> Figures {
        self.begin()
        self.advance(by: .seconds(60))
        self.figures = Figures()
        let before = self.decisions
        self.advance(by: .seconds(120))
        self.figures.decisions = self.decisions - before
        self.figures.residentKilobytes = Self.residentKilobytes
        return self.figures
    }

    private mutating func begin() {
        for number in 0..<self.count {
            var plan = Plan(
                key: ObjectKey(namespace: "team-\(number % 50)", name: "job-\(number)"),
                types: ["counter"]
            )
            plan.interval = 30
            plan.keepsSucceeded = 0
            var manifest = plan.manifest
            manifest["spec"]?["triggers"] = [["type": "counter", "metadata": ["queue": .string("q\(number)")]]]
            guard
                case .success(let object) = self.api.create(
                    .scaledJobs,
                    manifest,
                    in: plan.key.namespace,
                    now: self.time
                )
            else { continue }
            if number % 2 == 0 { self.idle.insert(object.uid) }
        }
        self.take("start", .authentications(.replaced([], startedAt: self.now), scope: nil))
        self.take("start", .clusterAuthentications(.replaced([], startedAt: self.now)))
        let offer = TriggerTypeOffer(plugin: "counter", isConnected: true, declaration: World.declaration("counter"))
        self.take("start", .plugin(.offers(["counter": offer])))
        let scaledJobs = self.api.list(.scaledJobs).map { ScaledJob($0) }
        self.take("start", .scaledJobs(.replaced(scaledJobs, startedAt: self.now), scope: nil))
        self.take("start", .jobs(.replaced([], startedAt: self.now), scope: nil))
    }

    private mutating func advance(by pause: Duration) {
        let end = self.now + pause
        while true {
            let wake = self.machine.nextWake ?? end
            let finish = self.finishes.min?.at ?? end
            guard Swift.min(wake, finish) < end else { break }
            self.now = Swift.max(self.now, Swift.min(wake, finish))
            if finish <= wake, let due = self.finishes.popMin() {
                self.end(due.key)
            } else {
                self.take("tick", .tick)
            }
        }
        self.now = end
    }

    private mutating func end(_ key: ObjectKey) {
        let condition: JSONValue = ["type": "Complete", "status": "True", "lastTransitionTime": .string(self.time)]
        let patch: JSONValue = ["status": ["conditions": [condition]]]
        guard case .success(let job) = self.api.patch(.jobs, key, patch, status: true) else { return }
        self.take("Job", .jobs(.upserted(JobSummary(Job(job))), scope: nil))
    }

    private mutating func take(_ kind: String, _ input: ControllerInput) {
        self.now += .nanoseconds(2)
        let moment = Moment(
            instant: self.now,
            unixSeconds: 1_750_000_000 + (self.now - self.start).components.seconds
        )
        let began = ContinuousClock.now
        let actions = self.machine.handle(input, at: moment)
        let time = ContinuousClock.now - began
        let before = self.figures.spent[kind] ?? (0, .zero)
        self.figures.spent[kind] = (before.count + 1, before.time + time)
        self.pending.append(contentsOf: actions)
        guard !self.isPerforming else { return }
        self.isPerforming = true
        while let action = self.pending.popFirst() { self.perform(action) }
        self.isPerforming = false
    }

    private mutating func perform(_ action: ControllerAction) {
        switch action {
        case .setTrigger(let id, let revision, _):
            self.revisions[id] = revision
            self.take(
                "opened",
                .plugin(.opened(id, revision: revision, OpenedTrigger(target: 1, counts: .untilFinished)))
            )
        case .measure(let ids):
            for id in ids {
                let isIdle = self.idle.contains(id.owner)
                if isIdle { self.figures.idlePolls += 1 }
                let reading = Reading(waiting: isIdle ? 0 : 3)
                self.take(
                    isIdle ? "idle reading" : "reading",
                    .plugin(.reading(id, revision: self.revisions[id] ?? 0, reading, askedAt: self.now))
                )
            }
        case .tryTemplate(let owner, let revision, _, _):
            self.take("trial", .templateTried(owner: owner, revision: revision, .success(())))
        case .createJob(let job, let template):
            self.figures.createdJobs += 1
            guard let body = try? JSONValue(parsing: template.body(name: job.key.name)),
                case .success(let object) = self.api.create(.jobs, body, in: job.key.namespace, now: self.time)
            else { return }
            self.take("created", .jobCreated(job, .success(())))
            self.take("Job", .jobs(.upserted(JobSummary(Job(object))), scope: nil))
            self.finishes.insert(Finish(at: self.now + .seconds(10), key: job.key))
        case .deleteJob(let job, _):
            self.figures.deletedJobs += 1
            guard case .success(let object) = self.api.get(.jobs, job.key) else { return }
            _ = self.api.delete(.jobs, job.key, now: self.time)
            self.take("deleted", .jobDeleted(job, .success(())))
            self.take("Job", .jobs(.deleted(JobSummary(Job(object))), scope: nil))
        case .writeStatus(let owner, let key, let patch):
            self.figures.statusWrites += 1
            if self.idle.contains(owner) { self.figures.idleActions += 1 }
            _ = self.api.patch(.scaledJobs, key, patch, status: true)
            self.take("status", .statusWritten(owner: owner, .success(())))
        default: break
        }
    }

    private static var residentKilobytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        for line in status.split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "") ?? 0
        }
        return 0
    }
}
