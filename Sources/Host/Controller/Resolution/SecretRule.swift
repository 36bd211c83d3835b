/// Which Secrets may be read for whom.
///
/// When restricted, Secrets are read in the cluster-object namespace only, and only for ClusterTriggerAuthentications and
/// for objects that live there. A tenant must not be able to name one of the host's Secrets.
package struct SecretRule: Sendable, Equatable {
    package var isRestricted: Bool
    package var clusterNamespace: String

    package init(isRestricted: Bool = false, clusterNamespace: String = "") {
        self.isRestricted = isRestricted
        self.clusterNamespace = clusterNamespace
    }

    /// Whether Secrets in this namespace may be read at all.
    func allows(secretsIn namespace: String) -> Bool {
        !self.isRestricted || namespace == self.clusterNamespace
    }

    /// Whether variables of containers in this namespace may come from Secrets.
    func allows(containersIn namespace: String) -> Bool { self.allows(secretsIn: namespace) }

    func refusal(of secret: String, in namespace: String) -> String {
        "Secret \(namespace)/\(secret) is not read: this host reads Secrets in namespace \(self.clusterNamespace) only; "
            + "use a ClusterTriggerAuthentication with a Secret there"
    }
}
