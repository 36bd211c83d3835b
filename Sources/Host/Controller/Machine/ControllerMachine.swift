import Credentials
import HeapModule
import Kubernetes
import PluginHost
package import Scaling

/// The whole controller without its sockets, clocks and tasks: what happens goes in, what must be done comes out.
///
/// Everything is level-triggered. An input changes what is known and marks the ScaledJobs that it concerns; each of those
/// is then reconciled from what is known, so that no order of inputs can lose a step. No input waits for another.
package struct ControllerMachine: Sendable {
    package let configuration: ControllerConfiguration

    var records: [String: ScaledJobRecord] = [:]
    var trackers = JobTrackers()
    /// The namespace of each tracker, also where its ScaledJob is not known yet.
    var namespaces: [String: String] = [:]
    var uids: [ObjectKey: String] = [:]
    /// ScaledJobs whose name is cut where it is a label's value, by that value.
    var cutNames = ReferenceTable<ObjectKey>()
    /// By the UID of each Job that was shown, the UID of its ScaledJob.
    var owners: [String: String] = [:]
    var pods = PodTable()
    /// Scopes whose Pods are watched: those where a strategy needs to know which Jobs are pending.
    var podScopes: Set<String?> = []
    /// Why the Pods of a scope have not been listed yet.
    var podFailures: [String?: String] = [:]
    var authentications: AuthenticationStore
    var sources = ParameterSources()
    var credentials: CredentialLedger
    // Which ScaledJobs a change concerns.
    var secretUsers = ReferenceTable<ObjectKey>()
    var configMapUsers = ReferenceTable<ObjectKey>()
    var credentialUsers = ReferenceTable<CredentialRequest>()
    var typeUsers = ReferenceTable<String>()
    var offers: [String: TriggerTypeOffer] = [:]
    var authenticationUses = AuthenticationUses()
    /// What this host has done since it started; the counters of ScaledJobs that exist are in their records.
    var totals = ControllerTotals()
    var synced = SyncedScopes()
    var random: SystemOrSeededGenerator

    /// Turns of ScaledJobs that have Jobs to create or delete, so that none waits behind a long batch of another.
    var creationTurns = TurnQueue()
    var deletionTurns = TurnQueue()
    var cleaning: Cleaning
    var creationsUnderWay = 0
    /// Which of them the limits admit.
    var admission: AdmissionState
    var deletionsUnderWay = 0
    var statusWritesUnderWay = 0
    var statusTurns = TurnQueue()
    var comparisonTurns = TurnQueue()
    var comparisonsUnderWay = 0
    var trialTurns = TurnQueue()
    var urgentTrialTurns = TurnQueue()
    var trialsUnderWay = 0
    var lookUps = LookUpQueue()
    var lookUpsUnderWay: Set<JobReference> = []
    /// By UID, the objects that KEDA's finalizer keeps from going.
    var finalizers: [String: FinalizerRecord] = [:]
    var finalizerTurns = TurnQueue()
    /// When those that failed are due again.
    var finalizerRetries = Heap<Wakeup>()
    var finalizersUnderWay = 0
    /// The objects that set limits.
    var limitObjects = LimitObjects()
    /// What has been done so far.
    var work = Work()

    /// By UID, the ScaledJobs with one Job per item.
    var items: [String: ItemRecord] = [:]

    // What one input collects.
    var actions: [ControllerAction] = []
    var touched: Set<String> = []
    var measures: [TriggerID] = []
    /// Whether a trigger type that no plugin offers is a fault by now.
    private(set) var graceIsOver = false
    private let graceEnd: ContinuousClock.Instant

    private var wakeups = Heap<Wakeup>()
    /// Apart from the others, because whatever else is taken early would have to be put back.
    private var polls = Heap<Wakeup>()

    package init(configuration: ControllerConfiguration, now: ContinuousClock.Instant, seed: UInt64? = nil) {
        self.configuration = configuration
        self.authentications = AuthenticationStore(
            clusterNamespace: configuration.clusterNamespace,
            rules: configuration.authentication
        )
        self.credentials = CredentialLedger(pace: CredentialLedger.Pace(refresh: configuration.credentialRefresh))
        self.random = SystemOrSeededGenerator(seed: seed)
        self.cleaning = Cleaning(configuration)
        self.admission = AdmissionState(hostLimits: configuration.hostLimits)
        self.graceEnd = now + configuration.pluginGrace
    }

    /// Takes one input and returns what must now be done, in order.
    package mutating func handle(_ input: ControllerInput, at moment: Moment) -> [ControllerAction] {
        self.noteFinalizers(input)
        let input = self.priced(input, at: moment)
        switch input {
        case .scaledJobs(let change, let scope): self.handle(change, scope: scope, at: moment)
        case .jobs(let change, let scope): self.handle(change, scope: scope, at: moment)
        case .pods(let change, let scope): self.handle(change, scope: scope, at: moment)
        case .authentications(let change, let scope):
            self.track(change, scope: scope, at: moment)
            self.handle(change, scope: scope)
        case .clusterAuthentications(let change):
            self.track(change, at: moment)
            self.handle(change)
        case .budgets(let change): self.handle(change, at: moment)
        case .quotas(let change, let scope): self.handle(change, scope: scope)
        case .limitRanges(let change, let scope): self.handle(change, scope: scope, at: moment)
        case .namespaces(let change): self.handle(change)
        case .secret(let key, let entry): self.handle(key, entry)
        case .configMap(let key, let entry): self.handle(configMap: key, entry)
        case .credential(let request, let outcome): self.fetched(request, outcome, at: moment)
        case .plugin(let event): self.handle(event, at: moment)
        case .jobCreated(let job, let outcome): self.created(job, outcome, at: moment)
        case .jobLookedUp(let job, let outcome): self.lookedUp(job, outcome, at: moment)
        case .jobDeleted(let job, let outcome): self.deleted(job, outcome, at: moment)
        case .templateTried(let owner, let revision, let outcome):
            self.templateTried(owner, revision, outcome, at: moment)
        case .templateCompared(let job, let uid, let hash, let outcome):
            self.compared(job, uid: uid, hash: hash, outcome, at: moment)
        case .finalizerRemoved(let reference, let outcome): self.finalizerRemoved(reference, outcome, at: moment)
        case .statusWritten(let owner, let outcome): self.statusWritten(owner, outcome, at: moment)
        case .authenticationStatusWritten(let id, let scaledJobs, let outcome):
            self.authenticationStatusWritten(id, scaledJobs: scaledJobs, outcome, at: moment)
        case .budgetStatusWritten(let name, let outcome): self.budgetStatusWritten(name, outcome, at: moment)
        case .tick: break
        }
        if !self.graceIsOver, moment.instant >= self.graceEnd {
            self.graceIsOver = true
            self.resolve(Array(self.records.keys))
        }
        self.wakeDue(moment.instant)
        self.cleaning.ledger.expire(at: moment.unixSeconds)
        self.settle(moment)
        self.tellStuckDeletions(moment)
        self.planCleaning(moment)
        defer { self.actions = [] }
        return self.actions
    }

    /// When the next `tick` is due; nil when nothing waits for the clock.
    package var nextWake: ContinuousClock.Instant? {
        let grace = self.graceIsOver ? nil : self.graceEnd
        return [
            self.wakeups.min?.at, self.polls.min?.at, self.nextFinalizer, self.authenticationUses.nextDue,
            self.credentials.nextWake, self.cleaning.wakeAt, self.limitObjects.nextDue, self.admission.ledger.nextWake,
            grace,
        ]
        .compactMap(\.self)
        .min()
    }

    /// Reconciles what was touched, then hands out the turns for calls.
    private mutating func settle(_ moment: Moment) {
        self.settleLimits(moment)
        // Reconciling may touch others (a freed turn), never itself for ever: each pass only consumes flags.
        self.reconcileTouched(moment)
        self.followNeeds(moment)
        self.dispatchTrials(moment)
        self.dispatchCreations(moment)
        self.tellWaits(moment)
        self.dispatchLookUps()
        self.dispatchDeletions(moment)
        self.dispatchComparisons()
        self.dispatchFinalizers(moment)
        self.dispatchStatusWrites(moment)
        self.dispatchAuthenticationWrites(moment)
        self.dispatchBudgetWrites(moment)
        let itemMeasures = self.takeItemMeasures()
        if !itemMeasures.isEmpty { self.actions.append(.measureItems(itemMeasures)) }
        if !self.measures.isEmpty {
            self.actions.append(.measure(self.measures))
            self.measures.removeAll(keepingCapacity: true)
        }
    }

    mutating func reconcileTouched(_ moment: Moment) {
        while let uid = self.touched.popFirst() {
            self.reconcile(uid, at: moment)
        }
    }

    private mutating func wakeDue(_ now: ContinuousClock.Instant) {
        while let next = self.wakeups.min, next.at <= now {
            self.wakeups.removeMin()
            guard self.records[next.uid]?.wakeAt == next.at else { continue }
            self.records[next.uid]?.wakeAt = nil
            self.touched.insert(next.uid)
        }
        // Polls that fall close together share one message to the plugin.
        let horizon = now + self.configuration.pollSlack
        while let next = self.polls.min, next.at <= horizon {
            self.polls.removeMin()
            guard self.records[next.uid]?.pollAt == next.at else { continue }
            self.records[next.uid]?.pollAt = nil
            self.touched.insert(next.uid)
        }
    }

    /// Notes when a record must be looked at again.
    mutating func schedule(_ uid: String, at instant: ContinuousClock.Instant?) {
        guard let record = self.records[uid], record.wakeAt != instant else { return }
        self.records[uid]?.wakeAt = instant
        if let instant { self.wakeups.insert(Wakeup(at: instant, uid: uid)) }
    }

    mutating func schedulePoll(_ uid: String, at instant: ContinuousClock.Instant?) {
        guard let record = self.records[uid], record.pollAt != instant else { return }
        self.records[uid]?.pollAt = instant
        if let instant { self.polls.insert(Wakeup(at: instant, uid: uid)) }
    }
}

