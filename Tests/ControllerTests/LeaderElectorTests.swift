import Controller
import Kubernetes
import Logging
import NIOConcurrencyHelpers
import Testing

/// What the elector does with its body, over a Lease whose server the test holds up.
@Suite struct LeaderElectorTests {
    private func elector(_ api: LeaseServer) -> LeaderElector {
        LeaderElector(
            api: api,
            lease: ObjectKey(namespace: "n", name: "l"),
            settings: .init(identity: "me", leaseDuration: .milliseconds(1500)),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    @Test(.timeLimit(.minutes(1))) func aRenewalThatHangsDoesNotLetTheBodyGoOn() async throws {
        let api = LeaseServer()
        let (ends, ended) = AsyncStream.makeStream(of: Void.self)
        let elector = self.elector(api)
        let leading = Task {
            try await elector.lead {
                api.hangs.withLockedValue { $0 = true }
                try? await Task.sleep(for: .seconds(60))
                ended.yield()
            }
        }
        defer { leading.cancel() }
        // The renewal hangs until after this, whatever it is told.
        var iterator = ends.makeAsyncIterator()
        await iterator.next()
        #expect(api.answered.withLockedValue { $0 } == api.answeredBeforeHanging)
        api.release()
        await #expect(throws: LeaderElector.LostLease.self) { try await leading.value }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func theLeaseIsGivenBackOnlyWhenNothingIsUnderWay(isFinished: Bool) async throws {
        let api = LeaseServer()
        let (begins, begun) = AsyncStream.makeStream(of: Void.self)
        let order = NIOLockedValueBox<[String]>([])
        let elector = self.elector(api)
        let leading = Task {
            try await elector.lead(
                finish: { deadline in
                    order.withLockedValue { $0.append(Task.isCancelled ? "cut" : "finish") }
                    return isFinished && deadline > .now
                },
                {
                    begun.yield()
                    try? await Task.sleep(for: .seconds(60))
                    order.withLockedValue { $0.append("end") }
                }
            )
        }
        var iterator = begins.makeAsyncIterator()
        await iterator.next()
        leading.cancel()
        try await leading.value
        #expect(order.withLockedValue { $0 } == ["finish", "end"])
        #expect(api.holder == (isFinished ? "" : "me"))
    }
}

/// One Lease, and a server that can stand still without noticing that nobody waits any more.
private final class LeaseServer: KubernetesAPI {
    private struct State {
        var lease: JSONValue?
        var version = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    let hangs = NIOLockedValueBox(false)
    let answered = NIOLockedValueBox(0)
    private let beforeHanging = NIOLockedValueBox(0)
    private let state = NIOLockedValueBox(State())

    var answeredBeforeHanging: Int { self.beforeHanging.withLockedValue { $0 } }
    var holder: String? {
        self.state.withLockedValue { $0.lease?[path: "spec", "holderIdentity"]?.stringValue }
    }

    func release() {
        self.hangs.withLockedValue { $0 = false }
        let waiting = self.state.withLockedValue { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        if self.hangs.withLockedValue({ $0 }) {
            self.beforeHanging.withLockedValue { $0 = self.answered.withLockedValue { $0 } }
            await withCheckedContinuation { continuation in
                self.state.withLockedValue { $0.waiting.append(continuation) }
            }
        }
        self.answered.withLockedValue { $0 += 1 }
        let lease = self.state.withLockedValue { state -> JSONValue? in
            guard request.verb != .get, let body = request.body, var object = try? JSONValue(parsing: body) else {
                return state.lease
            }
            state.version += 1
            object["metadata"] = ["resourceVersion": .string("\(state.version)")]
            state.lease = object
            return object
        }
        guard let lease, let bytes = try? lease.encoded() else { throw KubernetesError(.notFound, "no Lease") }
        return bytes
    }

    func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        throw KubernetesError(.notFound, "only Leases")
    }
}
