package import Controller

/// Where `/metrics` gets its text from.
package struct MetricsSource: Sendable {
    /// The header `Content-Type` of the text.
    package static var contentType: String { MetricsText.contentType }

    private let controller: Controller
    private let validations: ValidationCounter?

    package init(controller: Controller, validations: ValidationCounter? = nil) {
        self.controller = controller
        self.validations = validations
    }

    /// All metrics as they are now; the controller gives the figures, and goes on while the text is written.
    @concurrent
    package func text() async -> [UInt8] {
        var snapshot = await self.controller.metrics()
        if let validations { snapshot.validations = validations.counts }
        return snapshot.prometheusText()
    }
}
