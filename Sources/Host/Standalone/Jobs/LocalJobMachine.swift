/// One Job of the local runner, without processes, clock or cluster.
///
/// It is the Job controller and the kubelet in one: every input returns what must now be done. Repeated and late inputs
/// (a process that ends after its Job is gone, a timer that was cancelled) change nothing.
///
/// Tries are `backoffLimit` + 1 under both restart policies: new pods under `Never`, container restarts within one pod
/// under `OnFailure`, both with the same growing delay.
package struct LocalJobMachine: Sendable {
    /// One process: the pod's number within the Job and the container's place in it, init containers first.
    package struct ProcessID: Hashable, Sendable {
        package let pod: Int
        package let container: Int

        package init(pod: Int, container: Int) {
            self.pod = pod
            self.container = container
        }
    }

    package enum Timer: Hashable, Sendable {
        /// The next pod may be started.
        case backoff
        /// `activeDeadlineSeconds` is over.
        case deadline
        /// `ttlSecondsAfterFinished` is over.
        case timeToLive
        /// The grace of a pod's processes is over.
        case grace(pod: Int)
        /// A container may be started again.
        case restart(ProcessID)
    }

    package enum Signal: Sendable, Equatable {
        case terminate
        case kill
    }

    package enum Action: Sendable, Equatable {
        case start(ProcessID)
        case signal(ProcessID, Signal)
        case startTimer(Timer, after: Duration)
        case cancelTimer(Timer)
        case createPod(Int)
        case writePod(Int)
        case deletePod(Int)
        case writeStatus
        /// Its time to live is over.
        case deleteJob
        /// Nothing is left to do for this Job, ever.
        case forget
    }

    /// How a process ended.
    package enum Exit: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
        /// It could not be started at all.
        case failedToStart

        package var isSuccess: Bool { self == .code(0) }
    }

    package enum Outcome: String, Sendable {
        case complete = "Complete"
        case backoffLimitExceeded = "BackoffLimitExceeded"
        case deadlineExceeded = "DeadlineExceeded"
    }

    private static let endedPodsKept = 20

    package private(set) var job: LocalJob
    let backoffBase: Duration
    package internal(set) var pods: [Int: LocalPod] = [:]
    package internal(set) var succeeded = 0
    package internal(set) var failed = 0
    /// Container restarts in pods that restart in place.
    var restarts = 0
    private var nextPod = 0
    private var timers: Set<Timer> = []
    package private(set) var startTime: Int64?
    package internal(set) var endTime: Int64?
    /// Decided as soon as known; the condition is written when the last process is gone.
    package internal(set) var outcome: Outcome?
    package private(set) var isDeleted = false
    /// The object is marked for deletion and waits for its pods.
    private var isDraining = false
    private var isForgotten = false

    package init(_ job: LocalJob, backoffBase: Duration = .seconds(10)) {
        self.job = job
        self.backoffBase = backoffBase
    }

    /// Pods that have not ended.
    package var active: Int { self.pods.values.count { !$0.hasEnded } }
    /// Active pods all of whose containers run.
    package var ready: Int { self.pods.values.count { $0.isReady } }
    package var isFinished: Bool { self.endTime != nil }
}

// MARK: Inputs

extension LocalJobMachine {
    /// The Job was seen for the first time.
    package mutating func created(now: Int64) -> [Action] {
        self.resume(now: now)
    }

    /// The Job's spec was edited: only `suspend`, `parallelism` and limits can have changed.
    package mutating func changed(_ job: LocalJob, now: Int64) -> [Action] {
        guard job != self.job, !self.isFinished, self.outcome == nil, !self.isDeleted else { return [] }
        let wasSuspended = self.job.isSuspended
        self.job = job
        guard job.isSuspended != wasSuspended else { return self.advance(now: now) }
        guard job.isSuspended else { return self.resume(now: now) }
        self.startTime = nil
        return self.stopAllPods() + self.cancel(.deadline) + self.cancel(.backoff) + [.writeStatus]
    }

    package mutating func processStarted(_ id: ProcessID) -> [Action] {
        guard self.pods[id.pod]?.started(id.container) == true else { return [] }
        // The decision to stop came while the process was being started.
        if self.pods[id.pod]?.isStopping == true { return [.writePod(id.pod), .signal(id, .terminate)] }
        return [.writePod(id.pod), .writeStatus]
    }

    /// The process ended, or could not be started.
    package mutating func processExited(_ id: ProcessID, _ exit: Exit, now: Int64) -> [Action] {
        guard var pod = self.pods[id.pod] else { return [] }
        let verdict = pod.exited(id.container, exit, now: now)
        self.pods[id.pod] = pod
        switch verdict {
        case .ignore: return []
        case .start(let next): return self.start(next, inPod: id.pod)
        case .wait: return [.writePod(id.pod), .writeStatus]
        case .failed(let others):
            return self.containerFailed(id, stillRunning: others, now: now)
        case .ended: return self.podEnded(id.pod, now: now)
        }
    }

