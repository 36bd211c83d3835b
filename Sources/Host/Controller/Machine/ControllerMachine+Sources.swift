import Credentials
import Kubernetes
import PluginHost
import PluginProtocol

/// What parameters come from besides manifests: Secrets, ConfigMaps, and credentials that have to be fetched.
extension ControllerMachine {
    mutating func handle(_ key: ObjectKey, _ entry: SecretStore.Entry) {
        guard self.sources.secrets.set(key, to: entry) else { return }
        self.resolveAll { $0.needs.secrets.contains(key) }
    }

    mutating func handle(configMap key: ObjectKey, _ entry: ReferencedData.Entry) {
        guard self.sources.configMaps.set(key, to: entry) else { return }
        self.resolveAll { $0.needs.configMaps.contains(key) }
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
            self.resolveAll { $0.needs.credentials.contains(request) }
        }
    }

    /// The source of a trigger refused its credentials; perhaps there are newer ones.
    mutating func noteRefusal(_ failure: PluginFailure, of id: TriggerID, at moment: Moment) {
        guard failure.code == .unauthenticated || failure.code == .permissionDenied,
            let trigger = self.records[id.owner]?.triggers.first(where: { $0.id == id })
        else { return }
        self.credentials.refused(trigger.credentials, at: moment.instant)
    }

    /// Watches exactly what manifests refer to, and has the rest fetched.
    mutating func followNeeds(_ moment: Moment) {
        if self.needsMayHaveChanged {
            self.needsMayHaveChanged = false
            var wanted = ParameterResolver.Needs()
            for record in self.records.values { wanted.formUnion(record.needs) }
            if wanted.secrets != self.followed.secrets {
                self.sources.secrets.keep(only: wanted.secrets)
                self.actions.append(.watchSecrets(wanted.secrets))
            }
            if wanted.configMaps != self.followed.configMaps {
                self.sources.configMaps.keep(only: wanted.configMaps)
                self.actions.append(.watchConfigMaps(wanted.configMaps))
            }
            if wanted.credentials != self.followed.credentials {
                for request in self.credentials.want(wanted.credentials, at: moment.instant) {
                    self.sources.credentials.remove(request)
                }
            }
            self.followed = wanted
        }
        for request in self.credentials.start(at: moment.instant) { self.actions.append(.fetchCredential(request)) }
    }
}
