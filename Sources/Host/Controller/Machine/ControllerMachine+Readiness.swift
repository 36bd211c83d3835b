import Kubernetes

extension ControllerMachine {
    /// What must be listed before the first decision and is not yet.
    var unlisted: [String] {
        let kinds: [(SyncedScopes.Kind, String)] = [(.scaledJobs, "ScaledJobs"), (.jobs, "Jobs")]
        let limits = (self.limitObjects.unknown ?? []).sorted()
        guard let namespaces = self.configuration.namespaces else {
            return kinds.filter { !self.synced.covers($0.0, "") }.map(\.1) + limits
        }
        return limits
            + kinds.flatMap { kind, name in
                namespaces.filter { !self.synced.covers(kind, $0) }.map { "\(name) of namespace \($0)" }
            }
    }
}
