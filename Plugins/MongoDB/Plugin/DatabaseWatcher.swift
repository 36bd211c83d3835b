internal import Glibc
internal import Logging
internal import MongoDB
internal import NIOConcurrencyHelpers
internal import PluginKit

/// One change stream for all triggers on one database of a connection, on a thread of its own.
///
/// A trigger is woken when the stream that covers it has been opened, and for every change that concerns it. So nothing is
/// lost between opening a trigger and watching it, and nothing after a break that the stream could not resume from.
final class DatabaseWatcher: Sendable {
    private struct State {
        var plan = WatchPlan()
        var notifiers: [TriggerHandle: ChangeNotifier] = [:]
        var isRunning = false
    }

    private let database: String
    private let pool: MongoPool
    private let logger: Logger
    private let state = NIOLockedValueBox(State())

    init(database: String, pool: MongoPool, logger: Logger) {
        self.database = database
        self.pool = pool
        self.logger = logger
    }

    func add(_ trigger: TriggerHandle, source: TriggerSettings.Source, changes: ChangeNotifier) {
        let mustStart = self.state.withLockedValue { state in
            state.plan.add(trigger, collection: source.collection, query: source.query)
            state.notifiers[trigger] = changes
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustStart, !MongoPool.startThread({ self.run() }) {
            self.state.withLockedValue { $0.isRunning = false }
            self.logger.warning("no thread for watching; polling only", metadata: ["database": "\(self.database)"])
        }
    }

    /// Returns whether that was the last one; the thread ends by itself then.
    func remove(_ trigger: TriggerHandle) -> Bool {
        self.state.withLockedValue { state in
            state.plan.remove(trigger)
            state.notifiers[trigger] = nil
            return state.plan.isEmpty
        }
    }

    private func run() {
        var progress = WatchProgress()
        while let plan = self.currentPlan() {
            do throws(MongoError) {
                try self.pool.withClient { client throws(MongoError) in
                    try client.withChangeStream(
                        of: plan.onlyCollection,
                        in: self.database,
                        pipeline: plan.pipeline(filtersOnServer: progress.filtersOnServer),
                        options: progress.options
                    ) { stream throws(MongoError) in
                        try self.follow(&stream, of: plan, &progress)
                    }
                }
            } catch {
                let pause = progress.failed(error)
                if progress.isNewsworthy(error) {
                    self.logger.notice(
                        "watching failed; polling until it works again",
                        metadata: ["database": "\(self.database)", "error": "\(error.message)"]
                    )
                }
                self.sleep(milliseconds: pause)
            }
        }
    }

    /// Wakes triggers until the stream ends or another one is needed.
    private func follow(
        _ stream: inout MongoChangeStream,
        of plan: WatchPlan,
        _ progress: inout WatchProgress
    ) throws(MongoError) {
        if progress.opened() {
            self.logger.notice("watching works again", metadata: ["database": "\(self.database)"])
        }
        self.wake(progress.token == nil ? plan.triggers : plan.triggers(since: progress.coveredVersion))
        progress.coveredVersion = plan.version
        while self.isCurrent(plan) {
            let askedAt = ContinuousClock.now
            let event = try stream.next()
            guard let event else {
                progress.token = stream.resumeToken ?? progress.token
                // A cursor that the server has closed without a word answers at once, and for ever.
                guard ContinuousClock.now - askedAt < .milliseconds(50) else {
                    progress.emptyAnswers = 0
                    continue
                }
                progress.emptyAnswers += 1
                guard progress.emptyAnswers < 20 else {
                    progress.token = nil
                    throw MongoError(.driver, "the change stream has ended")
                }
                self.sleep(milliseconds: 10)
                continue
            }
            progress.emptyAnswers = 0
            progress.token = stream.resumeToken
            guard let concerned = self.concerned(by: event) else {
                // The collection was dropped or renamed: the next stream starts from now and wakes everybody.
                progress.token = nil
                return
            }
            self.wake(concerned)
        }
    }

    private func currentPlan() -> WatchPlan? {
        self.state.withLockedValue { state in
            state.isRunning = !state.plan.isEmpty
            return state.isRunning ? state.plan : nil
        }
    }

    private func isCurrent(_ plan: WatchPlan) -> Bool {
        self.state.withLockedValue { !$0.plan.isEmpty && $0.plan.version == plan.version }
    }

    private func concerned(by event: BSONDocument) -> [TriggerHandle]? {
        self.state.withLockedValue { $0.plan }.triggers(concernedBy: event)
    }

    private func wake(_ triggers: [TriggerHandle]) {
        let notifiers = self.state.withLockedValue { state in triggers.compactMap { state.notifiers[$0] } }
        for notify in notifiers {
            notify()
        }
    }

    /// Pauses in small steps, so that a watcher that is no longer wanted ends soon.
    private func sleep(milliseconds: UInt32) {
        var rest = milliseconds
        while rest > 0, self.state.withLockedValue({ !$0.plan.isEmpty }) {
            let step = min(rest, 200)
            usleep(step * 1000)
            rest -= step
        }
    }
}
