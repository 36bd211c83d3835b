import Controller
import Kubernetes
import Scaling
import Standalone

/// What a list or watch tells of one resource, before it is read as an object of its type.
enum Sight {
    case replaced([JSONValue])
    case upserted(JSONValue)
    case deleted(JSONValue)
    case interrupted(KubernetesError)

    func reflection<Object>(_ startedAt: ContinuousClock.Instant, _ read: (JSONValue) -> Object) -> Reflection<Object> {
        switch self {
        case .replaced(let objects): .replaced(objects.map(read), startedAt: startedAt)
        case .upserted(let object): .upserted(read(object))
        case .deleted(let object): .deleted(read(object))
        case .interrupted(let error): .interrupted(error)
        }
    }
}

extension World {
    func tell(_ reflector: SimulatedReflector, _ sight: Sight, on host: Host) {
        let startedAt = reflector.listStartedAt
        switch reflector.kind {
        case .scaledJobs: self.tellScaledJobs(sight, startedAt, on: host)
        case .jobs: self.tellJobs(sight, startedAt, on: host)
        case .pods: self.take(.pods(sight.reflection(startedAt, Pod.init), scope: nil), on: host)
        case .authentications:
            self.take(.authentications(sight.reflection(startedAt, TriggerAuthentication.init), scope: nil), on: host)
        case .clusterAuthentications:
            self.take(
                .clusterAuthentications(sight.reflection(startedAt, ClusterTriggerAuthentication.init)),
                on: host
            )
        case .secret(let key):
            switch sight {
            case .replaced(let objects):
                self.take(.secret(key, objects.first.map(SecretStore.Entry.init) ?? .missing), on: host)
            case .upserted(let object): self.take(.secret(key, SecretStore.Entry(object)), on: host)
            case .deleted: self.take(.secret(key, .missing), on: host)
            case .interrupted: break
            }
        }
    }

    private func tellScaledJobs(_ sight: Sight, _ startedAt: ContinuousClock.Instant, on host: Host) {
        guard let acting = host.acting else { return }
        let reflection = sight.reflection(startedAt, ScaledJob.init)
        func show(_ scaledJob: ScaledJob) {
            let isGoing = scaledJob.metadata.deletionTimestamp != nil
            acting.shown[scaledJob.uid] = isGoing ? nil : ShownScaledJob(scaledJob)
        }
        switch reflection {
        case .replaced(let scaledJobs, _):
            acting.shown = [:]
            for scaledJob in scaledJobs { show(scaledJob) }
        case .upserted(let scaledJob): show(scaledJob)
        case .deleted(let scaledJob): acting.shown[scaledJob.uid] = nil
        case .interrupted: break
        }
        guard self.mutation == .ignoresPausing else { return self.take(.scaledJobs(reflection, scope: nil), on: host) }
        let blind = sight.reflection(startedAt) { object in
            var object = object
            object.metadata["annotations"] = nil
            return ScaledJob(object)
        }
        self.take(.scaledJobs(blind, scope: nil), on: host)
    }

    private func tellJobs(_ sight: Sight, _ startedAt: ContinuousClock.Instant, on host: Host) {
        let change: JobsChange
        switch sight {
        case .replaced(let objects): change = .replaced(objects.map(self.summary), startedAt: startedAt)
        case .upserted(let object): change = .upserted(self.summary(object))
        case .deleted(let object): change = .deleted(self.summary(object))
        case .interrupted(let error):
            change =
                self.mutation == .countsFailedListAsEmpty ? .replaced([], startedAt: self.now) : .interrupted(error)
        }
        self.take(.jobs(change, scope: nil), on: host)
    }

    private func summary(_ object: JSONValue) -> JobSummary {
        let summary = JobSummary(Job(object))
        var (owner, observed) = (summary.owner, summary.observed)
        if self.mutation == .trustsLabels, let name = object.labels[WellKnown.nameLabel] {
            let key = ObjectKey(namespace: object.namespace, name: name)
            owner = self.api.store.find(.scaledJobs, key)?.uid ?? owner
        }
        if self.mutation == .losesFreedSlots, (object.name.utf8.last ?? 0) % 2 == 0 { observed.phase = .unfinished }
        return JobSummary(key: summary.key, owner: owner, observed: observed)
    }
}
