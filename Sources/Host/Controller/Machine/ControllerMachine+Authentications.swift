package import Kubernetes

extension ControllerMachine {
    // MARK: - What the watch shows

    /// Tells of authentications that come, change and go.
    ///
    /// What is there when the host starts is no news.
    mutating func track(_ change: Reflection<TriggerAuthentication>, scope: String?, at moment: Moment) {
        let isFirst = !self.synced.covers(.authentications, scope ?? "")
        self.track(change, .namespaced, isFirst: isFirst, at: moment) { scope == nil || $0.namespace == scope }
    }

    mutating func track(_ change: Reflection<ClusterTriggerAuthentication>, at moment: Moment) {
        let isFirst = !self.synced.covers(.clusterAuthentications, "")
        self.track(change, .cluster, isFirst: isFirst, at: moment) { _ in true }
    }

    private mutating func track<Authentication: AuthenticationObject>(
        _ change: Reflection<Authentication>,
        _ kind: TriggerManifest.AuthenticationKind,
        isFirst: Bool,
        at moment: Moment,
        isInScope: (ObjectKey) -> Bool
    ) {
        switch change {
        case .replaced(let authentications, _):
            let listed = Set(authentications.map { AuthenticationID(kind, $0.key) })
            for id in self.authenticationUses.authentications
            where id.kind == kind && !listed.contains(id) && isInScope(id.key) {
                self.authenticationIsGone(id)
            }
            for authentication in authentications { self.saw(authentication, kind, isNews: !isFirst, at: moment) }
        case .upserted(let authentication): self.saw(authentication, kind, isNews: true, at: moment)
        case .deleted(let authentication): self.authenticationIsGone(AuthenticationID(kind, authentication.key))
        case .interrupted: break
        }
    }

    private mutating func saw(
        _ authentication: some AuthenticationObject,
        _ kind: TriggerManifest.AuthenticationKind,
        isNews: Bool,
        at moment: Moment
    ) {
        let id = AuthenticationID(kind, authentication.key)
        let (uid, generation) = (authentication.metadata.uid ?? "", authentication.metadata.generation ?? 0)
        let former = self.authenticationUses.saw(
            id,
            uid: uid,
            generation: generation,
            status: authentication.status?["scaledjobs"]?.stringValue ?? "",
            at: moment.instant
        )
        guard isNews, former != generation else { return }
        if former == nil {
            let reason: EventReason = kind == .namespaced ? .authenticationAdded : .clusterAuthenticationAdded
            self.tell(of: id, uid, reason, "New \(kind.rawValue) configured")
        } else {
            let reason: EventReason = kind == .namespaced ? .authenticationUpdated : .clusterAuthenticationUpdated
            self.tell(of: id, uid, reason, "\(kind.rawValue) \(id.key.name) is updated")
        }
    }

    private mutating func authenticationIsGone(_ id: AuthenticationID) {
        guard let uid = self.authenticationUses.gone(id) else { return }
        let reason: EventReason = id.kind == .namespaced ? .authenticationDeleted : .clusterAuthenticationDeleted
        self.tell(of: id, uid, reason, "\(id.kind.rawValue) was deleted")
    }

    private mutating func tell(of id: AuthenticationID, _ uid: String, _ reason: EventReason, _ note: String) {
        let event = EventRecord(
            .normal,
            reason,
            note,
            regarding: EventRecord.Regarding(id.kind.resource, id.key, uid: uid),
            number: UInt64.random(in: 1 ... .max, using: &self.random)
        )
        self.tell(event)
    }

    // MARK: - Who uses them

    /// Notes which authentications and trigger types a ScaledJob uses; none once it is gone.
    mutating func noteReferences(of record: ScaledJobRecord, isGone: Bool = false, at moment: Moment) {
        let triggers = isGone ? [] : record.specification?.triggers ?? []
        let references = triggers.compactMap(\.authentication)
        let uses = Set(references.map { AuthenticationID($0, from: record.key.namespace) })
        self.authenticationUses.set(record.key, uses: uses, at: moment.instant)
        self.typeUsers.set(record.uid, to: Set(triggers.map(\.type)))
    }

    mutating func dispatchAuthenticationWrites(_ moment: Moment) {
        guard let due = self.authenticationUses.nextDue, due <= moment.instant else { return }
        let scopes: [String?] = self.configuration.namespaces.map { $0.map(Optional.some) } ?? [nil]
        let (synced, namespaces) = (self.synced, self.configuration.namespaces)
        let writes = self.authenticationUses.takeDue(
            at: moment.instant,
            isComplete: { id in
                id.kind == .namespaced
                    ? synced.covers(.scaledJobs, id.key.namespace)
                    : scopes.allSatisfy { synced.covers(.scaledJobs, $0 ?? "") }
            },
            isOfOthers: { namespace in namespaces.map { !$0.contains(namespace) } ?? false },
            keepsUnknown: self.configuration.scaledJobSelector != nil
        )
        for write in writes { self.actions.append(.writeAuthenticationStatus(write.id, scaledJobs: write.text)) }
    }

    mutating func authenticationStatusWritten(
        _ id: AuthenticationID,
        scaledJobs: String?,
        _ outcome: ControllerInput.Outcome<Void>,
        at moment: Moment
    ) {
        var failure: KubernetesError?
        if case .failure(let error) = outcome {
            failure = error
            let facts = ["authentication": id.key.description, "error": error.description]
            let message = "the status of an authentication could not be written; trying again"
            self.actions.append(.log(LogRecord(level: .debug, message: message, facts: facts)))
        }
        self.totals.statusWritten(.authentication, failure == nil)
        self.authenticationUses.written(id, scaledJobs, failure, at: moment.instant)
    }
}

/// What both kinds of authentication have.
protocol AuthenticationObject: KubernetesObject {
    var status: JSONValue? { get }
}

extension TriggerAuthentication: AuthenticationObject {}
extension ClusterTriggerAuthentication: AuthenticationObject {}

extension TriggerManifest.AuthenticationKind {
    /// The resource that authentications of this kind are.
    package var resource: APIResource {
        switch self {
        case .namespaced: .triggerAuthentications
        case .cluster: .clusterTriggerAuthentications
        }
    }
}
