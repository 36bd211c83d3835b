package import Scaling

/// What the machine knows of finished Jobs, and of Jobs that are being deleted.
struct Cleaning: Sendable {
    var ledger: RetentionLedger
    var pace: DeletionPace
    var deleting: DeletingJobs
    /// When one of them is due next.
    var wakeAt: ContinuousClock.Instant?

    /// The longest until the wall clock is looked at again: it may be put forward meanwhile.
    static let longestSleep: Int64 = 600

    init(_ configuration: ControllerConfiguration) {
        let settings = configuration.cleaning
        self.ledger = RetentionLedger(grace: settings.timeToLiveGrace)
        self.ledger.set(total: settings.most, of: .host)
        self.deleting = DeletingJobs(patience: settings.deletionPatience)
        self.pace = DeletionPace(settings.pace)
    }

    mutating func forget(_ owner: String) {
        self.ledger.forget(owner)
        self.deleting.forget(owner)
    }
}

/// What holds for the finished Jobs of all ScaledJobs.
package struct CleaningSettings: Sendable, Equatable {
    /// Seconds that finished Jobs are kept where their ScaledJob doesn't say; nil for no such limit.
    package var longest: Int64?
    /// How many finished Jobs are kept altogether; nil for no such limit.
    package var most: Int?
    /// How many deletions a second may begin, besides the bound of those under way.
    package var pace = DeletionPace.Rule.unlimited
    /// Seconds that the cluster has to delete a Job by itself once its `ttlSecondsAfterFinished` is over.
    package var timeToLiveGrace: Int64 = 5
    /// Seconds after which a Job that is being deleted and is still there counts as stuck.
    package var deletionPatience: Int64 = 120

    package init() {}
}
