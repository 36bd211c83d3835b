import ArgumentParser
import Controller
import Credentials
import Endpoints
import Kubernetes
import Logging
import PluginHost
import PluginProtocol
import ServiceLifecycle
import UnixSignals

/// `sluice host`: the controller against a real cluster.
struct HostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host",
        abstract: "Watches ScaledJobs in a cluster and creates their Jobs.",
        discussion: """
            In a Pod it uses the service account; elsewhere the kubeconfig that kubectl would use, or the one named with \
            --kubeconfig. Plugins connect to the socket by themselves, in any order; with --plugin the host also starts \
            and restarts them, for development and plain machines.

            It stops on SIGINT or SIGTERM; Jobs go on running.
            """
    )

    @Option(help: ArgumentHelp("Kubeconfig of the cluster.", valueName: "file"))
    var kubeconfig: String?

    @Option(help: ArgumentHelp("Context of the kubeconfig; the current one by default.", valueName: "name"))
    var context: String?

    @Option(help: ArgumentHelp("Work in this namespace only; repeat for several. All by default.", valueName: "name"))
    var namespace: [String] = []

    @Option(
        help: ArgumentHelp(
            "Serve only ScaledJobs with these labels, as in kubectl get --selector; other hosts serve the rest.",
            valueName: "selector"
        )
    )
    var scaledjobSelector: String?

    @Option(
        help: ArgumentHelp(
            "Socket that plugins connect to. Also: environment variable SLUICE_HOST_SOCKET.",
            valueName: "path"
        )
    )
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "Also listen on NAME/host.sock for each folder NAME in this folder, for the plugin of that name only.",
            valueName: "folder"
        )
    )
    var pluginSockets: String?

    @Option(help: ArgumentHelp("Start and restart this plugin; repeat for several.", valueName: "executable"))
    var plugin: [String] = []

    @Option(help: ArgumentHelp("A user, besides the host's own, whose processes may be plugins.", valueName: "uid"))
    var allowUid: [UInt32] = []

    @OptionGroup(title: "Limits of the whole host") var limits: LimitOptions
    @OptionGroup(title: "Leader election") var leadership: LeadershipOptions
    @OptionGroup(title: "Requests to the API server") var requests: RequestOptions
    @OptionGroup(title: "Endpoints") var endpoints: EndpointOptions
    @OptionGroup(title: "Authentication options") var authentication: AuthenticationOptions

    @OptionGroup(title: "Finished Jobs") var finishedJobs: FinishedJobOptions

    @OptionGroup(title: "Log options") var log: LogOptions

    func validate() throws {
        for namespace in self.namespace where namespace.isEmpty || namespace.contains("/") {
            throw ValidationError("--namespace: \"\(namespace)\" is not the name of a namespace")
        }
        if let selector = self.scaledjobSelector, let problem = Shard.problem(of: selector) {
            throw ValidationError("--scaledjob-selector: \(problem)")
        }
        try PluginExecutables.check(self.plugin)
    }

    private var shard: Shard { Shard(namespaces: self.namespace, selector: self.scaledjobSelector) }

    func run() async throws {
        ResidentMemory.shareArenas()
        OpenFiles.allowMore()
        let logger = self.log.bootstrap()
        let environment = ProcessEnvironment.variables
        let client: ClientConfiguration
        do {
            client = try .automatic(kubeconfig: self.kubeconfig, context: self.context, environment: environment)
        } catch {
            throw Failure(error.message)
        }
        let api = PacedAPI(try APIServerClient(client), self.requests.settings)
        let fence = WriteFence()
        let writing: any KubernetesAPI = self.leadership.leaderElect ? FencedAPI(api, fence) : api
        let path = self.socket ?? environment[ProtocolLimits.socketPathVariable] ?? ProtocolLimits.defaultSocketPath
        var hubConfiguration = Program.hubConfiguration(socketPath: path)
        hubConfiguration.allowedUsers = Set(self.allowUid)
        if let folder = self.pluginSockets {
            hubConfiguration.sockets += try PluginSocketFolder(path: folder).sockets()
        }
        let hub = PluginHub(configuration: hubConfiguration, logger: logger)
        var configuration = ControllerConfiguration(
            version: Version.text,
            namespaces: self.namespace.isEmpty ? nil : self.namespace,
            clusterNamespace: self.authentication.clusterNamespace(environment) ?? client.namespace ?? "default"
        )
        configuration.scaledJobSelector = self.shard.selector
        configuration.hostLimits = self.limits.limits
        configuration.authentication = try self.authentication.rules(environment)
        configuration.cleaning = try self.finishedJobs.settings()
        let controller = Controller(
            configuration: configuration,
            api: writing,
            plugins: hub,
            credentials: CredentialFetcher(
                api: writing,
                settings: CredentialFetcher.Settings(environment: environment)
            ),
            logger: logger
        )
        logger.info("starting", metadata: ["version": "\(Version.text)", "server": "\(client.server)"])

        // Started in this order, stopped in reverse.
        var parts: [any Service] = [Part { try await hub.run() }]
        let endpoints = HostEndpoints(options: self.endpoints, logger: logger)
        parts += endpoints.servers(controller: controller, hub: hub, api: api).map { Server(server: $0) }
        for executable in self.plugin {
            let supervisor = PluginSupervisor(
                executable: PluginExecutables.named(executable),
                socketPath: path,
                logger: logger
            )
            parts.append(Part { await supervisor.run() })
        }
        if let elector = self.leadership.elector(
            api: api,
            shard: self.shard,
            namespace: client.namespace,
            fence: fence,
            logger: logger
        ) {
            controller.pulse.standBy()
            parts.append(
                Part {
                    let finish = { @Sendable (deadline: ContinuousClock.Instant) in
                        api.dropWrites()
                        return await controller.finishCalls(by: deadline)
                    }
                    try await elector.lead(finish: finish) { await controller.run() }
                }
            )
        } else {
            parts.append(Part { await controller.run() })
        }
        try await Program.run(parts, logger: logger)
    }
}

/// A failure whose text is all that a person needs.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Runs the parts of a program until a signal stops it.
enum Program {
    /// Where plugins connect, and what they are told of this host.
    static func hubConfiguration(socketPath: String) -> HubConfiguration {
        var configuration = HubConfiguration(socketPath: socketPath)
        configuration.session.hostVersion = Version.text
        return configuration
    }

    static func run(_ parts: [any Service], logger: Logger) async throws {
        var quiet = logger
        quiet.logLevel = Swift.max(logger.logLevel, .warning)
        let releaseMemory = Part {
            while true {
                try await Task.sleep(for: ResidentMemory.releaseInterval)
                ResidentMemory.release()
            }
        }
        var configuration = ServiceGroupConfiguration(
            services: parts + [releaseMemory],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet
        )
        configuration.maximumGracefulShutdownDuration = .seconds(60)
        configuration.maximumCancellationDuration = .seconds(10)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as PluginHostError {
            throw Failure(error.message)
        } catch let error as LeaderElector.LostLease {
            throw Failure(error.description)
        } catch let error as EndpointError {
            throw Failure(error.message)
        }
    }
}
