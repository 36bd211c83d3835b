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

    // Each of these returns what now says something else: most changes are of the status, which concerns nobody.

    @discardableResult
    package mutating func upsert(_ authentication: TriggerAuthentication) -> Set<AuthenticationID> {
        let specification = AuthenticationSpecification(parsing: authentication.spec, kind: .namespaced)
        guard self.namespaced.updateValue(specification, forKey: authentication.key) != specification else { return [] }
        return [AuthenticationID(.namespaced, authentication.key)]
    }

    @discardableResult
    package mutating func upsert(_ authentication: ClusterTriggerAuthentication) -> Set<AuthenticationID> {
        let specification = AuthenticationSpecification(parsing: authentication.spec, kind: .cluster)
        guard self.cluster.updateValue(specification, forKey: authentication.metadata.name) != specification else {
            return []
        }
        return [AuthenticationID(.cluster, authentication.key)]
    }

    @discardableResult
    package mutating func remove(
        _ kind: TriggerManifest.AuthenticationKind,
        _ key: ObjectKey
    ) -> Set<AuthenticationID> {
        let former =
            switch kind {
            case .namespaced: self.namespaced.removeValue(forKey: key)
            case .cluster: self.cluster.removeValue(forKey: key.name)
            }
        return former == nil ? [] : [AuthenticationID(kind, key)]
    }

    /// Takes a complete list; `namespace` nil means all namespaces.
    @discardableResult
    package mutating func replace(
        _ authentications: [TriggerAuthentication],
        in namespace: String?
    ) -> Set<AuthenticationID> {
        let listed = Set(authentications.map(\.key))
        var changed: Set<AuthenticationID> = []
        for key in self.namespaced.keys
        where (namespace == nil || key.namespace == namespace) && !listed.contains(key) {
            changed.formUnion(self.remove(.namespaced, key))
        }
        for authentication in authentications { changed.formUnion(self.upsert(authentication)) }
        return changed
    }

    @discardableResult
    package mutating func replace(_ authentications: [ClusterTriggerAuthentication]) -> Set<AuthenticationID> {
        let listed = Set(authentications.map(\.metadata.name))
        var changed: Set<AuthenticationID> = []
        for name in self.cluster.keys where !listed.contains(name) {
            changed.formUnion(self.remove(.cluster, ObjectKey(namespace: "", name: name)))
        }
        for authentication in authentications { changed.formUnion(self.upsert(authentication)) }
        return changed
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