    /// What the container refers to is not there yet; it is no failure, only a wait.
    package mutating func processNotStartable(_ id: ProcessID, reason: String, now: Int64) -> [Action] {
        guard var pod = self.pods[id.pod], pod.isWaiting(id.container) else { return [] }
        if pod.isStopping { return self.processExited(id, .failedToStart, now: now) }
        pod.wait(id.container, reason: reason)
        self.pods[id.pod] = pod
        return [.writePod(id.pod)] + self.arm(.restart(id), after: min(self.backoffBase, .seconds(2)))
    }

    package mutating func timerFired(_ timer: Timer, now: Int64) -> [Action] {
        guard self.timers.remove(timer) != nil else { return [] }
        switch timer {
        case .backoff: return self.advance(now: now)
        case .deadline: return self.fail(.deadlineExceeded, now: now)
        case .timeToLive: return self.isDeleted ? [] : [.deleteJob]
        case .grace(let pod): return self.signalPod(pod, .kill)
        case .restart(let id):
            guard let pod = self.pods[id.pod], !pod.isStopping, pod.isWaiting(id.container) else { return [] }
            return self.start([id.container], inPod: id.pod)
        }
    }

    /// The Job object is marked for deletion and stays until its pods are gone.
    package mutating func deletionStarted(now: Int64) -> [Action] {
        guard !self.isDraining, !self.isDeleted else { return [] }
        self.isDraining = true
        return self.cancel(.deadline) + self.cancel(.backoff) + self.stopAllPods()
    }

    /// The Job object is gone.
    package mutating func deleted(now: Int64) -> [Action] {
        guard !self.isDeleted else { return [] }
        self.isDeleted = true
        self.isDraining = true
        var actions = self.stopAllPods()
        for timer in [Timer.deadline, .backoff, .timeToLive] { actions += self.cancel(timer) }
        return actions + self.forgetIfDone()
    }

    /// The host is stopping: running processes are asked to end, nothing new is started.
    package mutating func drained(now: Int64) -> [Action] {
        self.isDraining = true
        return self.cancel(.deadline) + self.cancel(.backoff) + self.cancel(.timeToLive) + self.stopAllPods()
    }
}

// MARK: What follows

extension LocalJobMachine {
    private mutating func resume(now: Int64) -> [Action] {
        guard !self.job.isSuspended else { return [.writeStatus] }
        self.startTime = now
        var actions: [Action] = []
        if let deadline = self.job.activeDeadline { actions += self.arm(.deadline, after: deadline) }
        return actions + self.advance(now: now)
    }

    /// Starts the pods that are due, or ends the Job when none is.
    mutating func advance(now: Int64) -> [Action] {
        guard self.outcome == nil, !self.isDraining, !self.job.isSuspended else { return self.finishIfDone(now: now) }
        let wanted: Int
        if let completions = self.job.completions {
            if self.succeeded >= completions { return self.complete(now: now) }
            wanted = min(self.job.parallelism, completions - self.succeeded)
        } else {
            if self.succeeded > 0 { return self.active == 0 ? self.complete(now: now) : [.writeStatus] }
            wanted = self.job.parallelism
        }
        guard !self.timers.contains(.backoff) else { return [.writeStatus] }
        var actions: [Action] = []
        for _ in 0..<max(0, wanted - self.active) {
            let number = self.nextPod
            self.nextPod += 1
            let pod = LocalPod(job: self.job)
            let first = pod.firstContainers
            self.pods[number] = pod
            actions.append(.createPod(number))
            actions += first.map { .start(ProcessID(pod: number, container: $0)) }
        }
        return actions + [.writeStatus]
    }

    private mutating func start(_ containers: [Int], inPod number: Int) -> [Action] {
        guard self.pods[number]?.isStopping == false else { return self.podEnded(number, now: 0) }
        self.pods[number]?.starting(containers)
        return [.writePod(number)] + containers.map { .start(ProcessID(pod: number, container: $0)) }
    }

    private mutating func containerFailed(_ id: ProcessID, stillRunning: Bool, now: Int64) -> [Action] {
        if self.job.restartPolicy == .onFailure, self.outcome == nil, !self.isDraining {
            self.restarts += 1
            guard self.restarts <= self.job.backoffLimit else { return self.fail(.backoffLimitExceeded, now: now) }
            self.pods[id.pod]?.willRestart(id.container)
            return [.writePod(id.pod), .writeStatus] + self.arm(.restart(id), after: self.delay(after: self.restarts))
        }
        // The other containers of the pod run on, as in Kubernetes; the pod fails when the last has ended.
        return stillRunning ? [.writePod(id.pod), .writeStatus] : self.podEnded(id.pod, now: now)
    }

