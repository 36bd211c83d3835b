import Controller
import Kubernetes
import Standalone

// People: they change their minds, and their hands slip.
extension World {
    func actAsSomebody() {
        self.schedule(after: self.dice.time(0.2, 2) * self.weather.pauseOfUsers, "somebody acts") { world in
            guard !world.weather.isOver else { return }
            world.actAsSomebody()
            guard let key = world.dice.pick(world.plans.keys.sorted()), let plan = world.plans[key] else { return }
            let deeds: [(Fault, (World, Plan) -> Void)] = [
                (.manifestEdited, { $0.edit($1) }), (.manifestEdited, { $0.edit($1) }),
                (.manifestEdited, { $0.edit($1) }), (.manifestBroken, { $0.breakManifest($1) }),
                (.paused, { $0.pause($1) }), (.recreated, { $0.recreate($1) }), (.jobDeleted, { $0.deleteJob($1) }),
                (.jobSuspended, { $0.suspendJob($1) }), (.foreignJob, { $0.addForeignJob($1) }),
                (.secretRotated, { $0.rotate($1) }), (.authenticationDeleted, { $0.deleteAuthentication($1) }),
            ]
            guard let (fault, deed) = world.dice.pick(deeds), world.dice.chance(world.weather.chance(of: fault, 1.2))
            else { return }
            world.count(fault)
            deed(world, plan)
        }
    }

    /// Writes a ScaledJob as its plan says; creates it where it is not there.
    func apply(_ plan: Plan) {
        self.plans[plan.key] = plan
        guard let current = self.api.store.find(.scaledJobs, plan.key) else {
            _ = self.api.create(.scaledJobs, plan.manifest, in: plan.key.namespace, now: self.time)
            return
        }
        // What is going comes back when it is gone.
        guard !current.isBeingDeleted else {
            return self.schedule(after: .seconds(1), "apply again") { world in
                world.plans[plan.key].map { world.apply($0) }
            }
        }
        _ = self.api.replace(.scaledJobs, plan.key, with: plan.manifest)
    }

    func arrive() {
        self.schedule(after: self.dice.time(0.5, 8), "documents arrive") { world in
            guard !world.weather.isOver else { return }
            world.arrive()
            guard let name = world.dice.pick(world.sources.keys.sorted()) else { return }
            let count = world.dice.chance(0.15) ? world.dice.number(4...9) : world.dice.number(1...2)
            guard let source = world.sources[name], source.waiting.count < 15 else { return }
            world.insert(count, into: name)
        }
    }

    func insert(_ count: Int, into queue: String) {
        self.sources[queue]?.insert(count)
        self.note("source") { "\(count) documents arrive in \(queue)" }
        self.pushChange(of: queue)
    }

    // MARK: - Manifests

    private func edit(_ plan: Plan) {
        var plan = plan
        switch self.dice.number(0...11) {
        case 0, 1: plan.most = self.dice.number(1...6)
        case 2: plan.minimum = plan.minimum > 0 ? 0 : self.dice.number(1...2)
        case 3: plan.interval = self.dice.number(2...10)
        case 4, 5: plan.image += 1
        case 6: plan.isImmediate.toggle()
        case 7: plan.isForeground.toggle()
        case 8: plan.keepsSucceeded = self.dice.number(0...3)
        case 9: plan.keepsFailed = self.dice.number(0...3)
        case 10: plan.expiresAfter = plan.expiresAfter == nil ? self.dice.number(5...30) : nil
        default: plan.label += 1
        }
        self.note("people") { "edit \(plan.key): at most \(plan.most), image \(plan.image)" }
        self.apply(plan)
    }

    private func breakManifest(_ plan: Plan) {
        var plan = plan
        plan.isBroken = true
        self.apply(plan)
        self.later(5, 20, plan.key) { $0.isBroken = false }
    }

    private func pause(_ plan: Plan) {
        var plan = plan
        plan.isPaused = true
        self.apply(plan)
        self.later(5, 40, plan.key) { $0.isPaused = false }
    }

    private func later(_ least: Double, _ most: Double, _ key: ObjectKey, _ change: @escaping (inout Plan) -> Void) {
        self.schedule(after: self.dice.time(least, most), "somebody mends it") { world in
            guard var plan = world.plans[key] else { return }
            change(&plan)
            world.apply(plan)
        }
    }

    private func recreate(_ plan: Plan) {
        _ = self.api.delete(.scaledJobs, plan.key, now: self.time)
        self.later(0.1, 10, plan.key) { _ in }
    }

    private func rotate(_ plan: Plan) {
        let password = "password-\(self.dice.number(1...1_000_000))"
        for queue in plan.queues { self.sources[queue]?.password = password }
        self.schedule(after: self.dice.time(0.1, 15), "the Secret follows") { world in
            world.restore(secret: plan)
        }
    }

    private func restore(secret plan: Plan) {
        guard let password = plan.queues.first.flatMap({ self.sources[$0]?.password }) else { return }
        if case .failure = self.api.create(.secrets, plan.secret(password), in: plan.login.namespace, now: self.time) {
            _ = self.api.replace(.secrets, plan.login, with: plan.secret(password))
        }
    }

    func restoreLogin(of plan: Plan) {
        self.restore(secret: plan)
        _ = self.api.create(.triggerAuthentications, plan.authentication, in: plan.login.namespace, now: self.time)
    }

    private func deleteAuthentication(_ plan: Plan) {
        let resource: APIResource = self.dice.chance(0.5) ? .triggerAuthentications : .secrets
        _ = self.api.delete(resource, plan.login, now: self.time)
        self.schedule(after: self.dice.time(1, 20), "it is restored") { $0.restoreLogin(of: plan) }
    }

    // MARK: - Jobs

    private func someJob(of plan: Plan) -> JobTruth? {
        let owner = self.api.store.find(.scaledJobs, plan.key)?.uid
        return self.dice.pick(self.jobs.values.filter { $0.owner == owner }.sorted { $0.key < $1.key })
    }

    private func deleteJob(_ plan: Plan) {
        guard let job = self.someJob(of: plan) else { return }
        self.note("people") { "delete \(job.key.name)" }
        _ = self.api.delete(.jobs, job.key, isForeground: self.dice.chance(0.3), now: self.time)
    }

    private func suspendJob(_ plan: Plan) {
        guard let job = self.someJob(of: plan), !job.isFinished else { return }
        _ = self.api.patch(.jobs, job.key, ["spec": ["suspend": true]])
        self.schedule(after: self.dice.time(3, 30), "it goes on") { world in
            guard world.api.store.find(.jobs, job.key)?.uid == job.uid else { return }
            _ = world.api.patch(.jobs, job.key, ["spec": ["suspend": false]])
        }
    }

    /// A Job that somebody made by hand, of a copy of one that was there: it has the label, and no owner.
    private func addForeignJob(_ plan: Plan) {
        let job: JSONValue = [
            "metadata": [
                "generateName": "by-hand-", "labels": [WellKnown.nameLabel: .string(plan.key.name)],
            ],
            "spec": [
                "template": [
                    "spec": [
                        "restartPolicy": "Never",
                        "containers": [["name": "main", "image": "worker", "command": ["work"]]],
                    ]
                ]
            ],
        ]
        _ = self.api.create(.jobs, job, in: plan.key.namespace, now: self.time)
    }
}
