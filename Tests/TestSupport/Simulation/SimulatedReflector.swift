import Controller
import Kubernetes
import Standalone

/// The list and watch of one resource by one host: the real machine decides, the world's server answers.
final class SimulatedReflector {
    enum Kind: Hashable {
        case scaledJobs, jobs, pods, authentications, clusterAuthentications
        case secret(ObjectKey)

        var resource: APIResource {
            switch self {
            case .scaledJobs: .scaledJobs
            case .jobs: .jobs
            case .pods: .pods
            case .authentications: .triggerAuthentications
            case .clusterAuthentications: .clusterTriggerAuthentications
            case .secret: .secrets
            }
        }

        func contains(_ object: JSONValue) -> Bool {
            if case .secret(let key) = self { object.key == key } else { true }
        }
    }

    let kind: Kind
    var machine = ReflectorStateMachine()
    var listStartedAt: ContinuousClock.Instant
    /// How far it has read, and in which history.
    var cursor: Int64 = 0
    var epoch = 0
    var isWatching = false
    var isDeliveryDue = false
    /// Tells one watch from the next.
    var watch = 0

    init(_ kind: Kind, now: ContinuousClock.Instant) {
        self.kind = kind
        self.listStartedAt = now
    }
}

extension World {
    func reflect(_ kind: SimulatedReflector.Kind, on host: Host) {
        guard let acting = host.acting, acting.reflectors[kind] == nil else { return }
        let reflector = SimulatedReflector(kind, now: self.now)
        acting.reflectors[kind] = reflector
        self.run(reflector.machine.start, reflector, on: host)
    }

    private func isCurrent(_ reflector: SimulatedReflector, on host: Host) -> Bool {
        host.acting?.reflectors[reflector.kind] === reflector
    }

    private func run(_ step: ReflectorStateMachine.Step, _ reflector: SimulatedReflector, on host: Host) {
        guard self.isCurrent(reflector, on: host) else { return }
        switch step {
        case .wait(let pause):
            self.schedule(after: pause, on: host, "reflector waited") { world in
                world.run(reflector.machine.waited(using: &world.dice), reflector, on: host)
            }
        case .list: self.list(reflector, on: host)
        case .watch(_, let timeout): self.openWatch(reflector, timeout, on: host)
        }
    }

    private func list(_ reflector: SimulatedReflector, on host: Host) {
        reflector.listStartedAt = self.now
        let kind = reflector.kind
        let fails = self.dice.chance(self.weather.chance(of: .failedList, 0.1))
        if fails { self.count(.failedList) }
        self.request(on: host, timeout: .seconds(60), fails ? .failing : .reading, "list") { world in
            let isStale = world.mutation == .listsFromCache && kind == .jobs
            let items = isStale ? world.api.staleList(kind.resource) : world.api.list(kind.resource)
            return .success((items.filter(kind.contains), world.api.store.revision, world.api.epoch))
        } answer: { world, result in
            guard world.isCurrent(reflector, on: host) else { return }
            switch result {
            case .success((let items, let revision, let epoch)):
                (reflector.cursor, reflector.epoch) = (revision, epoch)
                _ = reflector.machine.pageReceived(resourceVersion: String(revision), continueToken: nil)
                world.note(host.name) { "lists \(items.count) \(kind.resource.plural) as of revision \(revision)" }
                world.tell(reflector, .replaced(items), on: host)
                world.run(reflector.machine.watchNext(using: &world.dice), reflector, on: host)
            case .failure(let error):
                world.take(reflector.machine.listFailed(error, using: &world.dice), error, reflector, on: host)
            }
        }
    }

    private func take(
        _ outcome: ReflectorStateMachine.Outcome,
        _ error: KubernetesError,
        _ reflector: SimulatedReflector,
        on host: Host
    ) {
        self.note(host.name) { "lost sight of \(reflector.kind.resource.plural): \(error)" }
        if outcome.tellsInterruption { self.tell(reflector, .interrupted(error), on: host) }
        self.run(outcome.step, reflector, on: host)
    }

    // MARK: - Watching

