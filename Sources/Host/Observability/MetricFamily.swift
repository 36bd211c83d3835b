/// The metrics of one name: what they are and what their labels say.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package let name: String
    package let kind: Kind
    /// The labels of every series, in order.
    package let labels: [String]
    /// One sentence for people.
    package let help: String

    init(_ name: String, _ kind: Kind, _ labels: [String] = [], _ help: String) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
    }
}

extension MetricFamily {
    private static let scaler = ["namespace", "metric", "scaledObject", "scaler", "triggerIndex", "type"]
    private static let job = ["namespace", "scaledjob"]

    // MARK: - KEDA's

    static let buildInfo = MetricFamily(
        "keda_build_info",
        .gauge,
        ["version", "git_commit", "goversion", "goos", "goarch"],
        "Always 1; the labels say what runs."
    )
    static let scalerValue = MetricFamily(
        "keda_scaler_metrics_value",
        .gauge,
        scaler,
        "What waits at a trigger, at its last reading; absent while that is not known."
    )
    static let scalerLatency = MetricFamily(
        "keda_scaler_metrics_latency_seconds",
        .gauge,
        scaler,
        "How long the last reading of a trigger took."
    )
    static let scalerActive = MetricFamily(
        "keda_scaler_active",
        .gauge,
        scaler,
        "1 for a trigger that is active, 0 for one that is not; absent while that is not known."
    )
    static let scalerErrors = MetricFamily(
        "keda_scaler_detail_errors_total",
        .counter,
        scaler,
        "Polls in which a trigger could not be read."
    )
    static let scaledJobErrors = MetricFamily(
        "keda_scaled_job_errors_total",
        .counter,
        ["namespace", "scaledJob"],
        "Triggers that could not be read, once for each poll."
    )
    static let scaleLoopLatency = MetricFamily(
        "keda_internal_scale_loop_latency_seconds",
        .gauge,
        ["namespace", "type", "resource"],
        "How late the last poll began."
    )
    static let triggersRegistered = MetricFamily(
        "keda_trigger_registered_total",
        .gauge,
        ["type"],
        "Triggers of each type."
    )
    static let resourcesRegistered = MetricFamily(
        "keda_resource_registered_total",
        .gauge,
        ["type", "namespace"],
        "ScaledJobs and authentications that exist."
    )
    static let validations = MetricFamily(
        "keda_webhook_scaled_object_validations_total",
        .counter,
        ["namespace", "action"],
        "Objects that the admission webhook looked at."
    )
    static let validationErrors = MetricFamily(
        "keda_webhook_scaled_object_validation_errors_total",
        .counter,
        ["namespace", "action", "reason"],
        "Objects that the admission webhook refused."
    )

    // MARK: - Sluice's own

    static let jobsCreated = MetricFamily("sluice_jobs_created_total", .counter, job, "Jobs created.")
    static let jobsFinished = MetricFamily(
        "sluice_jobs_finished_total",
        .counter,
        job + ["outcome"],
        "Jobs seen to succeed or fail."
    )
    static let jobsCleaned = MetricFamily("sluice_jobs_cleaned_total", .counter, job, "Finished Jobs deleted.")
    static let jobsRefused = MetricFamily(
        "sluice_jobs_refused_total",
        .counter,
        job,
        "Creations of Jobs that the API server refused."
    )
    static let jobsUnfinished = MetricFamily(
        "sluice_jobs_unfinished",
        .gauge,
        job,
        "Jobs that exist or are asked for, and have not finished."
    )
    static let jobsStuckDeleting = MetricFamily(
        "sluice_jobs_stuck_deleting",
        .gauge,
        job,
        "Jobs that have been in deletion for over two minutes, because a finalizer keeps them."
    )
    static let queueLength = MetricFamily(
        "sluice_queue_length",
        .gauge,
        job,
        "The combined queue length of the last decision; absent while it is not known."
    )
    static let itemsExhausted = MetricFamily(
        "sluice_items_exhausted",
        .gauge,
        job,
        "Items that still wait after their last attempt; only where each item has a Job of its own."
    )
    static let hostJobs = MetricFamily(
        "sluice_host_jobs_total",
        .counter,
        ["event"],
        "Jobs of all ScaledJobs since the host started, deleted ScaledJobs included."
    )
    static let decisions = MetricFamily(
        "sluice_decisions_total",
        .counter,
        ["limit"],
        "Decisions, by what kept the number of new Jobs from being higher."
    )
    static let admissionInUse = MetricFamily(
        "sluice_admission_in_use",
        .gauge,
        ["scope", "name", "dimension"],
        "What unfinished Jobs take of a shared limit."
    )
    static let admissionLimit = MetricFamily(
        "sluice_admission_limit",
        .gauge,
        ["scope", "name", "dimension"],
        "The shared limits."
    )
    static let admissionWaiting = MetricFamily(
        "sluice_admission_waiting",
        .gauge,
        ["scope", "name", "dimension"],
        "ScaledJobs that wait because of a shared limit."
    )
    static let triggers = MetricFamily("sluice_triggers", .gauge, ["state"], "Triggers, by how far they are.")
    static let plugins = MetricFamily(
        "sluice_plugin_connected",
        .gauge,
        ["plugin"],
        "1 for a plugin that is connected, 0 for one that was."
    )
    static let calls = MetricFamily(
        "sluice_api_requests_total",
        .counter,
        ["verb", "resource", "outcome"],
        "Calls to the API server, by how they ended."
    )
    static let callDurations = MetricFamily(
        "sluice_api_request_duration_seconds",
        .histogram,
        ["verb"],
        "How long calls to the API server took; for a watch, until its first answer."
    )
    static let callsUnderWay = MetricFamily(
        "sluice_api_requests_in_flight",
        .gauge,
        [],
        "Calls to the API server under way, except about the Lease; an open watch is not one."
    )
    static let callLimit = MetricFamily(
        "sluice_api_requests_in_flight_limit",
        .gauge,
        [],
        "How many calls may be under way, by what the API server was seen to bear."
    )
    static let callsWaiting = MetricFamily(
        "sluice_api_requests_waiting",
        .gauge,
        ["kind"],
        "Calls to the API server that wait for their turn."
    )
    static let throttled = MetricFamily(
        "sluice_api_throttled_seconds_total",
        .counter,
        ["cause"],
        "For how long calls to the API server had to wait for their turn, by what kept them."
    )
    static let statusWrites = MetricFamily(
        "sluice_status_writes_total",
        .counter,
        ["kind", "outcome"],
        "Writes of the status of ScaledJobs and authentications."
    )
    static let events = MetricFamily("sluice_events_total", .counter, ["reason"], "Kubernetes Events, counts included.")
    static let eventsDropped = MetricFamily(
        "sluice_events_dropped_total",
        .counter,
        [],
        "Kubernetes Events not recorded: one ScaledJob had too many, or too many waited for the API server."
    )

    /// Every family, in the order of the text.
    package static let all: [MetricFamily] = [
        .buildInfo, .scalerValue, .scalerLatency, .scalerActive, .scalerErrors, .scaledJobErrors, .scaleLoopLatency,
        .triggersRegistered, .resourcesRegistered, .validations, .validationErrors, .jobsCreated, .jobsFinished,
        .jobsCleaned, .jobsRefused, .jobsUnfinished, .jobsStuckDeleting, .queueLength, .itemsExhausted, .hostJobs,
        .decisions, .admissionInUse, .admissionLimit, .admissionWaiting, .triggers, .plugins, .calls, .callDurations,
        .callsUnderWay, .callLimit, .callsWaiting, .throttled, .statusWrites, .events, .eventsDropped,
    ]
}
