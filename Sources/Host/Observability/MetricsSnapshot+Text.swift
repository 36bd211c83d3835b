package import Controller
import Kubernetes
import Scaling

extension MetricsSnapshot {
    /// All metrics in Prometheus' exposition format.
    package func prometheusText() -> [UInt8] {
        var text = MetricsText()
        self.writeBuild(&text)
        self.writeTriggers(&text)
        self.writeScaledJobs(&text)
        self.writeCounts(&text)
        self.writeValidations(&text)
        self.writeJobs(&text)
        self.writeAdmission(&text)
        self.writeTotals(&text)
        self.writeCalls(&text)
        self.writeFlow(&text)
        self.writeReports(&text)
        return text.bytes
    }

    private func writeBuild(_ text: inout MetricsText) {
        #if arch(arm64)
        let architecture = "arm64"
        #else
        let architecture = "amd64"
        #endif
        text.begin(.buildInfo)
        text.sample(.buildInfo, .init(.buildInfo, self.version, "", "swift", "linux", architecture), 1)
    }

    // MARK: - KEDA's

    private func writeTriggers(_ text: inout MetricsText) {
        // The same labels for four families: made once.
        let triggers = self.triggers.sorted { ($0.scaledJob, $0.index) < ($1.scaledJob, $1.index) }
        let labels = triggers.map { trigger in
            MetricsText.Labels(
                .scalerValue,
                trigger.scaledJob.namespace,
                trigger.metric,
                trigger.scaledJob.name,
                trigger.scaler,
                "\(trigger.index)",
                "scaledjob"
            )
        }
        text.begin(.scalerValue)
        for (trigger, labels) in zip(triggers, labels) {
            if let value = trigger.value { text.sample(.scalerValue, labels, value) }
        }
        text.begin(.scalerLatency)
        for (trigger, labels) in zip(triggers, labels) {
            if let latency = trigger.latency { text.sample(.scalerLatency, labels, latency / .seconds(1)) }
        }
        text.begin(.scalerActive)
        for (trigger, labels) in zip(triggers, labels) {
            if let isActive = trigger.isActive { text.sample(.scalerActive, labels, isActive ? 1 : 0) }
        }
        text.begin(.scalerErrors)
        for (trigger, labels) in zip(triggers, labels) { text.sample(.scalerErrors, labels, trigger.errors) }
    }

    private func writeScaledJobs(_ text: inout MetricsText) {
        let scaledJobs = self.scaledJobs.sorted { $0.key < $1.key }
        text.begin(.scaledJobErrors)
        for figures in scaledJobs {
            let key = figures.key
            text.sample(.scaledJobErrors, .init(.scaledJobErrors, key.namespace, key.name), figures.errors)
        }
        text.begin(.scaleLoopLatency)
        for figures in scaledJobs {
            guard let lateness = figures.pollLateness else { continue }
            let labels = MetricsText.Labels(.scaleLoopLatency, figures.key.namespace, "scaledjob", figures.key.name)
            text.sample(.scaleLoopLatency, labels, lateness / .seconds(1))
        }
    }

    private func writeCounts(_ text: inout MetricsText) {
        text.begin(.triggersRegistered)
        for (type, count) in self.triggerTypes.sorted(by: { $0.key < $1.key }) {
            text.sample(.triggersRegistered, .init(.triggersRegistered, type), count)
        }
        text.begin(.resourcesRegistered)
        let resources = self.resources.sorted { ($0.key.type, $0.key.namespace) < ($1.key.type, $1.key.namespace) }
        for (resource, count) in resources {
            text.sample(.resourcesRegistered, .init(.resourcesRegistered, resource.type, resource.namespace), count)
        }
    }

    private func writeValidations(_ text: inout MetricsText) {
        let validations = self.validations.validations.sorted {
            ($0.key.namespace, $0.key.action, $0.key.reason ?? "") < (
                $1.key.namespace, $1.key.action, $1.key.reason ?? ""
            )
        }
        text.begin(.validations)
        for (key, count) in validations where key.reason == nil {
            text.sample(.validations, .init(.validations, key.namespace, key.action), count)
        }
        text.begin(.validationErrors)
        for (key, count) in validations {
            guard let reason = key.reason else { continue }
            text.sample(.validationErrors, .init(.validationErrors, key.namespace, key.action, reason), count)
        }
    }

    // MARK: - Sluice's own

