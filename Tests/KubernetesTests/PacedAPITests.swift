import NIOConcurrencyHelpers
import Testing

@testable import Kubernetes

/// The flow with its clock, over a server that answers when the test says so.
@Suite struct PacedAPITests {
    private let create = APIRequest(.create, .jobs, namespace: "n", timeout: .seconds(30))

    @Test(.timeLimit(.minutes(1))) func neverMoreThanTheLimitReachTheServer() async throws {
        let server = GatedServer()
        let api = PacedAPI(server)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<300 { group.addTask { _ = try? await api.send(self.create) } }
            group.addTask {
                while server.answered < 300 {
                    server.mostAllowed.withLockedValue { $0 = max($0, api.figures.limit) }
                    server.answerOne()
                    await Task.yield()
                }
            }
        }
        #expect(server.most <= server.mostAllowed.withLockedValue { $0 })
        #expect(api.figures.underWay == 0)
        #expect(api.figures.waiting.values.allSatisfy { $0 == 0 })
    }

    @Test(.timeLimit(.minutes(1))) func aCallWhoseTimeRunsOutWasNotSent() async throws {
        let server = GatedServer()
        let api = PacedAPI(server)
        let busy = (0..<AdaptiveLimit.initial).map { _ in Task { try await api.send(self.create) } }
        defer { for task in busy { task.cancel() } }
        try await eventually { server.waiting == AdaptiveLimit.initial }
        var request = self.create
        request.timeout = .milliseconds(200)
        let error = await #expect(throws: KubernetesError.self) { _ = try await api.send(request) }
        #expect(error?.code == .throttled)
        #expect(error?.mayHaveHappened == false)
        #expect(server.waiting == AdaptiveLimit.initial)
        server.release()
    }

    @Test(.timeLimit(.minutes(1))) func aCallThatWaitedHasOnlyTheRestOfItsTime() async throws {
        let server = GatedServer()
        let api = PacedAPI(server)
        let busy = (0..<AdaptiveLimit.initial).map { _ in Task { try await api.send(self.create) } }
        try await eventually { server.waiting == AdaptiveLimit.initial }
        let late = Task { try await api.send(self.create) }
        try await eventually { api.figures.waiting[.create] == 1 }
        server.release()
        _ = try await late.value
        for task in busy { _ = try await task.value }
        #expect(server.timeouts.allSatisfy { $0 <= .seconds(30) })
        #expect((server.timeouts.last ?? .zero) < .seconds(30))
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func aCancelledCallIsTakenOut(isEarly: Bool) async throws {
        let server = GatedServer()
        let api = PacedAPI(server)
        let busy = (0..<AdaptiveLimit.initial).map { _ in Task { try await api.send(self.create) } }
        try await eventually { server.waiting == AdaptiveLimit.initial }
        let task = Task { try await api.send(self.create) }
        if !isEarly { try await eventually { api.figures.waiting[.create] == 1 } }
        task.cancel()
        let error = await #expect(throws: KubernetesError.self) { _ = try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveHappened == false)
        #expect(api.figures.waiting[.create] == 0)
        server.release()
        for task in busy { _ = try await task.value }
        #expect(server.timeouts.count == AdaptiveLimit.initial)
    }

    @Test(.timeLimit(.minutes(1))) func whatWaitsIsGivenUpWhenTheHostStops() async throws {
        let server = GatedServer()
        let api = PacedAPI(server)
        let busy = (0..<AdaptiveLimit.initial).map { _ in Task { try await api.send(self.create) } }
        try await eventually { server.waiting == AdaptiveLimit.initial }
        let waiting = Task { try await api.send(self.create) }
        try await eventually { api.figures.waiting[.create] == 1 }
        api.dropWrites()
        let error = await #expect(throws: KubernetesError.self) { _ = try await waiting.value }
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveHappened == false)
        server.release()
        for task in busy { _ = try await task.value }
    }

    @Test(.timeLimit(.minutes(1))) func aLeaseWaitsForNothing() async throws {
        let server = GatedServer()
        let api = PacedAPI(server, RequestFlow.Settings(rate: 0.1, burst: 1))
        let busy = Task { try await api.send(self.create) }
        try await eventually { server.waiting == 1 }
        let waiting = Task { try await api.send(self.create) }
        try await eventually { api.figures.waiting[.create] == 1 }
        let renewals = (0..<20).map { _ in
            Task { try await api.send(APIRequest(.replace, .leases, namespace: "n", name: "l", lane: .lease)) }
        }
        try await eventually { server.waiting == 21 }
        waiting.cancel()
        server.release()
        for renewal in renewals { _ = try await renewal.value }
        _ = try await busy.value
    }

    @Test(.timeLimit(.minutes(1))) func whatTheServerAsksForHoldsForAll() async throws {
        let server = GatedServer()
        server.failure = KubernetesError(.throttled, "slow down", retry: .after(.milliseconds(500)), status: 429)
        server.release()
        let api = PacedAPI(server)
        await #expect(throws: KubernetesError.self) { _ = try await api.send(self.create) }
        server.failure = nil
        let start = ContinuousClock.now
        _ = try await api.send(APIRequest(.list, .jobs))
        #expect(ContinuousClock.now - start > .milliseconds(400))
        #expect(api.figures.throttled[.server, default: .zero] > .milliseconds(400))
    }

    @Test(.timeLimit(.minutes(1))) func aRateIsKeptByItsAlarm() async throws {
        let server = GatedServer()
        server.release()
        let api = PacedAPI(server, RequestFlow.Settings(rate: 50, burst: 5))
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<30 { group.addTask { _ = try await api.send(self.create) } }
            try await group.waitForAll()
        }
        // 25 of them, 20 ms each.
        #expect(ContinuousClock.now - start >= .milliseconds(500))
    }
}

/// A server that keeps every call until it is let go.
private final class GatedServer: KubernetesAPI {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var answered = 0
        var most = 0
        var timeouts: [Duration] = []
        var failure: KubernetesError?
    }

    private let state = NIOLockedValueBox(State())
    let mostAllowed = NIOLockedValueBox(0)

    var waiting: Int { self.state.withLockedValue { $0.waiting.count } }
    var answered: Int { self.state.withLockedValue { $0.answered } }
    var most: Int { self.state.withLockedValue { $0.most } }
    var timeouts: [Duration] { self.state.withLockedValue { $0.timeouts } }
    var failure: KubernetesError? {
        get { self.state.withLockedValue { $0.failure } }
        set { self.state.withLockedValue { $0.failure = newValue } }
    }

    func answerOne() {
        let one = self.state.withLockedValue { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
        one?.resume()
    }

    /// Lets go of all, and of all that come.
    func release() {
        let all = self.state.withLockedValue { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in all { one.resume() }
    }

    func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        await withCheckedContinuation { continuation in
            let isOpen = self.state.withLockedValue { state in
                state.timeouts.append(request.timeout)
                guard !state.isOpen else { return true }
                state.waiting.append(continuation)
                state.most = max(state.most, state.waiting.count)
                return false
            }
            if isOpen { continuation.resume() }
        }
        let failure = self.state.withLockedValue { state in
            state.answered += 1
            return state.failure
        }
        if let failure { throw failure }
        return []
    }

    func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        _ = try await self.send(request)
        return WatchStream { () throws(KubernetesError) in nil }
    }
}
