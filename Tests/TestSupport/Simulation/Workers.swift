import Kubernetes
import Standalone

/// The process of one Job, started by the Job controller.
struct Worker {
    enum Phase {
        case pending, running
        case ended(isSuccess: Bool)
    }

    let key: ObjectKey
    let uid: String
    /// The queues that its ScaledJob reads.
    let queues: [String]
    var phase = Phase.pending
    var isStarting = false
    var document: (queue: String, number: Int)?
    var hasPod = false
}

// The Job controller, the kubelets and the workers' own work.
extension World {
    /// Brings the workers in line with a Job as it is now.
    func see(_ job: JSONValue, _ truth: JobTruth) {
        if self.workers[truth.uid] == nil {
            let owner = job.metadata["ownerReferences"]?.arrayValue?.first?["name"]?.stringValue ?? ""
            let queues = truth.owner == nil ? [] : self.plans[ObjectKey(namespace: job.namespace, name: owner)]?.queues
            self.workers[truth.uid] = Worker(key: truth.key, uid: truth.uid, queues: queues ?? [])
        }
        guard let worker = self.workers[truth.uid], !truth.isFinished else { return }
        switch worker.phase {
        case .pending:
            guard !truth.isSuspended, !worker.isStarting else { return }
            self.workers[truth.uid]?.isStarting = true
            self.schedule(after: self.dice.time(0.1, self.weather.isOver ? 1 : 3), "pod starts") {
                $0.startWorker(truth.uid)
            }
        case .running: break
        case .ended(let isSuccess): self.report(truth.uid, isSuccess)
        }
    }

    private func startWorker(_ uid: String) {
        self.workers[uid]?.isStarting = false
        guard let worker = self.workers[uid], case .pending = worker.phase, let truth = self.jobs[uid],
            !truth.isSuspended, !truth.isFinished
        else { return }
        self.workers[uid]?.phase = .running
        let needsPod = worker.queues.contains { self.sources[$0]?.type == "claims" }
        if needsPod, let job = self.api.store.find(.jobs, worker.key) {
            let pod: JSONValue = [
                "metadata": [
                    "name": .string("\(worker.key.name)-pod"),
                    "labels": .object(
                        (job[path: "metadata", "labels"]?.objectValue ?? [:]).merging(
                            ["job-name": .string(worker.key.name)]
                        ) { $1 }
                    ),
                    "ownerReferences": [
                        [
                            "apiVersion": "batch/v1", "kind": "Job", "name": .string(worker.key.name),
                            "uid": .string(uid), "controller": true,
                        ]
                    ],
                ],
                "status": ["phase": "Running"],
            ]
            _ = self.api.create(.pods, pod, in: worker.key.namespace, now: self.time)
            self.workers[uid]?.hasPod = true
        }
        self.schedule(after: self.dice.time(0.05, 1.5), "worker claims") { $0.claim(uid) }
    }

    private func claim(_ uid: String) {
        guard let worker = self.workers[uid], case .running = worker.phase, worker.document == nil else { return }
        for queue in worker.queues {
            guard let number = self.sources[queue]?.claim(by: uid) else { continue }
            self.workers[uid]?.document = (queue, number)
            self.note("worker") { "\(worker.key.name) claims \(queue) #\(number)" }
            break
        }
        let hasWork = self.workers[uid]?.document != nil
        let longest = self.weather.isOver ? 2.0 : 12.0
        self.schedule(after: hasWork ? self.dice.time(0.3, longest) : self.dice.time(1, 4), "worker ends") { world in
            let fails = world.dice.chance(world.weather.chance(of: .workerFailed, 0.3))
            world.workerEnds(uid, isSuccess: !fails)
        }
    }

    private func workerEnds(_ uid: String, isSuccess: Bool) {
        guard let worker = self.workers[uid], case .running = worker.phase else { return }
        if !isSuccess { self.count(.workerFailed) }
        if let (queue, number) = worker.document {
            if isSuccess { self.sources[queue]?.finish(number) } else { self.sources[queue]?.giveBack(number) }
            if !isSuccess { self.pushChange(of: queue) }
        }
        self.workers[uid]?.document = nil
        self.workers[uid]?.phase = .ended(isSuccess: isSuccess)
        self.note("worker") { "\(worker.key.name) ends, \(isSuccess ? "well" : "badly")" }
        self.report(uid, isSuccess)
    }

    private func report(_ uid: String, _ isSuccess: Bool) {
        self.schedule(after: self.dice.time(0.01, 0.3), "Job controller writes") { world in
            guard let worker = world.workers[uid], let truth = world.jobs[uid], !truth.isFinished else { return }
            if worker.hasPod {
                let pod = ObjectKey(namespace: worker.key.namespace, name: "\(worker.key.name)-pod")
                let phase: JSONValue = isSuccess ? "Succeeded" : "Failed"
                _ = world.api.patch(.pods, pod, ["status": ["phase": phase]])
            }
            let condition: JSONValue = [
                "type": isSuccess ? "Complete" : "Failed", "status": "True", "lastTransitionTime": .string(world.time),
            ]
            _ = world.api.patch(.jobs, worker.key, ["status": ["conditions": [condition]]], status: true)
            world.expireLater(uid, worker.key)
        }
    }

    private func expireLater(_ uid: String, _ key: ObjectKey) {
        guard let seconds = self.api.store.find(.jobs, key)?[path: "spec", "ttlSecondsAfterFinished"]?.integerValue
        else { return }
        self.schedule(after: .seconds(seconds), "Job expires") { world in
            guard world.jobs[uid]?.isFinished == true else { return }
            _ = world.api.delete(.jobs, key, uid: uid, now: world.time)
        }
    }

    /// Its Job is gone: whatever it worked on waits again.
    func workerDies(_ uid: String) {
        guard let worker = self.workers.removeValue(forKey: uid), let (queue, number) = worker.document else { return }
        self.sources[queue]?.giveBack(number)
        self.pushChange(of: queue)
    }

    /// etcd went back: Jobs came back and went, and the Job controller starts from what there is.
    func seeAgain(_ former: [String: JobTruth]) {
        self.jobs = [:]
        for object in self.api.list(.jobs) {
            var truth = JobTruth(object)
            let before = former[truth.uid]
            truth.isResurrected = !truth.isFinished && (before?.isFinished ?? true || before?.isResurrected ?? false)
            self.jobs[truth.uid] = truth
            self.see(object, truth)
        }
        for uid in self.workers.keys.sorted() where self.jobs[uid] == nil { self.workerDies(uid) }
    }
}
