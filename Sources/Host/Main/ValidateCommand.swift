import Admission
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

            A problem keeps a trigger or a Job from working. A warning does not, and does not change the exit status. \
            Objects of other kinds are passed over.

            TriggerAuthentications and Secrets are looked for in the files, and with --kubeconfig in the cluster. With \
            --kubeconfig the API server also tries each Job template (a dry run: nothing is stored); with --standalone \
            the template must be one that sluice run can run.
            """
    )

    @Argument(help: ArgumentHelp("Manifest files or folders; - for the standard input.", valueName: "file"))
    var files: [String]

    @Option(help: ArgumentHelp("Ask this plugin as well; repeat for several.", valueName: "executable"))
    var plugin: [String] = []

    @Option(help: ArgumentHelp("Look into the cluster of this kubeconfig.", valueName: "file"))
    var kubeconfig: String?

    @Option(
        help: ArgumentHelp(
            "Where the Secrets of ClusterTriggerAuthentications are. Also: KEDA_CLUSTER_OBJECT_NAMESPACE.",
            valueName: "name"
        )
    )
    var clusterNamespace: String?

    @Flag(help: "Check that sluice run can run the Jobs.")
    var standalone = false

    @OptionGroup(title: "Log options") var log: LogOptions

    func validate() throws {
        try PluginExecutables.check(self.plugin)
    }

    func run() async throws {
        let logger = self.log.bootstrap(level: Swift.max(self.log.logLevel.level, .warning))
        let environment = ProcessEnvironment.variables
        var report = ValidationReport()
        var manifests: [Manifest] = []
        let folder = ManifestFolder(paths: self.files.map { FilePath($0) })
        for warning in folder.subfolders() { report.warn(warning) }
        for file in folder.files() {
            do throws(ManifestProblem) {
                let bytes = try ManifestFolder.contents(of: file)
                let found = Manifest.check(bytes, file: file == "-" ? "standard input" : file.string)
                manifests += found.manifests
                for problem in found.problems { report.add(problem) }
                for warning in found.warnings { report.warn(warning) }
            } catch {
                report.add(error)
            }
        }
        for problem in Manifest.repetitions(in: manifests) { report.add(problem) }
        let homes = [self.clusterNamespace, environment["KEDA_CLUSTER_OBJECT_NAMESPACE"]].compactMap { $0 }
        var objects = try ManifestObjects(manifests, clusterNamespace: homes.first { !$0.isEmpty })
        for problem in objects.unusable { report.add(problem) }
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
        let outcome = try await survey.ask(
            types: Set(objects.scaledJobs.flatMap { PluginStarter.types(of: $0.object) })
        )
        var check = objects.check(offers: outcome.offers)
        check.survey = outcome.answers
        let rules = ManifestRules(offers: outcome.offers, survey: outcome.answers)
        let trial = cluster.map { TemplateTrial(api: $0, version: Version.text) }
        let scaledJobs = Dictionary(objects.scaledJobs.map { ("\($0.source) \($0.object.key)", $0.object) }) {
            first,
            _ in
            first
        }
        for manifest in manifests {
            guard let kind = CheckedKind(rawValue: manifest.resource.kind) else { continue }
            var findings = rules.findings(in: manifest.object, of: kind)
            if let scaledJob = scaledJobs["\(manifest.source) \(manifest.key)"] {
                let known = Set(findings.map(\.problem.description))
                findings += check.problems(of: scaledJob)
                    .filter { !known.contains($0.description) }
                    .map { Finding(.mistake, $0) }
                findings += objects.assumptions(of: scaledJob).map { Finding(.advice, $0) }
                // What is wrong by itself needs no second opinion.
                if let trial, findings.allSatisfy({ $0.weight == .advice }) {
                    findings += await trial.findings(in: scaledJob)
                }
            }
            report.add(findings, in: manifest, isTypeKnown: outcome.hasAsked)
        }
        report.print()
        guard report.problems == 0 else { throw ExitCode(1) }
    }
}
