import ArgumentParser
import Controller
import Kubernetes
import Logging
import PluginHost
import Standalone
import SystemPackage

/// `sluice validate`: says what is wrong with manifests before a cluster sees them.
struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Checks manifests and names each field that is wrong, its value and the mend.",
        discussion: """
            Trigger parameters are checked against what the plugins declare: sluice-plugin-TYPE is started for each \
            trigger type, asked, and stopped. No event source is contacted.

            TriggerAuthentications and Secrets are looked for in the files, and with --kubeconfig in the cluster. With \
            --kubeconfig the API server also tries each Job template (a dry run: nothing is stored); with --standalone \
            the template must be one that sluice run can run.
            """
    )

    @Argument(help: ArgumentHelp("Manifest files or folders.", valueName: "file"))
    var files: [String]

    @Option(help: ArgumentHelp("Ask this plugin as well; repeat for several.", valueName: "executable"))
    var plugin: [String] = []

    @Option(help: ArgumentHelp("Look into the cluster of this kubeconfig.", valueName: "file"))
    var kubeconfig: String?

    @Flag(help: "Check that sluice run can run the Jobs.")
    var standalone = false

    @OptionGroup(title: "Log options") var log: LogOptions

    func run() async throws {
        let logger = self.log.bootstrap(level: Swift.max(self.log.logLevel.level, .warning))
        let environment = ProcessEnvironment.variables
        let manifests: [Manifest]
        do {
            manifests = try ManifestFolder(paths: self.files.map { FilePath($0) }).read(for: .checking)
        } catch {
            throw Failure(error.description)
        }
        var objects = try ManifestObjects(manifests)
        var cluster: (any KubernetesAPI)? = self.standalone ? InProcessCluster() : nil
        if let kubeconfig {
            do {
                let api = try APIServerClient(.kubeconfig(kubeconfig, environment: environment))
                try await objects.complete(from: api)
                cluster = api
            } catch {
                throw Failure("the cluster cannot be asked: \(error.message)")
            }
        }
        let survey = PluginSurvey(
            executables: PluginExecutables(
                environment: environment,
                executableFolder: ProcessEnvironment.executableFolder
            ),
            named: self.plugin.map(PluginExecutables.named),
            logger: logger
        )
        let offers = try await survey.offers(
            types: Set(objects.scaledJobs.flatMap { PluginStarter.types(of: $0.object) })
        )
        let check = objects.check(offers: offers)

        var problems = 0
        for (scaledJob, source) in objects.scaledJobs {
            var found = check.problems(of: scaledJob)
            if found.isEmpty, let cluster { found += try await Self.tryTemplate(of: scaledJob, at: cluster) }
            for problem in found { print("\(source): ScaledJob \(scaledJob.key): \(problem)") }
            problems += found.count
        }
        for (name, source, problem) in objects.authenticationProblems {
            print("\(source): \(name): \(problem)")
            problems += 1
        }
        guard problems == 0 else { throw ExitCode(1) }
        let count = objects.scaledJobs.count
        print("\(count) \(count == 1 ? "ScaledJob is" : "ScaledJobs are") valid")
    }

    private static func tryTemplate(of scaledJob: ScaledJob, at cluster: any KubernetesAPI) async throws -> [Problem] {
        guard let trial = try ManifestCheck.trial(scaledJob, version: Version.text) else { return [] }
        do throws(KubernetesError) {
            _ = try await cluster.send(
                APIRequest(
                    .create,
                    .jobs,
                    namespace: trial.key.namespace,
                    query: [QueryItem("dryRun", "All")],
                    body: trial.body
                )
            )
            return []
        } catch {
            return [Problem("spec.jobTargetRef", error.message)]
        }
    }
}
