internal import Kubernetes
internal import Logging

/// The runner's loop, one round at a time: feeds the machines and carries out what they answer.
struct JobDesk {
    /// A process that is to be started, with everything resolved.
    struct Start: Sendable {
        let key: JobRunner.ProcessKey
        let job: ObjectKey
        let pod: String
        let container: String
        let command: [String]
        let environment: [String: String]
        let workingDirectory: String?
        let gracePeriod: Duration
    }

    private struct TimerID: Hashable, Sendable {
        let uid: String
        let timer: LocalJobMachine.Timer
    }

    private let runner: JobRunner
    private var records: [String: LocalJobRecord] = [:]
    private var uids: [ObjectKey: String] = [:]
    private var timers = TimerQueue<TimerID>()
    private var starts: [JobRunner.ProcessKey] = []
    /// Handed out by ``takeStart()`` and not ended yet.
    private var running: Set<JobRunner.ProcessKey> = []

    init(runner: JobRunner) {
        self.runner = runner
    }

    var nextTimer: ContinuousClock.Instant? { self.timers.next }

    mutating func handle(_ mail: JobRunner.Mail, now: ContinuousClock.Instant) {
        var changed = mail.changedJobs
        if mail.mustRelist {
            let jobs = (try? self.runner.cluster.answer(APIRequest(.list, .jobs)))?["items"]?.arrayValue ?? []
            changed.formUnion(jobs.map(\.key))
            changed.formUnion(self.uids.keys)
        }
        for key in changed.sorted() { self.look(at: key) }
        for event in mail.events { self.apply(event) }
        for due in self.timers.takeDue(at: now) {
            self.apply(to: due.uid) { $0.timerFired(due.timer, now: Timestamp.seconds) }
        }
    }

    /// The last round: nothing is started any more, the statuses are written.
    mutating func drain(_ mail: JobRunner.Mail) {
        for uid in self.records.keys { self.apply(to: uid) { $0.drained(now: Timestamp.seconds) } }
        for event in mail.events { self.apply(event) }
        self.starts = []
    }

    /// The next process to start, unless as many run as may.
    mutating func takeStart() -> Start? {
        while !self.starts.isEmpty, self.running.count < self.runner.settings.maximumProcesses {
            let key = self.starts.removeFirst()
            guard let record = self.records[key.uid], record.machine.wantsStart(key.id) else {
                // Stopped while it waited for its turn: it ends without having run.
                self.apply(to: key.uid) { $0.processExited(key.id, .failedToStart, now: Timestamp.seconds) }
                continue
            }
            do {
                let start = try self.resolve(key, record)
                self.running.insert(key)
                return start
            } catch {
                self.runner.logger.warning(
                    "A Job waits for what its container refers to",
                    metadata: ["job": "\(record.key)", "missing": "\(error)"]
                )
                self.apply(to: key.uid) {
                    $0.processNotStartable(key.id, reason: "CreateContainerConfigError", now: Timestamp.seconds)
                }
            }
        }
        return nil
    }

    private func resolve(
        _ key: JobRunner.ProcessKey,
        _ record: LocalJobRecord
    ) throws(ProcessEnvironment.Missing) -> Start {
        let container = record.machine.job.allContainers[key.id.container]
        let podName = record.podNames[key.id.pod] ?? record.key.name
        let cluster = self.runner.cluster
        let podRequest = APIRequest(.get, .pods, namespace: record.key.namespace, name: podName)
        let pod = (try? cluster.answer(podRequest)) ?? record.podObject(named: podName)
        let environment = try ProcessEnvironment(of: container, pod: pod, host: self.runner.settings.environment) {
            resource,
            name in
            try? cluster.answer(APIRequest(.get, resource, namespace: record.key.namespace, name: name))
        }
        let words = (container.command + container.arguments).map {
            VariableExpansion.expand($0, with: environment.declared)
        }
        return Start(
            key: key,
            job: record.key,
            pod: podName,
            container: container.name,
            command: words,
            environment: environment.all,
            workingDirectory: container.workingDirectory,
            gracePeriod: record.machine.job.terminationGracePeriod
        )
    }
}

// MARK: Inputs

extension JobDesk {
    /// Compares a Job with the store.
    private mutating func look(at key: ObjectKey) {
        let request = APIRequest(.get, .jobs, namespace: key.namespace, name: key.name)
        let object = try? self.runner.cluster.answer(request)
        if let known = self.uids[key], known != object?.uid {
            self.uids[key] = nil
            self.apply(to: known) { $0.deleted(now: Timestamp.seconds) }
        }
        guard let object else { return }
        guard let job = try? LocalJob(object) else { return }
        if self.uids[key] == nil {
            let isFinished = object[path: "status", "conditions"]?.arrayValue?.contains { $0["type"] != "Suspended" }
            guard isFinished != true else { return }
            self.uids[key] = object.uid
            let machine = LocalJobMachine(job, backoffBase: self.runner.settings.backoffBase)
            self.records[object.uid] = LocalJobRecord(object, machine: machine)
            self.apply(to: object.uid) { $0.created(now: Timestamp.seconds) }
        } else {
            self.apply(to: object.uid) { $0.changed(job, now: Timestamp.seconds) }
        }
        if object.isBeingDeleted { self.apply(to: object.uid) { $0.deletionStarted(now: Timestamp.seconds) } }
    }

