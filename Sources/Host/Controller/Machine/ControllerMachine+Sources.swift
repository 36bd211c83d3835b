import Credentials
import Kubernetes
import PluginHost
import PluginProtocol

/// What parameters come from besides manifests: Secrets, ConfigMaps, and credentials that have to be fetched.
extension ControllerMachine {
    mutating func handle(_ key: ObjectKey, _ entry: SecretStore.Entry) {
        // The last word of a watch that has ended may come late.
        let users = self.secretUsers.users(of: key)
        guard !users.isEmpty, self.sources.secrets.set(key, to: entry) else { return }
        self.resolve(users)
    }

    mutating func handle(configMap key: ObjectKey, _ entry: ReferencedData.Entry) {
        let users = self.configMapUsers.users(of: key)
        guard !users.isEmpty, self.sources.configMaps.set(key, to: entry) else { return }
        self.resolve(users)
    }

    mutating func fetched(
        _ request: CredentialRequest,
        _ outcome: Result<FetchedCredential, CredentialFailure>,
        at moment: Moment
    ) {
        switch self.credentials.finished(request, outcome, at: moment.instant, using: &self.random) {
        case .nothing: return
        case .keeps(let why):
            let facts = ["credential": request.description, "error": why]
            let message = "a credential could not be fetched again; the last one still holds"
            self.actions.append(.log(LogRecord(level: .warning, message: message, facts: facts)))
        case .becomes(let entry):
            guard self.sources.credentials.set(request, to: entry) else { return }
            self.resolve(self.credentialUsers.users(of: request))
        }
    }

    /// The source of a trigger refused its credentials; perhaps there are newer ones.
    mutating func noteRefusal(_ failure: PluginFailure, of id: TriggerID, at moment: Moment) {
        guard failure.code == .unauthenticated || failure.code == .permissionDenied,
            let trigger = self.records[id.owner]?.triggers.first(where: { $0.id == id })
        else { return }
        self.credentials.refused(trigger.credentials, at: moment.instant)
    }

    /// Notes what the triggers of a ScaledJob depend on from now on.
    mutating func follow(_ needs: ParameterResolver.Needs, for owner: String) {
        self.secretUsers.set(owner, to: needs.secrets)
        self.configMapUsers.set(owner, to: needs.configMaps)
        self.credentialUsers.set(owner, to: needs.credentials)
    }

    /// Watches exactly what manifests refer to, and has the rest fetched.
    mutating func followNeeds(_ moment: Moment) {
        let secrets = self.secretUsers.takeChanges()
        if !secrets.begun.isEmpty || !secrets.ended.isEmpty {
            self.sources.secrets.forget(secrets.ended)
            self.actions.append(.watchSecrets(begin: secrets.begun, end: secrets.ended))
        }
        let configMaps = self.configMapUsers.takeChanges()
        if !configMaps.begun.isEmpty || !configMaps.ended.isEmpty {
            self.sources.configMaps.forget(configMaps.ended)
            self.actions.append(.watchConfigMaps(begin: configMaps.begun, end: configMaps.ended))
        }
        let credentials = self.credentialUsers.takeChanges()
        self.credentials.drop(credentials.ended)
        for request in credentials.ended { self.sources.credentials.remove(request) }
        self.credentials.want(credentials.begun, at: moment.instant)
        for request in self.credentials.start(at: moment.instant) { self.actions.append(.fetchCredential(request)) }
    }
}