    private func openWatch(_ reflector: SimulatedReflector, _ timeout: Duration, on host: Host) {
        reflector.watch += 1
        let watch = reflector.watch
        self.schedule(after: self.dice.time(0.001, 0.05), on: host, "watch opens") { world in
            guard world.isCurrent(reflector, on: host), reflector.watch == watch else { return }
            let isTooOld = world.dice.chance(world.weather.chance(of: .expiredWatch, 0.15))
            guard !isTooOld, reflector.epoch == world.api.epoch else {
                if isTooOld { world.count(.expiredWatch) }
                return world.expire(reflector, on: host)
            }
            reflector.machine.watchOpened(at: world.now)
            reflector.isWatching = true
            world.deliverSoon(reflector, on: host)
            world.schedule(after: timeout, on: host, "watch ends") { world in
                guard world.isCurrent(reflector, on: host), reflector.watch == watch else { return }
                world.endWatch(reflector, on: host, isClean: true)
            }
        }
    }

    /// The server no longer has what happened since: 410.
    private func expire(_ reflector: SimulatedReflector, on host: Host) {
        reflector.isWatching = false
        reflector.watch += 1
        if self.mutation == .skipsRelist {
            (reflector.cursor, reflector.epoch) = (self.api.store.revision, self.api.epoch)
            return self.openWatch(reflector, .seconds(300), on: host)
        }
        let error = KubernetesError(.expired, "too old resource version", retry: .relist, status: 410)
        let outcome = reflector.machine.watchFailed(error, isEvent: true, at: self.now, using: &self.dice)
        self.take(outcome, error, reflector, on: host)
    }

    func endWatch(_ reflector: SimulatedReflector, on host: Host, isClean: Bool) {
        guard reflector.isWatching, self.isCurrent(reflector, on: host) else { return }
        reflector.isWatching = false
        reflector.watch += 1
        let error = KubernetesError(.unreachable, "the connection ended", retry: .after(.milliseconds(500)))
        let outcome =
            isClean
            ? reflector.machine.watchEnded(at: self.now, using: &self.dice)
            : reflector.machine.watchFailed(error, at: self.now, using: &self.dice)
        self.take(outcome, error, reflector, on: host)
    }

    /// Has the watch read on after a while.
    func deliverSoon(_ reflector: SimulatedReflector, on host: Host) {
        guard reflector.isWatching, !reflector.isDeliveryDue else { return }
        reflector.isDeliveryDue = true
        var lag = self.dice.time(0.002, 0.04)
        if self.dice.chance(self.weather.chance(of: .staleWatch, 0.06)) {
            self.count(.staleWatch)
            lag = self.dice.time(1, 15)
        }
        self.schedule(after: lag, on: host, "watch delivers") { world in
            reflector.isDeliveryDue = false
            guard world.isCurrent(reflector, on: host), reflector.isWatching else { return }
            if world.dice.chance(world.weather.chance(of: .brokenWatch, 0.01)) {
                world.count(.brokenWatch)
                return world.endWatch(reflector, on: host, isClean: world.dice.chance(0.3))
            }
            guard reflector.epoch == world.api.epoch else { return world.expire(reflector, on: host) }
            world.deliver(reflector, on: host)
        }
    }

    private func deliver(_ reflector: SimulatedReflector, on host: Host) {
        let watch = reflector.watch
        let scope = WatchScope(resource: reflector.kind.resource)
        while reflector.cursor < self.api.store.revision {
            guard let change = self.api.store.log[reflector.cursor + 1] else { return self.expire(reflector, on: host) }
            reflector.cursor += 1
            guard let event = scope.event(of: change), reflector.kind.contains(event.object) else { continue }
            reflector.machine.eventReceived(resourceVersion: event.object.metadata["resourceVersion"]?.stringValue)
            self.tell(reflector, event.kind == .deleted ? .deleted(event.object) : .upserted(event.object), on: host)
            // What was told may have ended it.
            guard self.isCurrent(reflector, on: host), reflector.isWatching, reflector.watch == watch else { return }
        }
    }
}
