internal import Glibc

/// A thread of a test's server, which may wait for bytes as long as it likes.
///
/// Unchecked: the identifier is set once, before anybody sees it.
struct ServerThread: @unchecked Sendable {
    private let identifier: pthread_t

    private final class Box {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread that nobody waits for.
    static func start(_ body: @escaping @Sendable () -> Void) {
        let thread = Self.startJoinable(body)
        pthread_detach(thread.identifier)
    }

    /// Starts a thread that has to be joined.
    static func startJoinable(_ body: @escaping @Sendable () -> Void) -> ServerThread {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Box(body)).toOpaque()
        pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            context
        )
        return ServerThread(identifier: thread)
    }

    func join() { pthread_join(self.identifier, nil) }
}
