package import Credentials
import Dispatch
package import Kubernetes
package import Logging
import Pace
package import PluginHost
import Scaling

/// Runs the ``ControllerMachine``: feeds it with what happens and does what it asks for.
///
/// There are no rules in here. Each action that takes time runs as a task of its own and comes back as an input.
package actor Controller {
    private var machine: ControllerMachine
    private let api: CountedAPI
    private let plugins: any TriggerPlugins
    private let logger: Logger
    private let calls: ClusterCalls
    private let credentials: any CredentialProvider
    private let errands: AsyncStream<Errand>
    private let errandQueue: AsyncStream<Errand>.Continuation
    private let events: AsyncStream<EventRecord>
    private let eventQueue: AsyncStream<EventRecord>.Continuation
    /// Events for which there was no room in the queue.
    private var lostEvents = 0
    private let alarm: Alarm
    private var secretWatches = DataWatches()
    private var configMapWatches = DataWatches()
    private var interruptions: Set<String> = []
    /// Calls that change something, or tell whether something was changed.
    private var callsUnderWay = CallsUnderWay()
    /// Set once no more calls may begin; finished when the last one has ended.
    private var finishing: AsyncStream<Never>.Continuation?
    /// Whether the loop goes round, and what it still lacks; readable without waiting for it.
    package nonisolated let pulse = Pulse()

    /// Events that wait to be stored; more are lost, the oldest first.
    private static let waitingEvents = 4000
    /// The least time between two Events: a start with many ScaledJobs has more important calls to make.
    private static let eventSpacing = Duration.milliseconds(10)

    /// Something to be done by a task of its own.
    ///
    /// The machine bounds how many calls of each kind are under way; there is one watch of Pods for each scope, and a tick
    /// or a beat follows the one before. So the queue is bounded as well.
    private enum Errand: Sendable {
        case act(ControllerAction)
        case tick
        case beat
    }

    package init(
        configuration: ControllerConfiguration,
        api: any KubernetesAPI,
        plugins: any TriggerPlugins,
        credentials: any CredentialProvider = NoCredentials(),
        logger: Logger
    ) {
        var configuration = configuration
        configuration.watchesLimits = true
        self.machine = ControllerMachine(configuration: configuration, now: .now)
        self.api = CountedAPI(api)
        self.plugins = plugins
        self.credentials = credentials
        self.logger = logger
        self.calls = ClusterCalls(api: self.api)
        (self.events, self.eventQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.waitingEvents))
        let (errands, errandQueue) = AsyncStream.makeStream(of: Errand.self)
        self.errands = errands
        self.errandQueue = errandQueue
        self.alarm = Alarm { errandQueue.yield(.tick) }
    }

    /// Controls until the task is cancelled.
    package func run() async {
        let scopes: [String?] = self.machine.configuration.namespaces.map { $0.map(Optional.some) } ?? [nil]
        await withDiscardingTaskGroup { group in
            for scope in scopes {
                let selector = self.machine.configuration.scaledJobSelector
                self.reflect(ScaledJob.self, scope, labelSelector: selector, &group) { .scaledJobs($0, scope: scope) }
                self.reflect(TriggerAuthentication.self, scope, &group) { .authentications($0, scope: scope) }
                // All of them: Jobs are ours by their owner, and a selector would hide those that lost a label.
                self.reflect(Job.self, scope, &group) { .jobs(JobsChange($0), scope: scope) }
                self.reflectLimits(ResourceQuota.self, scope, &group) { .quotas($0, scope: scope) }
                self.reflectLimits(LimitRange.self, scope, &group) { .limitRanges($0, scope: scope) }
            }
            self.reflectLimits(JobBudget.self, nil, &group) { .budgets($0) }
            self.reflect(ClusterTriggerAuthentication.self, nil, &group) { .clusterAuthentications($0) }
            group.addTask { await self.hearPlugins() }
            group.addTask { await self.storeEvents() }
            group.addTask { await self.pulse.run { self.errandQueue.yield(.beat) } }
            self.take(.tick)
            for await errand in self.errands {
                group.addTask { await self.run(errand) }
            }
            group.cancelAll()
        }
        self.alarm.stop()
        self.secretWatches.cancelAll()
        self.configMapWatches.cancelAll()
    }

    /// Lets the calls under way end and begins no more; it goes on to follow the cluster until ``run()`` is cancelled.
    ///
    /// Returns at the deadline at the latest. False when a call is still under way then, or has ended without an answer so
    /// lately that the server may still act on it.
    package func finishCalls(by deadline: ContinuousClock.Instant) async -> Bool {
        let (ends, continuation) = AsyncStream.makeStream(of: Never.self)
        self.finishing = continuation
        guard self.callsUnderWay.isWaiting else { return !self.callsUnderWay.mayHaveEffect(at: .now) }
        // Cancelled below, where it is waited for no longer.
        let alarm = Task {
            try? await Task.sleep(until: deadline)
            continuation.finish()
        }
        for await _ in ends {}
        alarm.cancel()
        return !self.callsUnderWay.mayHaveEffect(at: .now)
    }

    /// All ScaledJobs at this moment.
    package func snapshots() -> [ScaledJobSnapshot] { self.machine.snapshots() }

    /// What the metrics say at this moment.
    package func metrics() -> MetricsSnapshot {
        var snapshot = self.machine.metrics()
        snapshot.calls = self.api.counts
        snapshot.totals.droppedEvents += self.lostEvents
        return snapshot
    }

    /// The trigger types on offer, those of plugins that went away included.
    package func offers() -> [String: TriggerTypeOffer] { self.machine.offers }

    private nonisolated func reflect<Object: KubernetesObject>(
        _ type: Object.Type,
        _ scope: String?,
        labelSelector: String? = nil,
        _ group: inout DiscardingTaskGroup,
        _ input: @escaping @Sendable (Reflection<Object>) -> ControllerInput
    ) {
        let reflector = Reflector<Object>(
            api: self.api,
            namespace: scope,
            labelSelector: labelSelector,
            logger: self.logger
        )
        group.addTask {
            await reflector.run { change in
                await self.note(change, of: Object.resource.plural)
                await self.take(input(change))
            }
        }
    }

    nonisolated func reflector<Object: KubernetesObject>(of type: Object.Type, _ scope: String?) -> Reflector<Object> {
        Reflector<Object>(api: self.api, namespace: scope, logger: self.logger)
    }

    /// What the API server says of one of its groups.
    nonisolated func discover(_ page: APIResource) async throws(KubernetesError) -> JSONValue {
        let body = try await self.api.send(APIRequest(.get, page, timeout: .seconds(10)))
        return (try? JSONValue(parsing: body)) ?? .null
    }

    private func hearPlugins() async {
        for await event in self.plugins.events {
            self.take(.plugin(event))
        }
    }

    /// One after the other: the count of an Event follows the Event.
    private nonisolated func storeEvents() async {
        for await event in self.events {
            await self.calls.record(event)
            guard (try? await Task.sleep(for: Self.eventSpacing)) != nil else { return }
        }
    }

    // MARK: - Inputs

    func take(_ input: ControllerInput) {
        let moment = Moment(instant: .now, unixSeconds: UnixTime.nowMicroseconds() / 1_000_000)
        for action in self.machine.handle(input, at: moment) {
            self.perform(action)
        }
        self.alarm.set(self.machine.nextWake)
    }

    /// Takes what a watch of one object says, unless nobody follows that object any more.
    private func takeData(_ input: ControllerInput) {
        // A watch that is cancelled while it waits for this actor gets here once more.
        guard !Task.isCancelled else { return }
        self.take(input)
    }

    /// Says once that a watch broke, and once that it works again.
    func note<Object>(_ change: Reflection<Object>, of resource: String) {
        if case .interrupted(let error) = change {
            let isNews = self.interruptions.insert(resource).inserted
            self.logger.log(
                level: isNews && error.code != .expired ? .warning : .debug,
                "lost sight of the cluster; holding decisions that depend on it",
                metadata: ["resource": "\(resource)", "error": "\(error)"]
            )
        } else if !self.interruptions.isEmpty, self.interruptions.remove(resource) != nil {
            self.logger.info("sees the cluster again", metadata: ["resource": "\(resource)"])
        }
    }

    // MARK: - Actions

    private func perform(_ action: ControllerAction) {
        switch action {
        case .setTrigger(let id, let revision, let specification):
            self.plugins.set(id, revision: revision, to: specification)
        case .removeTrigger(let id): self.plugins.remove(id)
        case .measure(let ids): self.plugins.measure(ids)
        case .measureItems(let items): self.plugins.measure(items)
        case .watchSecrets(let begin, let end):
            self.secretWatches.end(end)
            self.secretWatches.begin(begin) { key in
                let watch = DataWatch<Secret>(api: self.api, key: key, logger: self.logger)
                return Task { await watch.run { entry in await self.takeData(.secret(key, entry)) } }
            }
        case .watchConfigMaps(let begin, let end):
            self.configMapWatches.end(end)
            self.configMapWatches.begin(begin) { key in
                let watch = DataWatch<ConfigMap>(api: self.api, key: key, logger: self.logger)
                return Task { await watch.run { entry in await self.takeData(.configMap(key, entry)) } }
            }
        case .log(let record): self.log(record)
        case .recordEvent(let event):
            if case .dropped = self.eventQueue.yield(event) { self.lostEvents += 1 }
        case .watchPods, .watchNamespaces, .createJob, .tryTemplate, .lookUpJob, .deleteJob, .compareTemplate,
            .removeFinalizer,
            .writeStatus, .writeAuthenticationStatus, .writeBudgetStatus, .fetchCredential:
            self.errandQueue.yield(.act(action))
        }
    }

    private func run(_ errand: Errand) async {
        switch errand {
        case .tick: self.take(.tick)
        case .beat: self.pulse.beat(unlisted: self.machine.unlisted)
        case .act(.watchPods(let scope)): await self.watchPods(scope)
        case .act(.watchNamespaces): await self.watchNamespaces()
        case .act(.fetchCredential(let request)):
            self.take(.credential(request, await self.credentials.fetch(request)))
        case .act(let action):
            guard self.finishing == nil else { return }
            self.callsUnderWay.began()
            let input = await self.calls.perform(action)
            self.callsUnderWay.ended(input?.failure, at: .now)
            if !self.callsUnderWay.isWaiting { self.finishing?.finish() }
            if let input { self.take(input) }
        }
    }

    /// Runs until the controller is stopped: Pods are watched from the first time that a strategy needs them.
    private func watchPods(_ scope: String?) async {
        let reflector = Reflector<Pod>(
            api: self.api,
            namespace: scope,
            labelSelector: WellKnown.nameLabel,
            logger: self.logger
        )
        await reflector.run { change in
            self.note(change, of: Pod.resource.plural)
            self.take(.pods(change, scope: scope))
        }
    }

    private func log(_ record: LogRecord) {
        let level: Logger.Level =
            switch record.level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            }
        guard level >= self.logger.logLevel else { return }
        let metadata = Logger.Metadata(uniqueKeysWithValues: record.facts.map { ($0, .string($1)) })
        self.logger.log(level: level, "\(record.message)", metadata: metadata)
    }
}
