internal import HTTP
internal import Yams

extension ClientConfiguration {
    /// What a kubeconfig says, read as kubectl reads it.
    ///
    /// Without a path the files in `KUBECONFIG` are read, or else `~/.kube/config`; without a context the current one
    /// is taken.
    package static func kubeconfig(
        _ path: String? = nil,
        context: String? = nil,
        environment: [String: String]
    ) throws(KubernetesError) -> ClientConfiguration {
        var kubeconfig = Kubeconfig()
        if let path {
            try kubeconfig.add(try SmallFile.readText(path), path: path)
        } else if let list = environment["KUBECONFIG"], !list.isEmpty {
            var missing: KubernetesError?
            var found = false
            for path in list.split(separator: ":") {
                // As kubectl does: files of the list may be missing, but not all of them.
                do throws(KubernetesError) {
                    let text = try SmallFile.readText(String(path))
                    try kubeconfig.add(text, path: String(path))
                    found = true
                } catch {
                    missing = error
                }
            }
            if !found, let missing { throw missing }
        } else {
            let path = "\(environment["HOME"] ?? "/root")/.kube/config"
            try kubeconfig.add(try SmallFile.readText(path), path: path)
        }
        return try kubeconfig.configuration(context: context)
    }
}

extension Kubeconfig {
    /// The configuration of one context, or of the current one.
    func configuration(context: String?) throws(KubernetesError) -> ClientConfiguration {
        guard let contextName = context ?? self.currentContext else {
            throw KubernetesError(.configuration, "the kubeconfig has no current-context")
        }
        guard let context = self.contexts[contextName] else {
            throw KubernetesError(.configuration, "the kubeconfig has no context \"\(contextName)\"")
        }
        guard let clusterName = context.text("cluster"), let cluster = self.clusters[clusterName],
            let server = cluster.text("server")
        else {
            throw KubernetesError(
                .configuration,
                "the kubeconfig has no cluster with a server for context \"\(contextName)\""
            )
        }
        guard let address = HTTPEndpoint.Address(server), address.isSecure || address.isLoopback else {
            throw KubernetesError(.configuration, "the server of cluster \"\(clusterName)\" is not an https address")
        }
        let credentials: any CredentialSource
        if let userName = context.text("user") {
            guard let user = self.users[userName] else {
                throw KubernetesError(.configuration, "the kubeconfig has no user \"\(userName)\"")
            }
            credentials = try Self.credentials(user, name: userName, cluster: cluster)
        } else {
            credentials = FixedCredential(Credential())
        }
        var configuration = ClientConfiguration(server: server, credentials: credentials)
        configuration.certificateAuthority = try cluster.bytes("certificate-authority")
        configuration.verifiesServer = !cluster.isTrue("insecure-skip-tls-verify")
        configuration.serverName = cluster.text("tls-server-name")
        configuration.proxy = cluster.text("proxy-url")
        configuration.namespace = context.text("namespace")
        configuration.allowsPlainHTTP = !address.isSecure
        return configuration
    }

    private static func credentials(
        _ user: Entry,
        name: String,
        cluster: Entry
    ) throws(KubernetesError) -> any CredentialSource {
        for key in ["auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra"]
        where user.value[key] != nil {
            let advice = key == "auth-provider" ? "; use the provider's exec plugin" : ""
            throw KubernetesError(
                .configuration,
                "user \"\(name)\" of the kubeconfig uses \(key), which is not supported\(advice)"
            )
        }
        var identity: ClientIdentity?
        if let certificate = try user.bytes("client-certificate") {
            guard let key = try user.bytes("client-key") else {
                throw KubernetesError(.configuration, "user \"\(name)\" has a client-certificate but no client-key")
            }
            identity = ClientIdentity(certificate: certificate, key: key)
        }
        // As in client-go: the file wins over the text, and both over the program.
        if let path = user.path("tokenFile") { return try TokenFile(path, identity: identity) }
        if let token = user.text("token") { return FixedCredential(Credential(token: token, identity: identity)) }
        if let exec = user.value["exec"], identity == nil {
            let entry = Entry(value: exec, directory: user.directory)
            return ExecCredential(try Self.command(entry, user: name, cluster: cluster))
        }
        return FixedCredential(Credential(identity: identity))
    }

    private static func command(
        _ exec: Entry,
        user: String,
        cluster: Entry
    ) throws(KubernetesError) -> ExecCredential.Command {
        guard let command = exec.text("command") else {
            throw KubernetesError(.configuration, "the exec plugin of user \"\(user)\" has no command")
        }
        let version = exec.text("apiVersion") ?? ""
        guard version == "client.authentication.k8s.io/v1" || version == "client.authentication.k8s.io/v1beta1" else {
            throw KubernetesError(
                .configuration,
                "the exec plugin of user \"\(user)\" has apiVersion \"\(version)\"; v1 and v1beta1 are supported"
            )
        }
        guard exec.text("interactiveMode") != "Always" else {
            throw KubernetesError(.configuration, "the exec plugin of user \"\(user)\" needs a terminal")
        }
        var plugin = ExecCredential.Command(apiVersion: version, command: command)
        // A name without a slash is looked up in PATH; anything else starts at the kubeconfig.
        if command.contains("/"), let path = exec.path("command") { plugin.command = path }
        plugin.arguments = exec.value["args"]?.sequence?.compactMap(\.string) ?? []
        plugin.installHint = exec.text("installHint")
        for variable in exec.value["env"]?.sequence ?? [] {
            guard let name = variable["name"]?.string else { continue }
            plugin.environment[name] = variable["value"]?.string ?? ""
        }
        if exec.isTrue("provideClusterInfo") { plugin.cluster = Self.clusterInformation(cluster) }
        return plugin
    }

    private static func clusterInformation(_ cluster: Entry) -> JSONValue {
        var information: JSONValue = ["server": .string(cluster.text("server") ?? "")]
        for key in ["tls-server-name", "proxy-url", "certificate-authority-data"] {
            guard let text = cluster.text(key) else { continue }
            information[key] = .string(text)
        }
        if cluster.isTrue("insecure-skip-tls-verify") { information["insecure-skip-tls-verify"] = true }
        return information
    }
}
