import ServiceLifecycle

/// One part of the program in the ``ServiceGroup``: runs until a graceful shutdown cancels it.
struct Part: Service {
    private let body: @Sendable () async throws -> Void

    init(_ body: @escaping @Sendable () async throws -> Void) {
        self.body = body
    }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.body() }
        } catch is CancellationError {
            // That is how a part ends.
        }
    }
}
