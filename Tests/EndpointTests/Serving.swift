import Endpoints
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycleTestKit

/// Runs a server for the length of a body.
enum Serving {
    /// The port of the server is given to the body; the server stops gracefully when the body ends.
    static func with(
        limits: EndpointLimits = EndpointLimits(),
        certificate: ServerCertificate? = nil,
        answer: @escaping @Sendable (EndpointRequest) async -> EndpointAnswer,
        _ body: @Sendable (Int) async throws -> Void
    ) async throws {
        let server = EndpointServer(
            "tests",
            at: BindAddress(host: "127.0.0.1", port: 0),
            limits: limits,
            certificate: certificate,
            logger: .quiet,
            answer: answer
        )
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                do {
                    try await body(try await Self.port(of: server))
                } catch {
                    trigger.triggerGracefulShutdown()
                    throw error
                }
                trigger.triggerGracefulShutdown()
                try await group.waitForAll()
            }
        }
    }

    static func port(of server: EndpointServer) async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if let address = server.listensAt { return address.port }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw NeverListened()
    }

    struct NeverListened: Error {}
}

extension Logger {
    static var quiet: Logger { Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() } }
}

/// A gate that many can wait at and one opens.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var arrivals = 0
    }

    private let state = NIOLockedValueBox(State())

    func open() {
        let waiting = self.state.withLockedValue { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = self.state.withLockedValue { state in
                state.arrivals += 1
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    var arrivals: Int { self.state.withLockedValue { $0.arrivals } }
}