    private mutating func podEnded(_ number: Int, now: Int64) -> [Action] {
        guard var pod = self.pods[number], !pod.isCounted else { return [] }
        pod.isCounted = true
        self.pods[number] = pod
        var actions = self.cancel(.grace(pod: number)) + [.writePod(number)]
        if pod.hasSucceeded {
            self.succeeded += 1
        } else if !self.isDraining, !self.job.isSuspended || pod.isStopping == false {
            self.failed += 1
            if self.outcome == nil, self.failed > self.job.backoffLimit {
                return actions + self.fail(.backoffLimitExceeded, now: now)
            }
            if self.outcome == nil { actions += self.arm(.backoff, after: self.delay(after: self.failed)) }
        }
        if self.isDraining || self.job.isSuspended { actions.append(.deletePod(number)) }
        return actions + self.dropOldPods() + self.advance(now: now) + self.forgetIfDone()
    }

    /// Keeps the newest pods that have ended, so that a Job that fails for ever does not grow for ever.
    private mutating func dropOldPods() -> [Action] {
        let ended = self.pods.filter(\.value.isCounted).keys.sorted()
        return ended.dropLast(Self.endedPodsKept).map { number in
            self.pods[number] = nil
            return .deletePod(number)
        }
    }

    /// 1, 2, 4, … times the base, at most 36 times: ten seconds to six minutes.
    private func delay(after failures: Int) -> Duration {
        let factor = 1 << min(max(failures - 1, 0), 6)
        return self.backoffBase * min(factor, 36)
    }

    private mutating func complete(now: Int64) -> [Action] {
        self.outcome = .complete
        return self.cancel(.deadline) + self.cancel(.backoff) + self.stopAllPods() + self.finishIfDone(now: now)
    }

    private mutating func fail(_ outcome: Outcome, now: Int64) -> [Action] {
        guard self.outcome == nil, !self.isDraining else { return [] }
        self.outcome = outcome
        return self.cancel(.deadline) + self.cancel(.backoff) + self.stopAllPods() + self.finishIfDone(now: now)
    }

    private mutating func finishIfDone(now: Int64) -> [Action] {
        guard self.outcome != nil, self.endTime == nil, !self.isDraining else { return [.writeStatus] }
        guard self.active == 0 else { return [.writeStatus] }
        self.endTime = now
        guard let timeToLive = self.job.timeToLiveAfterFinished else { return [.writeStatus] }
        return [.writeStatus] + self.arm(.timeToLive, after: timeToLive)
    }

    private mutating func forgetIfDone() -> [Action] {
        guard self.isDeleted, self.active == 0, !self.isForgotten else { return [] }
        self.isForgotten = true
        return [.forget]
    }

    /// Asks every process of every pod to end, and starts their grace.
    private mutating func stopAllPods() -> [Action] {
        var actions: [Action] = []
        for number in self.pods.keys.sorted() {
            guard let pod = self.pods[number], !pod.hasEnded, !pod.isStopping else { continue }
            for container in pod.containers.indices {
                actions += self.cancel(.restart(.init(pod: number, container: container)))
            }
            self.pods[number]?.stop()
            if self.pods[number]?.hasEnded == true {
                actions += self.podEndedWhileStopping(number)
            } else {
                actions += self.signalPod(number, .terminate)
                actions += self.arm(.grace(pod: number), after: self.job.terminationGracePeriod)
            }
        }
        return actions
    }

    /// A pod without a process ends at once; whoever stops the pods decides what comes next.
    private mutating func podEndedWhileStopping(_ number: Int) -> [Action] {
        self.pods[number]?.isCounted = true
        if !self.isDraining, !self.job.isSuspended { self.failed += 1 }
        return [.writePod(number)] + (self.isDraining || self.job.isSuspended ? [.deletePod(number)] : [])
    }

    private func signalPod(_ number: Int, _ signal: Signal) -> [Action] {
        guard let pod = self.pods[number] else { return [] }
        return pod.runningContainers.map { .signal(ProcessID(pod: number, container: $0), signal) }
    }

    private mutating func arm(_ timer: Timer, after delay: Duration) -> [Action] {
        self.timers.insert(timer)
        return [.startTimer(timer, after: delay)]
    }

    private mutating func cancel(_ timer: Timer) -> [Action] {
        self.timers.remove(timer) == nil ? [] : [.cancelTimer(timer)]
    }
}