/// What the controller is set up with.
package struct ControllerConfiguration: Sendable {
    /// The host's version, for `app.kubernetes.io/version`.
    package var version: String
    /// The namespaces to work in; nil for all.
    package var namespaces: [String]?
    /// Where the Secrets of ClusterTriggerAuthentications are.
    package var clusterNamespace: String
    /// Only ScaledJobs with these labels, in the words of the API server's `labelSelector`; nil for all.
    package var scaledJobSelector: String?
    /// What authentications may do.
    package var authentication = AuthenticationSettings()
    /// How often fetched credentials without an end of their own are read again.
    package var credentialRefresh = Duration.seconds(300)
    /// Whether JobBudgets, ResourceQuotas and LimitRanges are told of: then nothing is created before they are known.
    package var watchesLimits = false
    package var largestCreationsUnderWay = 48
    package var largestDeletionsUnderWay = 32
    /// What holds for finished Jobs besides the rules of each ScaledJob.
    package var cleaning = CleaningSettings()
    package var largestStatusWritesUnderWay = 8
    package var largestComparisonsUnderWay = 4
    package var largestTrialsUnderWay = 16
    package var largestLookUpsUnderWay = 16
    /// The creation window of a ScaledJob whose template the API server has accepted.
    package var initialCreationWindow = 8
    /// Names that one ScaledJob may have waiting for their creation; what is beyond follows when they are sent.
    package var longestCreationQueue = 10_000
    /// Polls due within this of each other go out together.
    package var pollSlack = Duration.milliseconds(50)
    /// How long a Job may take from the start of its Pod until it has claimed its item, where no condition tells.
    package var claimGrace = Duration.seconds(5)
    /// The longest between the request for a reading and its arrival: the plugins' own limit and some more.
    package var longestReading = Duration.seconds(60)
    /// What all Jobs of this host together may take.
    package var hostLimits = AdmissionLimits()
    /// The longest that the server works on a creation: as long it may store a Job after nobody waits for the answer.
    package var longestCreation = Duration.seconds(10)
    /// How long a trigger type may be unknown after the start before that counts as a fault.
    package var pluginGrace = Duration.seconds(5)

    package init(version: String, namespaces: [String]? = nil, clusterNamespace: String = "sluice") {
        self.version = version
        self.namespaces = namespaces
        self.clusterNamespace = clusterNamespace
    }
}

extension ControllerMachine {
    /// How often it did what takes time, from which can be told that an input costs what it concerns and no more.
    struct Work: Sendable, Equatable {
        /// ScaledJobs that were reconciled.
        var reconciled = 0
        /// ScaledJobs whose triggers were resolved.
        var resolved = 0
    }
}

/// An entry of the wake-up queue.
///
/// Entries that a record no longer stands for are skipped.
struct Wakeup: Comparable, Sendable {
    let at: ContinuousClock.Instant
    let uid: String

    static func < (left: Wakeup, right: Wakeup) -> Bool { (left.at, left.uid) < (right.at, right.uid) }
}
