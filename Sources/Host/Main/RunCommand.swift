import ArgumentParser
import Controller
import Credentials
import Kubernetes
import Logging
import PluginHost
import ServiceLifecycle
import Standalone
import SystemPackage

/// `sluice run`: the same controller with no cluster.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs manifests on this machine: Jobs are local processes.",
        discussion: """
            Takes the manifests that a cluster would take (ScaledJob, JobBudget, TriggerAuthentication, \
            ClusterTriggerAuthentication, Secret, ConfigMap), starts the plugins that they need and runs each Job's \
            containers as processes of this machine. Changed files are read again.

            SIGINT (Ctrl-C) or SIGTERM drains: no new Job, running ones are asked to end, then it exits.
            """
    )

    @Argument(help: ArgumentHelp("Manifest files or folders.", valueName: "file"))
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Start this plugin; repeat for several. By default sluice-plugin-TYPE for each trigger type.",
            valueName: "executable"
        )
    )
    var plugin: [String] = []

    @Option(help: ArgumentHelp("Folder for sockets and the output of Jobs.", valueName: "folder"))
    var state: String = ".sluice"

    @Option(help: ArgumentHelp("Write what happens to this file, one JSON object a line.", valueName: "file"))
    var report: String?

    @OptionGroup(title: "Limits of the whole host") var limits: LimitOptions
    @OptionGroup(title: "Authentication options") var authentication: AuthenticationOptions

    @OptionGroup(title: "Finished Jobs") var finishedJobs: FinishedJobOptions

    @OptionGroup(title: "Log options") var log: LogOptions

    func validate() throws {
        try PluginExecutables.check(self.plugin)
    }

    func run() async throws {
        OpenFiles.allowMore()
        let logger = self.log.bootstrap(level: Swift.max(self.log.logLevel.level, .notice))
        let environment = ProcessEnvironment.variables
        let standalone: StandaloneEnvironment
        do {
            standalone = try StandaloneEnvironment(
                files: self.files.map { FilePath($0) },
                stateDirectory: FilePath(self.state),
                settings: JobRunner.Settings(environment: environment),
                report: try self.report.map { try RunReport(file: FilePath($0)) },
                logger: logger
            )
        } catch let problem as ManifestProblem {
            throw Failure(problem.description)
        }
        let socket = try TemporarySocket()
        defer { socket.remove() }
        let hub = PluginHub(configuration: Program.hubConfiguration(socketPath: socket.path), logger: logger)
        var configuration = ControllerConfiguration(version: Version.text, clusterNamespace: "default")
        configuration.hostLimits = self.limits.limits
        configuration.authentication = try self.authentication.rules(environment)
        configuration.cleaning = try self.finishedJobs.settings()
        let controller = Controller(
            configuration: configuration,
            api: standalone.api,
            plugins: hub,
            credentials: CredentialFetcher(
                api: standalone.api,
                noTokens:
                    "sluice run has no cluster that could issue it; put a token into a Secret, and use secretTargetRef",
                settings: CredentialFetcher.Settings(environment: environment)
            ),
            logger: logger
        )
        let starter = PluginStarter(
            api: standalone.api,
            named: self.plugin.map(PluginExecutables.named),
            executables: PluginExecutables(
                environment: environment,
                executableFolder: ProcessEnvironment.executableFolder
            ),
            socketPath: socket.path,
            logger: logger
        )
        let screen = StatusScreen(controller: controller)
        try await Program.run(
            [
                Part { try await standalone.run() },
                Part { try await hub.run() },
                Part { await starter.run() },
                Part { await controller.run() },
                Part { await screen.run() },
            ],
            logger: logger
        )
        let total = standalone.observer.tally.total
        print(
            "created \(total.created), done \(total.done), failed \(total.failed), cleaned \(total.cleaned), "
                + "left \(standalone.observer.tally.jobsLeft)"
        )
    }
}
