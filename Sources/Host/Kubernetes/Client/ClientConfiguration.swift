internal import HTTP

/// Where the API server is, how it is trusted, and how the host proves who it is.
package struct ClientConfiguration: Sendable {
    /// `https://host:port`, possibly with a path.
    package var server: String
    /// Certificates as PEM.
    ///
    /// Nil means the certificates that the system trusts.
    package var certificateAuthority: [UInt8]?
    package var verifiesServer = true
    /// The name that the server's certificate must carry, when it isn't the server's host.
    package var serverName: String?
    package var proxy: String?
    /// The namespace that is meant where none is named.
    package var namespace: String?
    /// Plain HTTP may be spoken, as with `kubectl proxy`.
    ///
    /// For loopback only.
    package var allowsPlainHTTP = false
    var credentials: any CredentialSource

    init(server: String, credentials: any CredentialSource) {
        self.server = server
        self.credentials = credentials
    }

    /// A server that asks for no credentials.
    package init(server: String) {
        self.init(server: server, credentials: FixedCredential(Credential()))
    }

    /// The given kubeconfig, or the Pod's own service account, or the kubeconfig that `kubectl` would take.
    package static func automatic(
        kubeconfig: String?,
        context: String? = nil,
        environment: [String: String]
    ) throws(KubernetesError) -> ClientConfiguration {
        if kubeconfig == nil, environment["KUBERNETES_SERVICE_HOST"] != nil {
            return try .inCluster(environment: environment)
        }
        return try .kubeconfig(kubeconfig, context: context, environment: environment)
    }
}

extension ClientConfiguration: CustomStringConvertible {
    package var description: String { "ClientConfiguration(\(self.server))" }
}

extension ClientConfiguration {
    /// The service account that the kubelet mounts into a Pod.
    package static func inCluster(
        environment: [String: String],
        directory: String = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) throws(KubernetesError) -> ClientConfiguration {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let port = environment["KUBERNETES_SERVICE_PORT"], UInt16(port) != nil
        else {
            throw KubernetesError(
                .configuration,
                "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no Pod"
            )
        }
        let isIPv6 = host.contains(":") && !host.hasPrefix("[")
        var configuration = ClientConfiguration(
            server: "https://\(isIPv6 ? "[\(host)]" : host):\(port)",
            credentials: try TokenFile("\(directory)/token")
        )
        configuration.certificateAuthority = try SmallFile.read("\(directory)/ca.crt")
        if let namespace = try? SmallFile.read("\(directory)/namespace") {
            configuration.namespace = String(decoding: namespace, as: UTF8.self)
        }
        return configuration
    }
}
