/// The reason of a Kubernetes Event: what alerts and scripts match on.
///
/// The names are KEDA's where it has one, so that what was written for it goes on working.
package struct EventReason: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral value: String) { self.init(rawValue: value) }

    package static let scaledJobReady: Self = "ScaledJobReady"
    package static let scaledJobCheckFailed: Self = "ScaledJobCheckFailed"
    package static let scaledJobUpdateFailed: Self = "ScaledJobUpdateFailed"
    package static let scaledJobDeleted: Self = "ScaledJobDeleted"
    package static let scaledJobPaused: Self = "ScaledJobPaused"
    package static let scaledJobUnpaused: Self = "ScaledJobUnpaused"
    package static let rolloutCleanupStarted: Self = "ScaledJobRolloutCleanupStarted"
    package static let rolloutCleanupCompleted: Self = "ScaledJobRolloutCleanupCompleted"
    package static let rolloutCleanupFailed: Self = "ScaledJobRolloutCleanupFailed"
    package static let scaledJobRetentionInvalid: Self = "ScaledJobRetentionInvalid"
    package static let scaledJobDeletionStuck: Self = "ScaledJobDeletionStuck"
    package static let scalersStarted: Self = "KEDAScalersStarted"
    package static let scalersStopped: Self = "KEDAScalersStopped"
    package static let scalerFailed: Self = "KEDAScalerFailed"
    package static let scalerInfo: Self = "KEDAScalerInfo"
    package static let scaledJobActive: Self = "ScaledJobActive"
    package static let scaledJobInactive: Self = "ScaledJobInactive"
    package static let jobsCreated: Self = "KEDAJobsCreated"
    package static let jobCreateFailed: Self = "KEDAJobCreateFailed"
    /// An item gets no further Job.
    package static let itemFailed: Self = "ItemFailed"
    /// The Job of an item succeeded, and the item waits as before.
    package static let itemStillWaiting: Self = "ItemStillWaiting"
    package static let authenticationAdded: Self = "TriggerAuthenticationAdded"
    package static let authenticationUpdated: Self = "TriggerAuthenticationUpdated"
    package static let authenticationDeleted: Self = "TriggerAuthenticationDeleted"
    package static let clusterAuthenticationAdded: Self = "ClusterTriggerAuthenticationAdded"
    package static let clusterAuthenticationUpdated: Self = "ClusterTriggerAuthenticationUpdated"
    package static let clusterAuthenticationDeleted: Self = "ClusterTriggerAuthenticationDeleted"

    /// Every reason, in the order of the documentation.
    package static let all: [EventReason] = [
        .scaledJobReady, .scaledJobCheckFailed, .scaledJobUpdateFailed, .scaledJobDeleted, .scaledJobPaused,
        .scaledJobUnpaused, .rolloutCleanupStarted, .rolloutCleanupCompleted, .rolloutCleanupFailed,
        .scaledJobRetentionInvalid, .scaledJobDeletionStuck, .scalersStarted, .scalersStopped, .scalerFailed,
        .scalerInfo, .scaledJobActive, .scaledJobInactive, .jobsCreated, .jobCreateFailed, .itemFailed,
        .itemStillWaiting, .authenticationAdded, .authenticationUpdated, .authenticationDeleted,
        .clusterAuthenticationAdded, .clusterAuthenticationUpdated, .clusterAuthenticationDeleted,
    ]

    private static let scaleHandlers: Set<EventReason> = [
        .scalersStarted, .scalersStopped, .scalerFailed, .scalerInfo, .scaledJobActive, .scaledJobInactive,
        .jobsCreated, .jobCreateFailed,
    ]

    /// Whether KEDA reports it from its scale handler, and not from its operator.
    package var isOfScaleHandler: Bool { Self.scaleHandlers.contains(self) }

    /// The Event's `reportingController`.
    package var reportingController: String { self.isOfScaleHandler ? "scale-handler" : "keda-operator" }
}