    private mutating func apply(_ event: JobRunner.Event) {
        switch event {
        case .started(let key):
            self.apply(to: key.uid) { $0.processStarted(key.id) }
        case .exited(let key, let exit):
            self.running.remove(key)
            self.apply(to: key.uid) { $0.processExited(key.id, exit, now: Timestamp.seconds) }
        }
    }

    private mutating func apply(to uid: String, _ input: (inout LocalJobMachine) -> [LocalJobMachine.Action]) {
        guard var record = self.records[uid] else { return }
        let actions = input(&record.machine)
        self.records[uid] = record
        var writesStatus = false
        var writtenPods: Set<Int> = []
        for action in actions {
            switch action {
            case .writeStatus: writesStatus = true
            case .writePod(let pod): writtenPods.insert(pod)
            case .deletePod(let pod):
                self.writePods(writtenPods.filter { $0 == pod }, of: uid)
                writtenPods.remove(pod)
                self.deletePod(pod, of: uid)
            case .forget:
                self.timers.cancelAll { $0.uid == uid }
                self.records[uid] = nil
            default: self.perform(action, of: uid)
            }
        }
        self.writePods(writtenPods, of: uid)
        if writesStatus { self.writeStatus(of: uid) }
    }
}

// MARK: Actions

extension JobDesk {
    private mutating func perform(_ action: LocalJobMachine.Action, of uid: String) {
        switch action {
        case .start(let id): self.starts.append(JobRunner.ProcessKey(uid: uid, id: id))
        case .signal(let id, let signal): self.runner.send(signal, to: JobRunner.ProcessKey(uid: uid, id: id))
        case .startTimer(let timer, let delay):
            self.timers.start(TimerID(uid: uid, timer: timer), at: .now + delay)
        case .cancelTimer(let timer): self.timers.cancel(TimerID(uid: uid, timer: timer))
        case .createPod(let number): self.createPod(number, of: uid)
        case .deleteJob: self.deleteJob(uid)
        case .writePod, .deletePod, .writeStatus, .forget: break
        }
    }

    private mutating func createPod(_ number: Int, of uid: String) {
        guard let record = self.records[uid] else { return }
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        let suffix = String((0..<5).compactMap { _ in alphabet.randomElement() })
        let name = "\(record.key.name)-\(suffix)"
        self.records[uid]?.podNames[number] = name
        let request = APIRequest(.create, .pods, namespace: record.key.namespace)
        // A pod object only shows what runs; the process runs without it, too.
        _ = try? self.runner.cluster.answer(request, body: record.podObject(named: name))
        self.writePods([number], of: uid)
    }

    private func writePods(_ numbers: Set<Int>, of uid: String) {
        guard let record = self.records[uid] else { return }
        for number in numbers.sorted() {
            guard let pod = record.machine.pods[number], let name = record.podNames[number] else { continue }
            let request = APIRequest(
                .mergePatch,
                .pods,
                namespace: record.key.namespace,
                name: name,
                subresource: "status"
            )
            let since = Timestamp.text(ofSeconds: record.machine.startTime ?? Timestamp.seconds)
            _ = try? self.runner.cluster.answer(request, body: ["status": pod.statusRecord(since: since)])
        }
    }

    private mutating func deletePod(_ number: Int, of uid: String) {
        guard let record = self.records[uid], let name = record.podNames[number] else { return }
        self.records[uid]?.podNames[number] = nil
        let request = APIRequest(.delete, .pods, namespace: record.key.namespace, name: name)
        _ = try? self.runner.cluster.answer(request, body: ["gracePeriodSeconds": 0])
    }

    private func writeStatus(of uid: String) {
        guard let record = self.records[uid] else { return }
        let location = (namespace: record.key.namespace, name: record.key.name)
        let get = APIRequest(.get, .jobs, namespace: location.namespace, name: location.name)
        guard var object = try? self.runner.cluster.answer(get), object.uid == uid else { return }
        let status = record.machine.statusRecord(now: Timestamp.seconds)
        guard object["status"] != status else { return }
        object["status"] = status
        object.metadata["resourceVersion"] = nil
        let request = APIRequest(
            .replace,
            .jobs,
            namespace: location.namespace,
            name: location.name,
            subresource: "status"
        )
        _ = try? self.runner.cluster.answer(request, body: object)
    }

    private func deleteJob(_ uid: String) {
        guard let record = self.records[uid] else { return }
        let request = APIRequest(.delete, .jobs, namespace: record.key.namespace, name: record.key.name)
        let options: JSONValue = ["propagationPolicy": "Background", "preconditions": ["uid": .string(uid)]]
        _ = try? self.runner.cluster.answer(request, body: options)
    }
}

extension LocalJob {
    /// Init containers first, as ``LocalJobMachine/ProcessID`` counts them.
    var allContainers: [LocalContainer] { self.initContainers + self.containers }
}

extension LocalJobMachine {
    /// Whether a start that it asked for earlier is still wanted.
    func wantsStart(_ id: ProcessID) -> Bool {
        guard let pod = self.pods[id.pod] else { return false }
        return !pod.isStopping && pod.isWaiting(id.container)
    }
}
