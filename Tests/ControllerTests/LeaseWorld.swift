import Controller
import Kubernetes

/// A simulated clock, one Lease and hosts that want it.
struct LeaseWorld {
    private struct Host {
        var election: LeaderElection
        /// Answers to calls of an earlier life are not for this one.
        var life = 0
        var leadsSince: ContinuousClock.Instant?
        /// It has seen that there is a Lease, or was none.
        var hasRead = false
    }

    private enum Event {
        case step(host: Int, life: Int)
        /// The server takes the write.
        case effect(host: Int, life: Int, LeaseRecord, sentAt: ContinuousClock.Instant, answered: Bool)
        case readAnswer(host: Int, life: Int, Result<LeaseRecord?, KubernetesError>)
        case writeAnswer(host: Int, life: Int, Result<LeaseRecord, KubernetesError>, sentAt: ContinuousClock.Instant)
        case crash(host: Int)
        /// A host gives the Lease back and goes.
        case leave(host: Int)
        /// Somebody deletes the Lease, or changes its holder.
        case tamper
    }

    private static let longestCall = Duration.seconds(10)
    private static let unanswered = KubernetesError(.timedOut, "no answer", mayHaveHappened: true)

    private let start = ContinuousClock.now
    private var now: ContinuousClock.Instant
    private var queue: [(at: ContinuousClock.Instant, order: Int, event: Event)] = []
    private var order = 0
    private var hosts: [Host] = []
    private var lease: LeaseRecord?
    private var version = 0
    private var deletedAt: ContinuousClock.Instant?
    private var createdAt: ContinuousClock.Instant?
    private var random: SystemOrSeededGenerator
    /// When the calls of whoever led last may end, and who that was.
    private var lastCalls: (host: Int, until: ContinuousClock.Instant)?
    private(set) var terms = 0
    private(set) var violation: String?

    init(seed: UInt64, hosts count: Int) {
        self.now = self.start
        self.random = SystemOrSeededGenerator(seed: seed)
        for host in 0..<count {
            self.hosts.append(Host(election: Self.election(host, 0, self.start)))
            self.schedule(.step(host: host, life: 0), after: self.delay(2))
        }
        self.schedule(.crash(host: 0), after: self.delay(200))
        self.schedule(.leave(host: 0), after: self.delay(200))
        self.schedule(.tamper, after: self.delay(100))
    }

    mutating func run(events: Int) {
        for _ in 0..<events where self.violation == nil && !self.queue.isEmpty {
            guard let index = self.queue.indices.min(by: { self.key($0) < self.key($1) }) else { return }
            let next = self.queue.remove(at: index)
            self.now = next.at
            self.handle(next.event)
        }
    }

    private func key(_ index: Int) -> (ContinuousClock.Instant, Int) { (self.queue[index].at, self.queue[index].order) }

    private static func election(_ host: Int, _ life: Int, _ now: ContinuousClock.Instant) -> LeaderElection {
        LeaderElection(settings: .init(identity: "host-\(host)-\(life)", longestCall: Self.longestCall), now: now)
    }

    private mutating func delay(_ seconds: Double) -> Duration {
        .seconds(1) * Double.random(in: 0...seconds, using: &self.random)
    }

