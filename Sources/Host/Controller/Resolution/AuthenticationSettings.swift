/// What the host allows authentications to do, from its flags and environment.
package struct AuthenticationSettings: Sendable {
    /// See ``SecretRule``.
    package var restrictsSecrets = false
    /// The folder below which `filePath` is looked for; nil when there is none.
    package var fileRoot: String?
    /// For how long tokens of ServiceAccounts are asked for.
    package var tokenLifetime: Duration = .seconds(3600)
    /// The host's own token for Vault; it wins over the one in a manifest.
    package var vaultToken: String?
    /// The host's own Vault server; only there, and for ClusterTriggerAuthentications, its own credentials are used.
    package var vaultAddress: String?

    package init() {}
}
