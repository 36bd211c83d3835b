import Kubernetes
import Scaling

/// Where the deletion of Jobs of an older template stands (`rollout.strategy: immediate`).
struct RolloutRecord {
    /// What is known of a Job that doesn't say which template it was made of.
    enum Comparison: Equatable {
        case queued
        case asking
        case known(TemplateComparison.Verdict)
        case failed(retryAt: ContinuousClock.Instant)
    }

    /// The revision of the template that the API server made a Job of in a trial.
    var provenRevision: UInt64?
    /// Something changed that decides which Jobs are old.
    var needsLook = true
    /// Jobs on their way out, by name: those of ``ScaledJobRecord/deletions`` that go for this reason.
    var doomed: Set<String> = []
    /// Jobs that are gone since it started.
    var deleted = 0
    var isUnderWay = false
    /// The hash of the template that ``comparisons`` compare with.
    var hash = ""
    /// By the UID of the Job.
    var comparisons: [String: Comparison] = [:]
    /// UIDs of Jobs that are left alone because it isn't certain that they are old, and that was said.
    var leftAlone: Set<String> = []
}
