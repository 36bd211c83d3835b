internal import Glibc
internal import Kubernetes
package import Logging
internal import NIOConcurrencyHelpers
internal import SystemPackage

/// Runs the Jobs of an in-process cluster as processes of this machine.
///
/// One loop owns a ``LocalJobMachine`` for each Job and does what they say. Processes run in child tasks: when
/// ``run()`` is cancelled, every one is asked to end, and `run()` returns when the last is gone.
package final class JobRunner: Sendable {
    package struct Settings: Sendable {
        /// The delay after a Job's first failure; it doubles with each further one.
        package var backoffBase: Duration = .seconds(10)
        /// Processes at once.
        ///
        /// What is beyond waits; the limits of the manifests normally come first.
        package var maximumProcesses: Int
        /// The environment to take the inherited variables from.
        package var environment: [String: String]

        package init(environment: [String: String]) {
            self.environment = environment
            // Each process takes a few descriptors of the host: its output while it starts, and one to wait on it.
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            self.maximumProcesses = max(4, Int(min(limit.rlim_cur, 65_536)) / 8)
        }
    }

    /// Names a process across Jobs.
    struct ProcessKey: Hashable, Sendable {
        let uid: String
        let id: LocalJobMachine.ProcessID
    }

    enum Event: Sendable {
        case started(ProcessKey)
        case exited(ProcessKey, LocalJobMachine.Exit)
    }

    /// What has happened since the loop looked last.
    struct Mail: Sendable {
        var changedJobs: Set<ObjectKey> = []
        var mustRelist = false
        var events: [Event] = []
    }

    private struct Mailbox {
        var mail = Mail()
        /// The process groups that run now.
        var groups: [ProcessKey: Int32] = [:]
    }

    let cluster: InProcessCluster
    let output: JobOutput
    let settings: Settings
    let logger: Logger
    private let mailbox = NIOLockedValueBox(Mailbox())
    private let doorbell = Doorbell()
    private let guardian = ProcessGuard()

    package init(cluster: InProcessCluster, output: JobOutput, settings: Settings, logger: Logger) {
        self.cluster = cluster
        self.output = output
        self.settings = settings
        self.logger = logger
    }

    /// The processes that run at this moment.
    package var runningProcesses: Int { self.mailbox.withLockedValue { $0.groups.count } }

    package func run() async throws {
        // The guard ends when its pipe does, so that it still watches while processes are being ended.
        let guarding = ProcessGuardTask(self.guardian, logger: self.logger)
        var desk = JobDesk(runner: self)
        await withDiscardingTaskGroup { group in
            group.addTask { await self.followJobs() }
            group.addTask { await self.keepOutputSmall() }
            while !Task.isCancelled {
                desk.handle(self.takeMail(), now: .now)
                while let start = desk.takeStart() {
                    group.addTask { await self.run(start) }
                }
                await self.doorbell.wait(until: desk.nextTimer)
            }
            group.cancelAll()
        }
        // Everything has ended; what ended last still gets into the statuses.
        desk.drain(self.takeMail())
        self.guardian.finish()
        await guarding.wait()
    }

    private func takeMail() -> Mail {
        self.mailbox.withLockedValue { mailbox in
            defer { mailbox.mail = Mail() }
            return mailbox.mail
        }
    }

    /// Tells the loop which Jobs to look at; after a watch that expired, all of them.
    private func followJobs() async {
        while !Task.isCancelled {
            let changes = self.cluster.changes(of: WatchScope(resource: .jobs))
            self.mailbox.withLockedValue { $0.mail.mustRelist = true }
            self.doorbell.ring()
            while let event = try? await changes.next(), event.kind != .error {
                self.mailbox.withLockedValue { _ = $0.mail.changedJobs.insert(event.object.key) }
                self.doorbell.ring()
            }
        }
    }

    private func keepOutputSmall() async {
        var round = 0
        while !Task.isCancelled {
            let files = self.openFiles.withLockedValue { Array($0.values) }
            for (job, pod, container) in files {
                self.output.trim(self.output.file(of: job, pod: pod, container: container))
            }
            if round.isMultiple(of: 60) { self.output.prune(except: Set(files.map(\.0))) }
            round += 1
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// The files that running processes write to.
    private let openFiles = NIOLockedValueBox<[ProcessKey: (ObjectKey, String, String)]>([:])

    private func run(_ start: JobDesk.Start) async {
        let exit: LocalJobMachine.Exit
        do {
            let output = try self.output.open(job: start.job, pod: start.pod, container: start.container)
            self.openFiles.withLockedValue { $0[start.key] = (start.job, start.pod, start.container) }
            let process = ContainerProcess(
                command: start.command,
                environment: start.environment,
                workingDirectory: start.workingDirectory,
                gracePeriod: start.gracePeriod,
                output: output
            )
            exit = await process.run { group in
                self.guardian.started(group)
                self.mailbox.withLockedValue { mailbox in
                    mailbox.groups[start.key] = group
                    mailbox.mail.events.append(.started(start.key))
                }
                self.doorbell.ring()
            }
        } catch {
            self.logger.warning(
                "Cannot write a Job's output",
                metadata: ["job": "\(start.job)", "error": "\(error)"]
            )
            exit = .failedToStart
        }
        self.openFiles.withLockedValue { $0[start.key] = nil }
        let group = self.mailbox.withLockedValue { mailbox in
            mailbox.mail.events.append(.exited(start.key, exit))
            return mailbox.groups.removeValue(forKey: start.key)
        }
        if let group { self.guardian.ended(group) }
        self.doorbell.ring()
    }

    /// Sends a signal to a process and all that it has started, when it still runs.
    func send(_ signal: LocalJobMachine.Signal, to process: ProcessKey) {
        self.mailbox.withLockedValue { mailbox in
            guard let group = mailbox.groups[process] else { return }
            kill(-group, signal == .terminate ? SIGTERM : SIGKILL)
        }
    }
}

/// The guard's task, which must outlive the cancellation that stops the runner.
private struct ProcessGuardTask {
    private let task: Task<Void, Never>

    init(_ guardian: ProcessGuard, logger: Logger) {
        // Not a child task: it would be cancelled, and its shell ended, before the processes that it guards.
        self.task = Task {
            do {
                try await guardian.run()
            } catch {
                logger.warning(
                    "Processes are not guarded against the host's sudden end",
                    metadata: ["error": "\(error)"]
                )
            }
        }
    }

    func wait() async { await self.task.value }
}
