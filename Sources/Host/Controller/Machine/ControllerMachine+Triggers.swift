import Credentials
import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

extension ControllerMachine {
    // MARK: - What triggers depend on

    mutating func handle(_ change: Reflection<TriggerAuthentication>, scope: String?) {
        switch change {
        case .replaced(let authentications, _):
            self.synced.insert(.authentications, scope)
            self.authentications.replace(authentications, in: scope)
        case .upserted(let authentication): self.authentications.upsert(authentication)
        case .deleted(let authentication): self.authentications.remove(.namespaced, authentication.key)
        case .interrupted: return
        }
        self.resolveAll { record in record.specification?.triggers.contains { $0.authentication != nil } ?? false }
    }

    mutating func handle(_ change: Reflection<ClusterTriggerAuthentication>) {
        switch change {
        case .replaced(let authentications, _):
            self.synced.insert(.clusterAuthentications, nil)
            self.authentications.replace(authentications)
        case .upserted(let authentication): self.authentications.upsert(authentication)
        case .deleted(let authentication): self.authentications.remove(.cluster, authentication.key)
        case .interrupted: return
        }
        self.resolveAll { record in
            record.specification?.triggers.contains { $0.authentication?.kind == .cluster } ?? false
        }
    }

    mutating func resolveAll(where isConcerned: (ScaledJobRecord) -> Bool) {
        for (uid, record) in self.records where isConcerned(record) {
            var record = record
            self.resolveTriggers(&record)
            self.records[uid] = record
            self.touched.insert(uid)
        }
    }

    // MARK: - Resolving

    mutating func resolveTriggers(_ record: inout ScaledJobRecord) {
        guard !record.isPaused else { return self.closeTriggers(&record) }
        let manifests = record.specification?.triggers ?? []
        for trigger in record.triggers.dropFirst(manifests.count) where trigger.specification != nil {
            self.actions.append(.removeTrigger(trigger.id))
        }
        record.triggers.removeLast(Swift.max(0, record.triggers.count - manifests.count))
        while record.triggers.count < manifests.count {
            record.triggers.append(TriggerRecord(id: TriggerID(owner: record.uid, index: record.triggers.count)))
        }
        var needs = ParameterResolver.Needs()
        if let specification = record.specification {
            for (index, manifest) in manifests.enumerated() {
                let resolver = ParameterResolver(
                    trigger: manifest,
                    index: index,
                    namespace: record.key.namespace,
                    jobTargetRef: specification.jobTargetRef,
                    containerName: specification.envSourceContainerName
                )
                needs.formUnion(resolver.needs(self.authentications))
                record.triggers[index].credentials = []
                self.resolve(&record.triggers[index], resolver, scaledJob: record.key)
                needs.credentials.formUnion(record.triggers[index].credentials)
            }
        }
        if needs != record.needs {
            record.needs = needs
            self.needsMayHaveChanged = true
        }
    }

    private mutating func resolve(
        _ trigger: inout TriggerRecord,
        _ resolver: ParameterResolver,
        scaledJob: ObjectKey
    ) {
        switch self.resolution(resolver, &trigger.credentials) {
        case .waiting(let what):
            // What is open stays open while something is being read again.
            if trigger.specification == nil { trigger.state = .waiting(what) }
        case .problems(let problems):
            trigger.state = .unresolved(problems)
            trigger.becomeUnknown(problems.first?.description ?? "not resolved")
            guard trigger.specification != nil else { return }
            trigger.specification = nil
            self.actions.append(.removeTrigger(trigger.id))
        case .resolved(let parameters):
            let specification = TriggerSpecification(
                type: resolver.trigger.type,
                scaledJob: scaledJob.description,
                parameters: parameters
            )
            let declaration = self.offers[specification.type]?.declaration
            switch trigger.change(to: specification, from: resolver.trigger.metadata, declaration) {
            case .none: return
            // What is open goes on answering until the new one does.
            case .renewal: break
            case .other(let wasSet): if wasSet { self.actions.append(.removeTrigger(trigger.id)) }
            }
            self.actions.append(.setTrigger(trigger.id, revision: trigger.revision, specification))
        }
    }

