import Credentials
import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

extension ControllerMachine {
    // MARK: - What triggers depend on

    mutating func handle(_ change: Reflection<TriggerAuthentication>, scope: String?) {
        var changed: Set<AuthenticationID> = []
        switch change {
        case .replaced(let authentications, _):
            let isFirst = !self.synced.covers(.authentications, scope ?? "")
            self.synced.insert(.authentications, scope)
            changed = self.authentications.replace(authentications, in: scope)
            // Also those wait that name one which does not exist.
            if isFirst {
                changed.formUnion(
                    self.authenticationUses.used.filter { id in
                        id.kind == .namespaced && (scope == nil || id.key.namespace == scope)
                    }
                )
            }
        case .upserted(let authentication): changed = self.authentications.upsert(authentication)
        case .deleted(let authentication): changed = self.authentications.remove(.namespaced, authentication.key)
        case .interrupted: return
        }
        self.resolveUsers(of: changed)
    }

    mutating func handle(_ change: Reflection<ClusterTriggerAuthentication>) {
        var changed: Set<AuthenticationID> = []
        switch change {
        case .replaced(let authentications, _):
            let isFirst = !self.synced.covers(.clusterAuthentications, "")
            self.synced.insert(.clusterAuthentications, nil)
            changed = self.authentications.replace(authentications)
            if isFirst { changed.formUnion(self.authenticationUses.used.filter { $0.kind == .cluster }) }
        case .upserted(let authentication): changed = self.authentications.upsert(authentication)
        case .deleted(let authentication): changed = self.authentications.remove(.cluster, authentication.key)
        case .interrupted: return
        }
        self.resolveUsers(of: changed)
    }

    private mutating func resolveUsers(of authentications: Set<AuthenticationID>) {
        var owners: Set<String> = []
        for id in authentications {
            for key in self.authenticationUses.users(of: id) {
                if let uid = self.uids[key] { owners.insert(uid) }
            }
        }
        self.resolve(owners)
    }

    /// Takes the trigger types on offer; that a plugin went away or came back changes nothing in what is wanted of it.
    private mutating func take(_ offers: [String: TriggerTypeOffer]) {
        let former = self.offers
        self.offers = offers
        let types = Set(former.keys).union(offers.keys)
        var owners: Set<String> = []
        for type in types where offers[type]?.declaration != former[type]?.declaration {
            owners.formUnion(self.typeUsers.users(of: type))
        }
        // A fault that lists the types on offer lists them anew.
        if former.keys != offers.keys {
            for type in self.typeUsers.targets where offers[type] == nil {
                owners.formUnion(self.typeUsers.users(of: type))
            }
        }
        self.resolve(owners)
    }

    /// Resolves the triggers of these ScaledJobs anew.
    mutating func resolve(_ owners: some Sequence<String>) {
        for uid in owners {
            guard var record = self.records[uid] else { continue }
            self.resolveTriggers(&record)
            self.records[uid] = record
            self.touched.insert(uid)
        }
    }

    // MARK: - Resolving

    mutating func resolveTriggers(_ record: inout ScaledJobRecord) {
        self.work.resolved += 1
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
                var resolution = self.resolution(resolver, &record.triggers[index].credentials)
                if let problem = self.itemsProblem(manifest.type, index: index, of: record) {
                    resolution = .problems([problem])
                }
                self.resolve(&record.triggers[index], resolver, resolution, scaledJob: record.key)
                needs.credentials.formUnion(record.triggers[index].credentials)
            }
        }
        if needs != record.needs {
            record.needs = needs
            self.follow(needs, for: record.uid)
        }
    }

    private mutating func resolve(
        _ trigger: inout TriggerRecord,
        _ resolver: ParameterResolver,
        _ resolution: ParameterResolver.Resolution,
        scaledJob: ObjectKey
    ) {
        switch resolution {
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
            self.take(offers)
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
            self.listed(reading, of: id, askedAt: askedAt)
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
