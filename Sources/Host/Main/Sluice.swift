import ArgumentParser

/// The `sluice` command.
@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Turns waiting events into Kubernetes Jobs.",
        discussion: """
            Sluice watches event sources through plugins and creates as many Jobs as the work needs, never more than the \
            limits allow, and cleans them up afterwards. Manifests of keda.sh/v1alpha1 work unchanged.

            EXIT STATUS
              0   done, or stopped as asked by SIGINT or SIGTERM
              1   something failed, or a manifest has problems
              64  the command line is wrong
            """,
        version: Version.text,
        subcommands: [HostCommand.self, RunCommand.self, ValidateCommand.self, DecideCommand.self, LogsCommand.self]
    )
}

/// The version of this build.
enum Version {
    static let text = "0.1.0"
}
