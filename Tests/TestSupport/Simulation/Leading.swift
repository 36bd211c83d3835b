import Controller
import Kubernetes
import Standalone

// Who acts: the loop around the real LeaderElection, as the host's shell runs it.
extension World {
    private static let lease = ObjectKey(namespace: "sluice", name: "sluice-host")

    func boot(_ host: Host) {
        guard !host.isUp else { return }
        host.life += 1
        host.isUp = true
        host.isDraining = false
        host.stoppedUntil = nil
        let settings = LeaderElection.Settings(identity: "\(host.name)-\(host.life)")
        host.election = LeaderElection(settings: settings, now: self.now)
        self.note(host.name) { "starts" }
        self.electionStep(host)
    }

    /// Ends its process; what it has sent goes on without it.
    func end(_ host: Host, restartAfter pause: Duration) {
        host.life += 1
        host.isUp = false
        host.acting = nil
        host.election = nil
        host.stoppedUntil = nil
        self.schedule(after: pause, "restart") { $0.boot(host) }
    }

    private func electionStep(_ host: Host) {
        guard host.isUp, !host.isDraining, let step = self.stepped(host) else { return }
        switch step {
        case .stop: self.lost(host)
        case .wait(let until):
            self.schedule(after: until - self.now, on: host, "election step") { $0.electionStep(host) }
        case .read(let timeout):
            self.leaseRequest(on: host, timeout, .reading) { world in
                world.api.get(.leases, Self.lease).map { LeaseRecord($0) }
            } answer: { world, result in
                switch result {
                case .success(let record): host.election?.read(.success(record), at: world.now)
                case .failure(let error) where error.code == .notFound:
                    host.election?.read(.success(nil), at: world.now)
                case .failure(let error): host.election?.read(.failure(error), at: world.now)
                }
                world.electionStep(host)
            }
        case .write(let record, let timeout):
            let sentAt = self.now
            self.leaseRequest(on: host, timeout, .writing) { world in
                world.write(record)
            } answer: { world, result in
                host.election?.wrote(result, sentAt: sentAt, at: world.now)
                world.electionStep(host)
            }
        }
    }

    private func stepped(_ host: Host) -> LeaderElection.Step? {
        let time = KubernetesTime(secondsSinceEpoch: self.seconds + host.clockError)
        guard let step = host.election?.step(at: self.now, time: time) else { return nil }
        var mayAct = host.election?.standing == .leading
        if self.mutation == .ignoresPause, case .settling = host.election?.standing { mayAct = true }
        if mayAct, host.acting == nil { self.beginActing(host) }
        if host.acting != nil, let deadline = host.election?.deadline { self.watch(deadline, of: host) }
        return step
    }

    /// The clock of its own that ends a tenure, whatever the calls about the Lease do.
    private func watch(_ deadline: ContinuousClock.Instant, of host: Host) {
        guard host.acting?.deadline != deadline else { return }
        host.acting?.deadline = deadline
        self.schedule(after: deadline - self.now, on: host, "tenure ends") { world in
            guard let current = host.election?.deadline, current <= world.now else { return }
            world.lost(host)
        }
    }

    private func lost(_ host: Host) {
        guard host.isUp else { return }
        self.count(.leaseLost)
        if self.mutation == .ignoresLoss { return }
        self.end(host, restartAfter: self.dice.time(0.5, 5))
    }

    private func write(_ record: LeaseRecord) -> Answer<LeaseRecord> {
        let object = record.object(Self.lease)
        let result =
            record.resourceVersion == nil
            ? self.api.create(.leases, object, in: Self.lease.namespace, now: self.time)
            : self.api.replace(.leases, Self.lease, with: object)
        return result.map { LeaseRecord($0) }
    }

    private func leaseRequest<Value>(
        on host: Host,
        _ timeout: Duration,
        _ kind: RequestKind,
        perform: @escaping (World) -> Answer<Value>,
        answer: @escaping (World, Answer<Value>) -> Void
    ) {
        if let until = host.leaseUnreachableUntil, until > self.now {
            let error = KubernetesError(.timedOut, "no answer", mayHaveHappened: kind == .writing)
            let pause = Swift.min(timeout, until - self.now)
            return self.schedule(after: pause, on: host, "lease call fails") { answer($0, .failure(error)) }
        }
        // A leader that can never keep its Lease does nothing worth looking at.
        self.request(on: host, timeout: timeout, kind, share: 0.3, "lease call", perform: perform, answer: answer)
    }

    private func beginActing(_ host: Host) {
        self.note(host.name) { "leads" }
        self.lastLeader = (host.process, self.now)
        var configuration = ControllerConfiguration(version: "simulated")
        configuration.pluginGrace = .seconds(5)
        let seed = self.dice.next()
        host.acting = Acting(ControllerMachine(configuration: configuration, now: self.now, seed: seed))
        for kind: SimulatedReflector.Kind in [.scaledJobs, .authentications, .jobs, .clusterAuthentications] {
            self.reflect(kind, on: host)
        }
        self.offer(on: host)
        self.take(.tick, on: host)
    }

    // MARK: - Leaving

    /// SIGTERM: no new calls, then the Lease is given back.
    func drain(_ host: Host) {
        guard host.isUp, !host.isDraining, host.stoppedUntil == nil else { return }
        host.isDraining = true
        guard let acting = host.acting, host.election?.mayGiveBack == true else {
            return self.end(host, restartAfter: self.dice.time(1, 20))
        }
        self.schedule(after: .seconds(10), on: host, "calls took too long") { $0.end(host, restartAfter: .seconds(2)) }
        if !acting.calls.isWaiting { self.handOver(host) }
    }

    /// Every call has ended, perhaps without an answer.
    func handOver(_ host: Host) {
        guard host.isDraining, let acting = host.acting, let election = host.election else { return }
        let isSettled = !acting.calls.mayHaveEffect(at: self.now) || self.mutation == .handsOverEarly
        host.acting = nil
        guard isSettled, let deadline = election.deadline, deadline > self.now else {
            return self.end(host, restartAfter: self.dice.time(1, 20))
        }
        self.leaseRequest(on: host, .seconds(2), .writing) { world -> Answer<LeaseRecord> in
            guard case .success(let current) = world.api.get(.leases, Self.lease),
                let record = election.release(of: LeaseRecord(current), time: KubernetesTime(secondsSinceEpoch: 0))
            else { return .failure(KubernetesError(.conflict, "it is another's")) }
            world.note(host.name) { "gives the Lease back" }
            return world.write(record)
        } answer: { world, _ in
            world.end(host, restartAfter: world.dice.time(1, 20))
        }
    }
}
