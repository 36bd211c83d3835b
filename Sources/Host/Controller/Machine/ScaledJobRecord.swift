import DequeModule
import Kubernetes
import Pace
import Scaling

/// Everything that the controller knows about one ScaledJob, apart from its Jobs.
struct ScaledJobRecord {
    /// Whether the API server accepts the Job template.
    enum Trial: Equatable {
        case untried
        case trying
        case accepted
        case refused(String, retryAt: ContinuousClock.Instant)
        /// No answer; tried again.
        case unanswered(retryAt: ContinuousClock.Instant)
    }

    enum Deletion: Equatable {
        case queued
        case calling
        /// The server said yes; the watch has not shown it yet.
        case done
        case failed(retryAt: ContinuousClock.Instant)
    }

    var object: ScaledJob
    var specification: ScaledJobSpecification?
    var problems: [Problem] = []
    /// What was said about the manifest, see ``ScaledJob/advice``.
    var advice: [Problem] = []
    var triggers: [TriggerRecord] = []
    var needs = ParameterResolver.Needs()
    var isPaused = false
    var names: JobNames
    var template: JobTemplate?
    var templateRevision: UInt64 = 0
    var trial: Trial = .untried
    var trialBackoff = Backoff(base: .seconds(1), cap: .seconds(60))

    /// Another shard may still act for it until then.
    var leftAloneUntil: ContinuousClock.Instant?

    var schedule: PollSchedule
    var decision: ScalingDecision?
    /// Something changed that the decision depends on.
    var needsDecision = false
    /// The strategy in use depends on Pods.
    var needsPods = false
    /// When Jobs that have started will have claimed their items, and a reading is worth its while.
    var readsAgainAt: ContinuousClock.Instant?
    /// A poll has come since base Jobs were last filled up.
    var mayFillBase = false

    /// Names to create, in order.
    var creations: Deque<String> = []
    /// The last decision asks for more than the queue may hold.
    var isQueueCut = false
    var window: CreationWindow
    var creationBackoff = Backoff(base: .milliseconds(200), cap: .seconds(60))
    /// No creation is sent before this.
    var creationsHeldUntil: ContinuousClock.Instant?
    /// Why the API server last refused a Job; nil after a success.
    var refusal: String?
    /// Jobs created since the last Event that told of any.
    var createdSinceEvent = 0
    /// When that was.
    var createdToldAt: ContinuousClock.Instant?
    /// Failed Jobs since the last one that succeeded.
    var failureStreak = 0
    /// Changes reported by a plugin wait until this, so that Jobs that fail at once don't chase each other.
    var pushesHeldUntil: ContinuousClock.Instant?

    var deletions: [String: Deletion] = [:]
    /// The names in ``deletions`` that are queued, perhaps with some that no longer are.
    var deletionQueue: Deque<String> = []
    /// When the first of those that failed may be due again; nil when none is.
    var deletionRetryAt: ContinuousClock.Instant?
    var deletionHold = DeletionHold()
    /// The next deletion comes from the queue; those that failed before wait there, and others come in between.
    var takesQueuedDeletion = false
    var comparisonBackoff = Backoff(base: .milliseconds(200), cap: .seconds(30))

    var rollout = RolloutRecord()

    var status: StatusRecord
    var counters = JobCounters()
    /// Triggers that could not be read, once for each poll.
    var errors = 0
    /// How late the last poll was.
    var pollLateness: Duration?
    /// Whether it is polled, as far as Events have told.
    var isWatched = false
    var eventLedger = EventLedger()
    /// The decision that the status tells of.
    var toldDecision: ScalingDecision?
    /// The time for which this record is in the wake-up queue.
    var wakeAt: ContinuousClock.Instant?
    /// The time for which it is in the queue of polls.
    var pollAt: ContinuousClock.Instant?

    /// The longest that attempts to create Jobs are put off: whatever was wrong, work goes on within one polling interval.
    var longestPause: Duration { self.specification?.pollingInterval ?? .seconds(30) }

    var key: ObjectKey { self.object.key }
    var uid: String { self.object.uid }

    /// Takes the next name to create from the queue; nil when there is none, or none that may be sent now.
    mutating func nextCreation(at now: ContinuousClock.Instant) -> String? {
        guard !self.creations.isEmpty else { return nil }
        if let held = self.creationsHeldUntil {
            guard held <= now else { return nil }
            self.creationsHeldUntil = nil
        }
        return self.window.hasRoom ? self.creations.removeFirst() : nil
    }

    mutating func queueDeletion(of job: String) {
        self.deletions[job] = .queued
        self.deletionQueue.append(job)
    }

    /// The deletions that failed and are due again.
    mutating func dueDeletions(at now: ContinuousClock.Instant) -> [String] {
        guard let due = self.deletionRetryAt, due <= now else { return [] }
        self.deletionRetryAt = nil
        var names: [String] = []
        for case (let job, .failed(let retryAt)) in self.deletions {
            if retryAt <= now {
                names.append(job)
            } else {
                self.deletionRetryAt = Swift.min(self.deletionRetryAt ?? retryAt, retryAt)
            }
        }
        return names
    }

    /// Takes the next deletion from the queue; one of an older template's Job only where it `mayRollOut`.
    mutating func nextDeletion(mayRollOut: Bool) -> String? {
        for _ in 0..<self.deletionQueue.count {
            guard let job = self.deletionQueue.popFirst() else { return nil }
            guard self.deletions[job] == .queued else { continue }
            if mayRollOut || !self.rollout.doomed.contains(job) { return job }
            self.deletionQueue.append(job)
        }
        return nil
    }

    func reference(_ job: String) -> JobReference {
        JobReference(owner: self.uid, key: ObjectKey(namespace: self.key.namespace, name: job))
    }
}
