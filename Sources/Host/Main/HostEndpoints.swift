import Admission
import Controller
import Endpoints
import Kubernetes
import Logging
import Observability
import PluginHost

/// The servers of the host, as far as they are asked for.
struct HostEndpoints {
    let options: EndpointOptions
    let logger: Logger
    private let validations = ValidationCounter()

    init(options: EndpointOptions, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    func servers(controller: Controller, hub: PluginHub, api: PacedAPI) -> [EndpointServer] {
        var servers: [EndpointServer] = []
        if let address = self.options.healthProbeBindAddress.address {
            let health = HealthEndpoints(
                alive: { controller.pulse.faults() },
                ready: {
                    controller.pulse.obstacles() + (hub.isListening ? [] : ["the host does not listen for plugins"])
                }
            )
            servers.append(
                EndpointServer("health probes", at: address, limits: self.small, logger: self.logger) {
                    await health.answer($0)
                }
            )
        }
        if let address = self.options.metricsBindAddress.address {
            let metrics = MetricsSource(controller: controller, api: api, validations: self.validations)
            servers.append(
                EndpointServer("metrics", at: address, limits: self.small, logger: self.logger) { request in
                    guard request.path == "/metrics" else { return .notFound }
                    guard ["GET", "HEAD"].contains(request.method) else { return .methodNotAllowed }
                    return EndpointAnswer(contentType: MetricsSource.contentType, body: await metrics.text())
                }
            )
        }
        if let address = self.options.webhookBindAddress.address {
            servers.append(self.webhook(at: address, controller: controller, api: api))
        }
        return servers
    }

    private func webhook(at address: BindAddress, controller: Controller, api: any KubernetesAPI) -> EndpointServer {
        let webhook = AdmissionWebhook(
            policy: AdmissionPolicy(failure: self.options.webhookFailure, isStrict: self.options.webhookStrict),
            offers: { await controller.offers() },
            trial: self.options.webhookDryRun ? TemplateTrial(api: api, version: Version.text) : nil,
            validations: self.validations
        )
        var limits = EndpointLimits()
        limits.body = AdmissionWebhook.largestBody
        limits.bodies = 3 * AdmissionWebhook.largestBody
        // The API server asks over few connections, and gives up after ten seconds.
        limits.connections = 32
        limits.answer = .seconds(9)
        return EndpointServer(
            "admission",
            at: address,
            limits: limits,
            certificate: ServerCertificate(folder: self.options.webhookCertDir, logger: self.logger),
            logger: self.logger
        ) { await webhook.answer($0) }
    }

    /// Nobody has a body to send here.
    private var small: EndpointLimits {
        var limits = EndpointLimits()
        limits.body = 4 << 10
        return limits
    }
}
