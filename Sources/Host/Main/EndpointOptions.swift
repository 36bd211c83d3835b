import Admission
import ArgumentParser
import Endpoints

/// Where the host serves what others ask of it.
struct EndpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Serve metrics here: host:port, :port for every address, or 0 for nowhere.",
            valueName: "address"
        )
    )
    var metricsBindAddress: Listener = Listener(BindAddress(host: "", port: 8080))

    @Option(
        help: ArgumentHelp("Serve /healthz and /readyz here, or 0 for nowhere.", valueName: "address")
    )
    var healthProbeBindAddress: Listener = Listener(BindAddress(host: "", port: 8081))

    @Option(
        help: ArgumentHelp(
            "Answer the API server's questions about new objects here, over TLS. Off by default.",
            valueName: "address"
        )
    )
    var webhookBindAddress: Listener = Listener(nil)

    @Option(
        help: ArgumentHelp(
            "Folder with tls.crt and tls.key of the webhook; read again when they change.",
            valueName: "folder"
        )
    )
    var webhookCertDir: String = "/certs"

    @Option(
        help: ArgumentHelp(
            "What the webhook answers when something cannot be checked: open allows with a warning, closed refuses.",
            valueName: "open|closed"
        )
    )
    var webhookFailure: AdmissionPolicy.Failure = .open

    @Flag(help: "The webhook refuses triggers that cannot work as written, instead of warning.")
    var webhookStrict = false

    @Flag(help: "The webhook tries the Job template of a ScaledJob at the API server; nothing is stored.")
    var webhookDryRun = false
}

extension AdmissionPolicy.Failure: ExpressibleByArgument {}

/// A bind address as people write it.
struct Listener: ExpressibleByArgument {
    /// Nil for none.
    let address: BindAddress?

    init(_ address: BindAddress?) {
        self.address = address
    }

    init?(argument: String) {
        do {
            self.address = try BindAddress.parse(argument)
        } catch {
            return nil
        }
    }

    var defaultValueDescription: String { self.address.map { "\($0)" } ?? "0" }
}
