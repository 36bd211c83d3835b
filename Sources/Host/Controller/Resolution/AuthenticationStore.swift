package import Kubernetes

/// The TriggerAuthentications of the cluster, understood.
package struct AuthenticationStore: Sendable {
    private var namespaced: [ObjectKey: AuthenticationSpecification] = [:]
    private var cluster: [String: AuthenticationSpecification] = [:]
    /// Where a ClusterTriggerAuthentication's Secrets are.
    package let clusterNamespace: String
    /// What the host allows authentications to do.
    package let rules: AuthenticationSettings

    package init(clusterNamespace: String, rules: AuthenticationSettings = AuthenticationSettings()) {
        self.clusterNamespace = clusterNamespace
        self.rules = rules
    }

    /// Which Secrets may be read.
    package var secretRule: SecretRule {
        SecretRule(isRestricted: self.rules.restrictsSecrets, clusterNamespace: self.clusterNamespace)
    }

    package mutating func upsert(_ authentication: TriggerAuthentication) {
        self.namespaced[authentication.key] = AuthenticationSpecification(
            parsing: authentication.spec,
            kind: .namespaced
        )
    }

    package mutating func upsert(_ authentication: ClusterTriggerAuthentication) {
        self.cluster[authentication.metadata.name] = AuthenticationSpecification(
            parsing: authentication.spec,
            kind: .cluster
        )
    }

    package mutating func remove(_ kind: TriggerManifest.AuthenticationKind, _ key: ObjectKey) {
        switch kind {
        case .namespaced: self.namespaced[key] = nil
        case .cluster: self.cluster[key.name] = nil
        }
    }

    /// Takes a complete list; `namespace` nil means all namespaces.
    package mutating func replace(_ authentications: [TriggerAuthentication], in namespace: String?) {
        self.namespaced = self.namespaced.filter { namespace != nil && $0.key.namespace != namespace }
        for authentication in authentications { self.upsert(authentication) }
    }

    package mutating func replace(_ authentications: [ClusterTriggerAuthentication]) {
        self.cluster = [:]
        for authentication in authentications { self.upsert(authentication) }
    }

    package func find(
        _ reference: TriggerManifest.AuthenticationReference,
        from namespace: String
    ) -> AuthenticationSpecification? {
        switch reference.kind {
        case .namespaced: self.namespaced[ObjectKey(namespace: namespace, name: reference.name)]
        case .cluster: self.cluster[reference.name]
        }
    }

    /// The namespace in which the objects that this authentication names are.
    package func secretNamespace(
        of reference: TriggerManifest.AuthenticationReference,
        from namespace: String
    ) -> String {
        reference.kind == .namespaced ? namespace : self.clusterNamespace
    }
}
