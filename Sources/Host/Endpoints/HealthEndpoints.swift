/// `/healthz` and `/readyz`: whether to restart the host, and whether it works.
///
/// Each asks for what is wrong and answers 200 when nothing is. What is wrong elsewhere, with a plugin, an event source or
/// the API server, is no reason to restart the host and belongs into neither.
package struct HealthEndpoints: Sendable {
    /// What is wrong, one sentence each; nothing when all is well.
    package typealias Check = @Sendable () async -> [String]

    private let alive: Check
    private let ready: Check

    package init(alive: @escaping Check, ready: @escaping Check) {
        self.alive = alive
        self.ready = ready
    }

    package func answer(_ request: EndpointRequest) async -> EndpointAnswer {
        let check: Check
        switch request.path {
        case "/healthz", "/livez": check = self.alive
        case "/readyz": check = self.ready
        default: return .notFound
        }
        guard ["GET", "HEAD"].contains(request.method) else { return .methodNotAllowed }
        let faults = await check()
        return faults.isEmpty ? .text("ok") : .text(faults.joined(separator: "\n"), status: 503)
    }
}