    private func writeJobs(_ text: inout MetricsText) {
        let scaledJobs = self.scaledJobs.sorted { $0.key < $1.key }
        func write(_ family: MetricFamily, _ value: (ScaledJobFigures) -> Int?) {
            text.begin(family)
            for figures in scaledJobs {
                guard let value = value(figures) else { continue }
                text.sample(family, .init(family, figures.key.namespace, figures.key.name), value)
            }
        }
        write(.jobsCreated) { $0.counters.created }
        text.begin(.jobsFinished)
        for figures in scaledJobs {
            let outcomes = [("succeeded", figures.counters.succeeded), ("failed", figures.counters.failed)]
            for (outcome, count) in outcomes {
                let labels = MetricsText.Labels(.jobsFinished, figures.key.namespace, figures.key.name, outcome)
                text.sample(.jobsFinished, labels, count)
            }
        }
        write(.jobsCleaned) { $0.counters.cleaned }
        write(.jobsRefused) { $0.counters.refused }
        write(.jobsUnfinished) { $0.unfinished }
        write(.jobsStuckDeleting) { $0.stuckDeleting }
        write(.queueLength) { $0.queueLength }
        write(.itemsExhausted) { $0.exhaustedItems }
    }

    private func writeTotals(_ text: inout MetricsText) {
        let jobs = self.totals.jobs
        text.begin(.hostJobs)
        let counts = [
            ("created", jobs.created), ("succeeded", jobs.succeeded), ("failed", jobs.failed),
            ("cleaned", jobs.cleaned), ("refused", jobs.refused),
        ]
        for (event, count) in counts { text.sample(.hostJobs, .init(.hostJobs, event), count) }
        text.begin(.decisions)
        for limit in ScalingDecision.Limit.allCases {
            text.sample(.decisions, .init(.decisions, limit.rawValue), self.totals.decisions[limit] ?? 0)
        }
        text.begin(.triggers)
        var states: [TriggerState: Int] = [:]
        for trigger in self.triggers { states[trigger.state, default: 0] += 1 }
        for state in TriggerState.allCases {
            text.sample(.triggers, .init(.triggers, state.rawValue), states[state] ?? 0)
        }
        text.begin(.plugins)
        for (plugin, isConnected) in self.plugins.sorted(by: { $0.key < $1.key }) {
            text.sample(.plugins, .init(.plugins, plugin), isConnected ? 1 : 0)
        }
    }

    private func writeCalls(_ text: inout MetricsText) {
        text.begin(.calls)
        let calls = self.calls.calls.sorted {
            ($0.key.verb.name, $0.key.resource, $0.key.outcome) < ($1.key.verb.name, $1.key.resource, $1.key.outcome)
        }
        for (key, count) in calls {
            text.sample(.calls, .init(.calls, key.verb.name, key.resource, key.outcome), count)
        }
        text.begin(.callDurations)
        for (verb, durations) in self.calls.durations.sorted(by: { $0.key.name < $1.key.name }) {
            text.histogram(
                .callDurations,
                .init(.callDurations, verb.name),
                bounds: APICallCounts.Durations.bounds,
                counts: durations.counts,
                sum: durations.sum
            )
        }
    }

    private func writeFlow(_ text: inout MetricsText) {
        text.begin(.callsUnderWay)
        if let flow { text.sample(.callsUnderWay, .init(.callsUnderWay), flow.underWay) }
        text.begin(.callLimit)
        if let flow { text.sample(.callLimit, .init(.callLimit), flow.limit) }
        text.begin(.callsWaiting)
        if let flow {
            for kind in CallKind.allCases {
                text.sample(.callsWaiting, .init(.callsWaiting, kind.rawValue), flow.waiting[kind] ?? 0)
            }
        }
        text.begin(.throttled)
        if let flow {
            for cause in ThrottledTime.Cause.allCases {
                let seconds = (flow.throttled[cause] ?? .zero) / .seconds(1)
                text.sample(.throttled, .init(.throttled, cause.rawValue), seconds)
            }
        }
    }

    private func writeReports(_ text: inout MetricsText) {
        text.begin(.statusWrites)
        for kind in ControllerTotals.StatusKind.allCases {
            for succeeded in [true, false] {
                let count = self.totals.statusWrites(kind, succeeded: succeeded)
                let outcome = succeeded ? "success" : "failure"
                text.sample(.statusWrites, .init(.statusWrites, kind.rawValue, outcome), count)
            }
        }
        text.begin(.events)
        for reason in EventReason.all {
            text.sample(.events, .init(.events, reason.rawValue), self.totals.events[reason] ?? 0)
        }
        text.begin(.eventsDropped)
        text.sample(.eventsDropped, .init(.eventsDropped), self.totals.droppedEvents)
    }
}
