import HeapModule
import Kubernetes
import Pace

/// KEDA holds its objects by a finalizer that only KEDA takes off.
///
/// After a move nobody would, and a deletion would never end.
extension ControllerMachine {
    struct FinalizerRecord {
        enum State: Equatable {
            case queued
            case calling
            case failed(retryAt: ContinuousClock.Instant)
        }

        var reference: FinalizerReference
        var state = State.queued
        var backoff = Backoff(base: .milliseconds(500), cap: .seconds(60))
        var wasTold = false
    }

    /// Notes which objects wait for KEDA's finalizer.
    mutating func noteFinalizers(_ input: ControllerInput) {
        switch input {
        case .scaledJobs(let change, let scope): self.noteFinalizers(change, scope)
        case .authentications(let change, let scope): self.noteFinalizers(change, scope)
        case .clusterAuthentications(let change): self.noteFinalizers(change, nil)
        default: break
        }
    }

    private mutating func noteFinalizers<Object>(_ change: Reflection<Object>, _ scope: String?) {
        switch change {
        case .replaced(let objects, _):
            let listed = Set(objects.compactMap(\.metadata.uid))
            self.finalizers = self.finalizers.filter { uid, record in
                record.reference.resource != Object.resource || listed.contains(uid)
                    || (scope != nil && record.reference.key.namespace != scope)
            }
            for object in objects { self.noteFinalizer(of: object) }
        case .upserted(let object): self.noteFinalizer(of: object)
        case .deleted(let object): self.finalizers[object.metadata.uid ?? ""] = nil
        case .interrupted: break
        }
    }

    private mutating func noteFinalizer<Object: KubernetesObject>(of object: Object) {
        guard let uid = object.metadata.uid else { return }
        guard object.metadata.deletionTimestamp != nil, let version = object.metadata.resourceVersion,
            let finalizers = object.metadata.finalizers, finalizers.contains(WellKnown.kedaFinalizer)
        else {
            self.finalizers[uid] = nil
            return
        }
        let reference = FinalizerReference(
            resource: Object.resource,
            key: object.key,
            uid: uid,
            resourceVersion: version,
            others: finalizers.filter { $0 != WellKnown.kedaFinalizer }
        )
        guard var record = self.finalizers[uid] else {
            self.finalizers[uid] = FinalizerRecord(reference: reference)
            self.finalizerTurns.add(uid)
            // Nobody was there to tell when its deletion began.
            if Object.resource == .scaledJobs, self.records[uid] == nil { self.noteDeletion(of: object.key, uid: uid) }
            return
        }
        let isNewer = record.reference != reference
        record.reference = reference
        // A patch of an older revision was refused; this one needs no pause.
        if isNewer, record.state != .calling {
            record.state = .queued
            self.finalizerTurns.add(uid)
        }
        self.finalizers[uid] = record
    }

    mutating func dispatchFinalizers(_ moment: Moment) {
        while let due = self.finalizerRetries.min, due.at <= moment.instant {
            self.finalizerRetries.removeMin()
            guard self.finalizers[due.uid]?.state == .failed(retryAt: due.at) else { continue }
            self.finalizers[due.uid]?.state = .queued
            self.finalizerTurns.add(due.uid)
        }
        while self.finalizersUnderWay < self.configuration.largestStatusWritesUnderWay,
            let uid = self.finalizerTurns.next()
        {
            guard let record = self.finalizers[uid], record.state == .queued else { continue }
            self.finalizers[uid]?.state = .calling
            self.finalizersUnderWay += 1
            self.actions.append(.removeFinalizer(record.reference))
        }
    }

    /// When the next attempt is due; nil when none is.
    var nextFinalizer: ContinuousClock.Instant? { self.finalizerRetries.min?.at }

    mutating func finalizerRemoved(
        _ reference: FinalizerReference,
        _ outcome: ControllerInput.Outcome<Void>,
        at moment: Moment
    ) {
        self.finalizersUnderWay -= 1
        let facts = ["kind": reference.resource.kind, "object": reference.key.description]
        switch outcome {
        case .success:
            let message = "took KEDA's finalizer off an object that is being deleted"
            self.actions.append(.log(LogRecord(level: .info, message: message, facts: facts)))
            if self.finalizers[reference.uid]?.reference == reference { self.finalizers[reference.uid] = nil }
        case .failure(let error) where error.code == .notFound:
            self.finalizers[reference.uid] = nil
        case .failure(let error):
            guard var record = self.finalizers[reference.uid] else { return }
            if record.reference != reference {
                record.state = .queued
                self.finalizerTurns.add(reference.uid)
            } else {
                var pause = record.backoff.next(using: &self.random)
                if case .after(let asked) = error.retry { pause = Swift.max(pause, asked) }
                record.state = .failed(retryAt: moment.instant + pause)
                self.finalizerRetries.insert(Wakeup(at: moment.instant + pause, uid: reference.uid))
                let message = "KEDA's finalizer could not be taken off; trying again"
                let detail = facts.merging(["error": error.description]) { $1 }
                // Its deletion doesn't end before that, and a right that is missing doesn't appear by itself.
                let level: LogRecord.Level = record.wasTold ? .debug : .warning
                record.wasTold = true
                self.actions.append(.log(LogRecord(level: level, message: message, facts: detail)))
            }
            self.finalizers[reference.uid] = record
        }
    }
}
