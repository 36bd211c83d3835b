import Endpoints
import ServiceLifecycle

/// A server in the ``ServiceGroup``: unlike a ``Part``, it lets answers under way go out before it ends.
struct Server: Service {
    let server: EndpointServer

    func run() async throws { try await self.server.run() }
}
