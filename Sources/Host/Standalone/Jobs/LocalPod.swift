/// One try of a Job: its containers and how far each has come.
package struct LocalPod: Sendable, Equatable {
    package enum ContainerState: Sendable, Equatable {
        /// An init container before it has not succeeded yet.
        case queued
        /// Its process is being started, or will be started again.
        case waiting(reason: String)
        case running
        case exited(LocalJobMachine.Exit, at: Int64)
    }

    package struct Container: Sendable, Equatable {
        package let name: String
        package let isInit: Bool
        package internal(set) var state = ContainerState.queued
        package internal(set) var restarts = 0
        package internal(set) var lastExit: LocalJobMachine.Exit?
    }

    /// What the end of one process means for its pod.
    enum Verdict: Equatable {
        case ignore
        case start([Int])
        case wait
        /// This container failed; the flag says whether others are still running.
        case failed(othersRunning: Bool)
        case ended
    }

    package internal(set) var containers: [Container]
    package private(set) var isStopping = false
    /// The Job's counts include it.
    var isCounted = false

    init(job: LocalJob) {
        self.containers =
            job.initContainers.map { Container(name: $0.name, isInit: true) }
            + job.containers.map { Container(name: $0.name, isInit: false) }
        self.starting(self.firstContainers)
    }

    /// Where a start begins: the first init container, or all containers when there is none.
    var firstContainers: [Int] {
        self.containers.first?.isInit == true ? [0] : Array(self.containers.indices)
    }

    package var runningContainers: [Int] {
        self.containers.indices.filter { self.containers[$0].state == .running }
    }

    package var hasEnded: Bool {
        if self.isCounted { return true }
        let isOver = self.containers.allSatisfy { $0.isOver }
        if isOver { return true }
        // A failed init container, or a stop, leaves the queued ones unstarted for ever.
        return self.containers.allSatisfy { $0.isOver || $0.state == .queued }
            && (self.isStopping || self.containers.contains { $0.hasFailed })
    }

    package var hasSucceeded: Bool { self.containers.allSatisfy { $0.state.isSuccess } }

    package var isReady: Bool {
        !self.hasEnded && self.containers.allSatisfy { $0.isInit ? $0.state.isSuccess : $0.state == .running }
    }

    func isWaiting(_ container: Int) -> Bool {
        guard case .waiting = self.containers[container].state else { return false }
        return true
    }

    mutating func starting(_ containers: [Int]) {
        for container in containers { self.containers[container].state = .waiting(reason: "ContainerCreating") }
    }

    mutating func wait(_ container: Int, reason: String) {
        self.containers[container].state = .waiting(reason: reason)
    }

    mutating func willRestart(_ container: Int) {
        if case .exited(let exit, _) = self.containers[container].state { self.containers[container].lastExit = exit }
        self.containers[container].restarts += 1
        self.containers[container].state = .waiting(reason: "CrashLoopBackOff")
    }

    /// The process runs; false when that is no news.
    mutating func started(_ container: Int) -> Bool {
        guard self.isWaiting(container) else { return false }
        self.containers[container].state = .running
        return true
    }

    /// No process is started any more.
    ///
    /// Those being started are signalled as soon as they run.
    mutating func stop() {
        self.isStopping = true
        for index in self.containers.indices {
            // Only a restart or a missing reference waits with no process on its way.
            if case .waiting(let reason) = self.containers[index].state, reason != "ContainerCreating" {
                self.containers[index].state = .exited(.failedToStart, at: 0)
            }
        }
    }

    mutating func exited(_ container: Int, _ exit: LocalJobMachine.Exit, now: Int64) -> Verdict {
        guard !self.isCounted, self.containers[container].state == .running || self.isWaiting(container) else {
            return .ignore
        }
        self.containers[container].state = .exited(exit, at: now)
        if self.isStopping { return self.hasEnded ? .ended : .wait }
        guard exit.isSuccess else {
            let othersRunning = self.containers.contains { $0.state == .running || $0.state.isWaiting }
            return .failed(othersRunning: othersRunning)
        }
        if self.containers[container].isInit {
            let next = container + 1
            if self.containers[next].isInit { return .start([next]) }
            return .start(self.containers.indices.filter { !self.containers[$0].isInit })
        }
        return self.hasEnded ? .ended : .wait
    }
}

extension LocalPod.Container {
    var isOver: Bool {
        guard case .exited = self.state else { return false }
        return true
    }

    var hasFailed: Bool { self.isOver && !self.state.isSuccess }
}

extension LocalPod.ContainerState {
    var isSuccess: Bool {
        guard case .exited(let exit, _) = self else { return false }
        return exit.isSuccess
    }

    var isWaiting: Bool {
        guard case .waiting = self else { return false }
        return true
    }
}
