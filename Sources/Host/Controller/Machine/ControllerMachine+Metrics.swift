import Kubernetes
import PluginHost
import Scaling

extension ControllerMachine {
    /// Everything that the metrics say, except for what the shell counts.
    package func metrics() -> MetricsSnapshot {
        var snapshot = MetricsSnapshot(version: self.configuration.version)
        snapshot.totals = self.totals
        snapshot.scaledJobs.reserveCapacity(self.records.count)
        for record in self.records.values {
            snapshot.totals.jobs += record.counters
            snapshot.scaledJobs.append(
                MetricsSnapshot.ScaledJobFigures(
                    key: record.key,
                    counters: record.counters,
                    errors: record.errors,
                    unfinished: self.trackers[record.uid]?.unfinished ?? 0,
                    stuckDeleting: self.cleaning.deleting.stuck(of: record.uid),
                    queueLength: record.isPaused ? nil : record.decision?.queueLength,
                    pollLateness: record.pollLateness,
                    exhaustedItems: self.items[record.uid]?.tally.exhausted
                )
            )
            self.addTriggers(of: record, to: &snapshot)
            snapshot.resources[.init(type: "scaled_job", namespace: record.key.namespace), default: 0] += 1
        }
        for id in self.authenticationUses.authentications {
            let type = id.kind == .namespaced ? "trigger_authentication" : "cluster_trigger_authentication"
            // Whatever has no namespace counts for `default`, as with KEDA.
            let namespace = id.kind == .namespaced ? id.key.namespace : "default"
            snapshot.resources[.init(type: type, namespace: namespace), default: 0] += 1
        }
        snapshot.admission = self.admission.ledger.limitedScopes()
        for offer in self.offers.values {
            snapshot.plugins[offer.plugin] = offer.isConnected || snapshot.plugins[offer.plugin] == true
        }
        return snapshot
    }

    private func addTriggers(of record: ScaledJobRecord, to snapshot: inout MetricsSnapshot) {
        for (trigger, manifest) in zip(record.triggers, record.specification?.triggers ?? []) {
            snapshot.triggerTypes[manifest.type, default: 0] += 1
            var known: TriggerBacklog?
            // While it is paused nobody reads it: what was read before is not how it is.
            if case .known(let backlog, _) = trigger.standing, !record.isPaused { known = backlog }
            snapshot.triggers.append(
                MetricsSnapshot.Trigger(
                    scaledJob: record.key,
                    index: trigger.id.index,
                    scaler: ScalerName.label(type: manifest.type, name: manifest.name),
                    metric: trigger.metric ?? MetricName.indexed(trigger.id.index, manifest.type),
                    state: trigger.state.forMetrics,
                    value: known?.waiting,
                    isActive: known?.isActive,
                    latency: record.isPaused ? nil : trigger.latency,
                    errors: trigger.errors
                )
            )
        }
    }
}

extension TriggerRecord.State {
    fileprivate var forMetrics: MetricsSnapshot.TriggerState {
        switch self {
        case .waiting: .waiting
        case .unresolved: .unresolved
        case .opening: .opening
        case .opened: .open
        case .failed: .failed
        }
    }
}