    private func resolution(
        _ resolver: ParameterResolver,
        _ requests: inout Set<CredentialRequest>
    ) -> ParameterResolver.Resolution {
        if let reference = resolver.trigger.authentication {
            let isKnown =
                reference.kind == .namespaced
                ? self.synced.covers(.authentications, resolver.namespace)
                : self.synced.covers(.clusterAuthentications, "")
            guard isKnown else { return .waiting("authentications are being listed") }
        }
        guard let offer = self.offers[resolver.trigger.type] else {
            return self.unknownType(resolver)
        }
        return resolver.resolve(
            offer.declaration,
            authentications: self.authentications,
            sources: self.sources,
            requests: &requests
        )
    }

    private func unknownType(_ resolver: ParameterResolver) -> ParameterResolver.Resolution {
        guard self.graceIsOver else { return .waiting("plugins are registering") }
        let unknown = UnknownTriggerType(type: resolver.trigger.type, offered: self.offers.keys.sorted())
        return .problems([Problem("spec.triggers[\(resolver.index)].type", unknown.message)])
    }

    // MARK: - What plugins report

    mutating func handle(_ event: PluginEvent, at moment: Moment) {
        switch event {
        case .offers(let offers):
            self.offers = offers
            self.resolveAll { _ in true }
        case .opened(let id, let revision, let opened):
            self.update(id, revision) { trigger, record in
                trigger.state = .opened(opened)
                trigger.isDirty = true
                trigger.name(opened)
            }
            if self.records[id.owner]?.triggers.first(where: { $0.id == id })?.revision == revision {
                self.noteStart(of: id, at: moment)
            }
        case .failed(let id, let revision, let failure):
            self.noteRefusal(failure, of: id, at: moment)
            self.update(id, revision) { trigger, record in
                trigger.state = .failed(failure)
                trigger.readingFailure = failure.message
                trigger.becomeUnknown(failure.message)
                record.needsDecision = true
            }
        case .reading(let id, let revision, let reading, let askedAt):
            self.update(id, revision, acceptsEarlier: true) { trigger, record in
                trigger.measuringSince = nil
                guard let opened = trigger.opened else { return }
                trigger.readingFailure = nil
                trigger.latency = moment.instant - askedAt
                trigger.standing = .known(
                    TriggerBacklog(
                        waiting: reading.waiting,
                        target: opened.target,
                        isActive: reading.isActive ?? (reading.waiting > opened.activation),
                        inFlight: reading.inFlight,
                        counts: TriggerBacklog.Counts(opened.counts)
                    ),
                    askedAt: askedAt
                )
                record.needsDecision = true
            }
            if let record = self.records[id.owner] { self.forgetFreedSlots(of: record, at: moment.instant) }
        case .unknown(let id, let revision, let failure):
            self.noteRefusal(failure, of: id, at: moment)
            self.update(id, revision, acceptsEarlier: true) { trigger, record in
                trigger.readingFailure = failure.message
                trigger.becomeUnknown(failure.message)
                trigger.errors += 1
                record.errors += 1
                record.needsDecision = true
            }
        case .changed(let id):
            guard let index = self.records[id.owner]?.triggers.firstIndex(where: { $0.id == id }) else { return }
            self.records[id.owner]?.triggers[index].isDirty = true
            self.touched.insert(id.owner)
        }
    }

    /// Applies an event to its trigger, unless the trigger has moved on to another revision since.
    private mutating func update(
        _ id: TriggerID,
        _ revision: UInt64,
        acceptsEarlier: Bool = false,
        _ change: (inout TriggerRecord, inout ScaledJobRecord) -> Void
    ) {
        guard var record = self.records[id.owner], record.triggers.indices.contains(id.index) else { return }
        var trigger = record.triggers[id.index]
        guard trigger.specification != nil, trigger.takes(revision, earlierToo: acceptsEarlier) else { return }
        change(&trigger, &record)
        record.triggers[id.index] = trigger
        self.records[id.owner] = record
        self.touched.insert(id.owner)
    }

    /// Slots freed before the oldest reading that is in use or under way was asked for no longer matter.
    mutating func forgetFreedSlots(of record: ScaledJobRecord, at now: ContinuousClock.Instant) {
        // Without any, a plugin may still send one that was asked for before its trigger became unknown.
        let oldest =
            record.triggers.compactMap(\.readingSince).min() ?? (now - self.configuration.longestReading)
        self.trackers[record.uid]?.forgetFreed(before: oldest)
    }
}