    private mutating func schedule(_ event: Event, after pause: Duration) {
        self.order += 1
        self.queue.append((self.now + pause, self.order, event))
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .step(let host, let life):
            guard self.hosts[host].life == life else { return }
            self.step(host)
        case .effect(let host, let life, let record, let sentAt, let answered):
            let result = self.store(record)
            guard answered else { return }
            self.schedule(.writeAnswer(host: host, life: life, result, sentAt: sentAt), after: self.delay(0.5))
        case .readAnswer(let host, let life, let result):
            guard self.hosts[host].life == life else { return }
            if case .success = result { self.hosts[host].hasRead = true }
            self.hosts[host].election.read(result, at: self.now)
            self.step(host)
        case .writeAnswer(let host, let life, let result, let sentAt):
            guard self.hosts[host].life == life else { return }
            self.hosts[host].election.wrote(result, sentAt: sentAt, at: self.now)
            self.step(host)
        case .crash(let host):
            self.restart(host)
            self.schedule(
                .crash(host: Int.random(in: 0..<self.hosts.count, using: &self.random)),
                after: self.delay(200)
            )
        case .leave(let host):
            self.leave(host)
            self.schedule(
                .leave(host: Int.random(in: 0..<self.hosts.count, using: &self.random)),
                after: self.delay(200)
            )
        case .tamper:
            self.tamper()
            self.schedule(.tamper, after: self.delay(150))
        }
    }

    /// Its own calls have ended before it gives the Lease back.
    private mutating func leave(_ host: Int) {
        let election = self.hosts[host].election
        let mayGiveBack = election.mayGiveBack && election.deadline.map { $0 > self.now } ?? false
        let led = self.hosts[host].leadsSince != nil
        self.restart(host)
        guard mayGiveBack else { return }
        if led { self.lastCalls = nil }
        guard let lease, let record = election.release(of: lease, time: self.time) else { return }
        _ = self.store(record)
    }

    private mutating func tamper() {
        // Others may be about to create it, and have not seen that it is there.
        guard var edited = self.lease, let createdAt, self.now - createdAt > .seconds(2) else { return }
        switch Int.random(in: 0..<5, using: &self.random) {
        case 0: edited.holder = nil
        case 1: edited.holder = "nobody that lives"
        case 2:
            let host = Int.random(in: 0..<self.hosts.count, using: &self.random)
            edited.holder = "host-\(host)-\(self.hosts[host].life)"
        default:
            self.lease = nil
            self.deletedAt = self.now
            return
        }
        _ = self.store(edited)
    }

    private var time: KubernetesTime {
        KubernetesTime(secondsSinceEpoch: 1_000 + (self.now - self.start).components.seconds)
    }

    private mutating func step(_ host: Int) {
        let life = self.hosts[host].life
        // Whoever begins while the Lease has just been deleted can't know that anybody leads.
        if let deletedAt, !self.hosts[host].hasRead, self.now < deletedAt + .seconds(20) {
            return self.schedule(.step(host: host, life: life), after: deletedAt + .seconds(20) - self.now)
        }
        let step = self.hosts[host].election.step(at: self.now, time: self.time)
        self.check(host)
        switch step {
        case .stop: self.restart(host)
        case .wait(let until): self.schedule(.step(host: host, life: life), after: until - self.now)
        case .read(let timeout):
            if self.chance(0.1) {
                self.schedule(.readAnswer(host: host, life: life, .failure(Self.unanswered)), after: timeout)
            } else {
                self.schedule(.readAnswer(host: host, life: life, .success(self.lease)), after: self.delay(0.5))
            }
        case .write(let record, let timeout):
            let isLost = self.chance(0.1)
            let happens = !isLost || self.chance(0.5)
            // An unanswered write may happen long after the client gave it up.
            if happens {
                self.schedule(
                    .effect(host: host, life: life, record, sentAt: self.now, answered: !isLost),
                    after: isLost ? self.delay(10) : self.delay(0.5)
                )
            }
            if isLost {
                self.schedule(
                    .writeAnswer(host: host, life: life, .failure(Self.unanswered), sentAt: self.now),
                    after: timeout
                )
            }
        }
    }

    private mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self.random) < probability
    }

    private mutating func store(_ record: LeaseRecord) -> Result<LeaseRecord, KubernetesError> {
        guard record.resourceVersion == self.lease?.resourceVersion else {
            return .failure(KubernetesError(.conflict, "changed meanwhile"))
        }
        if self.lease == nil { self.createdAt = self.now }
        self.version += 1
        var stored = record
        stored.resourceVersion = "\(self.version)"
        self.lease = stored
        return .success(stored)
    }

    /// A host that leads has nobody beside it, and no call of the one before.
    private mutating func check(_ host: Int) {
        let leads = self.hosts[host].election.standing == .leading
        if leads, self.hosts[host].leadsSince == nil {
            self.hosts[host].leadsSince = self.now
            self.terms += 1
            for other in self.hosts.indices where other != host && self.hosts[other].leadsSince != nil {
                self.violation = "\(host) and \(other) lead at \(self.now - self.start)"
            }
            if let last = self.lastCalls, last.host != host, last.until > self.now {
                self.violation = "\(host) leads while calls of \(last.host) may be under way"
            }
        } else if !leads, self.hosts[host].leadsSince != nil {
            self.endTerm(host)
        }
    }

    private mutating func endTerm(_ host: Int) {
        guard self.hosts[host].leadsSince != nil else { return }
        self.hosts[host].leadsSince = nil
        self.lastCalls = (host, self.now + Self.longestCall)
    }

    private mutating func restart(_ host: Int) {
        self.endTerm(host)
        self.hosts[host].life += 1
        self.hosts[host].hasRead = false
        let life = self.hosts[host].life
        self.hosts[host].election = Self.election(host, life, self.now)
        self.schedule(.step(host: host, life: life), after: self.delay(5))
    }
}
