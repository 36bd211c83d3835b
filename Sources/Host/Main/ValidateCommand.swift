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

    @Flag(help: "Check that sluice run can run the Jobs.")
    var standalone = false

    @OptionGroup(title: "Log options") var log: LogOptions

    func run() async throws {
        let logger = self.log.bootstrap(level: Swift.max(self.log.logLevel.level, .warning))
        let environment = ProcessEnvironment.variables
        var report = ValidationReport()
        var manifests: [Manifest] = []
        for file in ManifestFolder(paths: self.files.map { FilePath($0) }).files() {
            do throws(ManifestProblem) {
                let bytes = try ManifestFolder.contents(of: file)
                let found = Manifest.check(bytes, file: file == "-" ? "standard input" : file.string)
                manifests += found.manifests
                for problem in found.problems { report.add(problem) }
            } catch {
                report.add(error)
            }
        }
        for problem in Manifest.repetitions(in: manifests) { report.add(problem) }
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
        let rules = ManifestRules(offers: offers)
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
                // What is wrong by itself needs no second opinion.
                if let trial, findings.allSatisfy({ $0.weight == .advice }) {
                    findings += await trial.findings(in: scaledJob)
                }
            }
            report.add(findings, in: manifest, isTypeKnown: !offers.isEmpty)
        }
        report.print()
        guard report.problems == 0 else { throw ExitCode(1) }
    }
}
