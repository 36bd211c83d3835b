import Controller
import Kubernetes
import Standalone

/// A cluster, its hosts, plugins, sources, workers and people, on one thread and by a clock of its own.
///
/// Whatever happens is an entry of the agenda, and whatever is left to chance comes from the seed, so that a seed repeats a
/// run. That needs `SWIFT_DETERMINISTIC_HASHING`: the order of sets and dictionaries is chance as well.
final class World {
    let mutation: Mutation?
    var dice: Dice
    var weather: Weather
    var agenda = Agenda()
    let start: ContinuousClock.Instant
    var now: ContinuousClock.Instant
    var trace: Trace
    var faults: [Fault: Int] = [:]
    var steps = 0
    /// What must never be, in words; the run ends with it.
    var violation: String?

    var api: ClusterAPI
    /// Up to where the world has taken note of what was written.
    var noted: Int64 = 0
    var hosts: [Host] = []
    var sources: [String: Source] = [:]
    var workers: [String: Worker] = [:]
    var plans: [ObjectKey: Plan] = [:]

    /// Every Job that exists, by UID.
    var jobs: [String: JobTruth] = [:]
    /// Templates that the server made a Job of in a trial, by ScaledJob.
    var accepted: Set<String> = []
    /// Who began to act last, and when.
    var lastLeader: (process: Process, since: ContinuousClock.Instant)?
    /// Job templates, read once.
    var bodies: [(template: JobTemplate, body: JSONValue)] = []
    /// Under which maximum each Job was asked for, by UID.
    var allowances: [String: Int] = [:]
    var createdJobs = 0
    var deletedJobs = 0
    /// The type whose plugin stays broken to the end, to see that nobody else suffers from it.
    var brokenForGood: String?

    init(seed: UInt64, mutation: Mutation? = nil, keepsTrace: Bool = false) {
        self.mutation = mutation
        self.dice = Dice(seed: seed)
        self.weather = Weather(&self.dice)
        // Where time begins does not matter: nothing but differences is ever looked at.
        self.start = ContinuousClock.now
        self.now = self.start
        self.trace = Trace(keeps: keepsTrace, start: self.start)
        self.api = ClusterAPI(seed: seed)
    }

    // MARK: - Time

    var elapsed: Duration { self.now - self.start }

    /// The server's wall clock.
    var seconds: Int64 { 1_750_000_000 + self.elapsed.components.seconds }
    var time: String { KubernetesTime(secondsSinceEpoch: self.seconds).description }

    func schedule(
        after pause: Duration,
        on host: Host? = nil,
        _ label: StaticString,
        _ action: @escaping (World) -> Void
    ) {
        let instant = self.now + (pause > .zero ? pause : .nanoseconds(1))
        self.agenda.add(at: instant, process: host?.process, label, action)
    }

    /// Runs until the end of the time, or until a rule is broken.
    func run(for time: Duration) {
        let end = self.now + time
        self.schedule(after: time, "end of a stretch") { _ in }
        while self.violation == nil, self.now < end, let entry = self.agenda.next() { self.perform(entry) }
    }

    private func perform(_ entry: Agenda.Entry) {
        if let process = entry.process {
            let host = self.hosts[process.host]
            guard host.life == process.life else { return }
            if let until = host.stoppedUntil, until > entry.at {
                // Then all at once, in an order that nobody has promised.
                let shuffle = UInt64(self.dice.number(1...1_000_000))
                return self.agenda.add(
                    at: until,
                    process: process,
                    entry.label,
                    shuffle: shuffle,
                    entry.action
                )
            }
        }
        // No two things happen at the same time.
        self.now = Swift.max(entry.at, self.now + .nanoseconds(1))
        self.steps += 1
        self.trace.step(entry)
        entry.action(self)
        self.noteWrites()
    }

    // MARK: - Notes

    func note(_ place: @autoclosure () -> String, _ words: () -> String) {
        self.trace.note(self.now, place(), words)
    }

    func count(_ fault: Fault) {
        self.faults[fault, default: 0] += 1
        self.note("fault") { fault.rawValue }
    }

    func violate(_ words: String) {
        guard self.violation == nil else { return }
        self.violation = words
        self.note("VIOLATION") { words }
    }

    // MARK: - What was written

    /// Looks at what was written since the last time: the truth of the Jobs, workers, and watches that have news.
    func noteWrites() {
        guard self.noted < self.api.store.revision else { return }
        var resources: Set<APIResource> = []
        while self.noted < self.api.store.revision {
            self.noted += 1
            guard let change = self.api.store.log[self.noted] else { continue }
            resources.insert(change.resource)
            self.trace.mix(UInt64(bitPattern: self.noted))
            guard change.resource == .jobs else { continue }
            self.jobChanged(change.before, change.after)
        }
        for host in self.hosts {
            guard let acting = host.acting else { continue }
            for reflector in acting.reflectors.values
            where reflector.isWatching && !reflector.isDeliveryDue && resources.contains(reflector.kind.resource) {
                self.deliverSoon(reflector, on: host)
            }
        }
    }

    private func jobChanged(_ before: JSONValue?, _ after: JSONValue?) {
        guard let after else {
            guard let before else { return }
            self.jobs[before.uid] = nil
            return self.workerDies(before.uid)
        }
        var truth = JobTruth(after)
        self.trace.mix(truth.key.name.utf8)
        truth.isResurrected = !truth.isFinished && self.jobs[truth.uid]?.isResurrected ?? false
        self.jobs[truth.uid] = truth
        self.see(after, truth)
    }

    func unfinished(of owner: String) -> Int { self.jobs.values.count { $0.owner == owner && !$0.isFinished } }

    /// Unfinished Jobs whose end etcd forgot.
    func resurrected(of owner: String) -> Int {
        self.jobs.values.count { $0.owner == owner && !$0.isFinished && $0.isResurrected }
    }
}
