package import Controller
package import Kubernetes

/// Where `/metrics` gets its text from.
package struct MetricsSource: Sendable {
    /// The header `Content-Type` of the text.
    package static var contentType: String { MetricsText.contentType }

    private let controller: Controller
    private let api: PacedAPI?
    private let validations: ValidationCounter?

    package init(controller: Controller, api: PacedAPI? = nil, validations: ValidationCounter? = nil) {
        self.controller = controller
        self.api = api
        self.validations = validations
    }

    /// All metrics as they are now; the controller gives the figures, and goes on while the text is written.
    @concurrent
    package func text() async -> [UInt8] {
        var snapshot = await self.controller.metrics()
        snapshot.flow = self.api?.figures
        if let validations { snapshot.validations = validations.counts }
        return snapshot.prometheusText()
    }
}
