import Controller
import Kubernetes
import Standalone

// The end of a run: faults stop, and everything must come to its end in time.
extension World {
    /// Long enough for whatever was lost to be found: a Lease, a restart, the longest pauses after errors.
    private static let longestRecovery = Duration.seconds(90)

    func makePeace() {
        guard self.violation == nil else { return }
        self.note("peace") { "from here on nothing goes wrong" }
        self.weather.isOver = true
        self.api.quota = nil
        self.api.refusal = nil
        for host in self.hosts {
            host.leaseUnreachableUntil = nil
            for type in Self.types { self.mend(type, on: host) }
        }
        for plan in self.plans.values.sorted(by: { $0.key < $1.key }) {
            var plan = plan
            plan.isBroken = false
            plan.isPaused = false
            self.restoreLogin(of: plan)
            self.apply(plan)
        }
        for job in self.jobs.values.sorted(by: { $0.key < $1.key }) where job.isSuspended {
            _ = self.api.patch(.jobs, job.key, ["spec": ["suspend": false]])
        }
    }

    private func mend(_ type: String, on host: Host) {
        host.plugins[type]?.factor = 1
        host.plugins[type]?.reorders = false
        guard type == self.brokenForGood else {
            host.plugins[type]?.hangsUntil = nil
            return self.startPlugin(type, on: host)
        }
        switch self.dice.number(0...2) {
        case 0: self.stopPlugin(type, on: host, for: nil)
        case 1: host.plugins[type]?.hangsUntil = self.now + .seconds(100_000)
        default: host.plugins[type]?.factor = 0
        }
    }

    /// Those that a plugin which stays broken cannot hurt.
    private var healthy: [Plan] {
        self.plans.values.filter { plan in !plan.types.contains { $0 == self.brokenForGood } }
            .sorted { $0.key < $1.key }
    }

    func awaitPeace() {
        guard self.violation == nil else { return }
        self.run(for: Self.longestRecovery)
        // One after the other, and where the minimum is the maximum, one with each poll.
        let work = self.plans.values.map { plan in
            (plan.interval + 4) * plan.queues.reduce(0) { $0 + (self.sources[$1]?.waiting.count ?? 0) }
        }
        self.awaitEnd(within: .seconds(60 + (work.max() ?? 0)))
        // Everything is reachable, slots are free: work is taken up within one polling interval.
        let before = self.healthy.map { plan in (plan, self.sources[plan.queues[0]]?.finished ?? 0) }
        for plan in self.healthy { self.sources[plan.queues[0]]?.insert(1) }
        self.note("peace") { "one more document for each" }
        let longest = self.healthy.map(\.interval).max() ?? 0
        for _ in 0..<longest where self.violation == nil {
            self.run(for: .seconds(1))
        }
        self.run(for: .seconds(2))
        for (plan, finished) in before where self.violation == nil {
            let owner = self.api.store.find(.scaledJobs, plan.key)?.uid ?? ""
            guard self.unfinished(of: owner) == 0, self.sources[plan.queues[0]]?.finished == finished else { continue }
            self.violate("a document waits for \(plan.key), everything is reachable, and no Job was created in time")
        }
        self.awaitEnd(within: .seconds(60))
    }

    /// Runs until nothing is left to do; a violation when something is after this time.
    private func awaitEnd(within time: Duration) {
        let end = self.now + time
        // Base Jobs come and go all the time, so not all need be at rest at the same moment.
        var left = self.healthy
        repeat {
            guard self.violation == nil else { return }
            left.removeAll { self.unfinishedBusiness($0) == nil }
            if left.isEmpty { return }
            self.run(for: .seconds(1))
        } while self.now < end
        for plan in left { self.unfinishedBusiness(plan).map(self.violate) }
    }

    /// What is still to be done for a ScaledJob, in words.
    private func unfinishedBusiness(_ plan: Plan) -> String? {
        for queue in plan.queues {
            guard let source = self.sources[queue], !source.isEmpty else { continue }
            return "stuck: \(source.waiting.count) documents wait in \(queue), \(source.claimed.count) are in work"
        }
        guard let object = self.api.store.find(.scaledJobs, plan.key) else { return "\(plan.key) is not there" }
        if object.isBeingDeleted { return "the deletion of \(plan.key) does not end" }
        let jobs = self.api.list(.jobs).filter { $0.ownerUIDs.contains(object.uid) }
        for (type, limit) in [("Complete", plan.keepsSucceeded), ("Failed", plan.keepsFailed)] {
            let finished = jobs.count { job in
                job[path: "status", "conditions"]?.arrayValue?.contains { $0["type"] == .string(type) } ?? false
            }
            if finished > limit { return "\(finished) Jobs of \(plan.key) are \(type), where \(limit) are kept" }
        }
        let conditions = object[path: "status", "conditions"]?.arrayValue ?? []
        for condition in conditions {
            let (kind, status) = (condition["type"]?.stringValue ?? "", condition["status"]?.stringValue ?? "")
            let wanted = kind == "Ready" || (kind == "Active" && plan.minimum > 0) ? "True" : "False"
            guard status != wanted, kind != "Fallback" else { continue }
            let message = condition["message"]?.stringValue ?? ""
            return "\(plan.key) has the condition \(kind) \(status), and should have \(wanted): \(message)"
        }
        if conditions.isEmpty { return "\(plan.key) has no conditions" }
        if object[path: "status", "lastDecision"]?.stringValue?.isEmpty ?? true { return "\(plan.key) has no reason" }
        return nil
    }
}
