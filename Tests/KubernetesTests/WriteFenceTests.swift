import Glibc
import NIOConcurrencyHelpers
import Servers
import Testing

@testable import HTTP
@testable import Kubernetes

/// What a leader may still send, down to the socket.
@Suite struct WriteFenceTests {
    private let create = APIRequest(.create, .jobs, namespace: "n", body: Array("{}".utf8), timeout: .seconds(30))
    private let get = APIRequest(.get, .jobs, namespace: "n", name: "busy", timeout: .seconds(60))

    private func client(_ server: ScriptedServer, connections: Int = 8) throws -> APIServerClient {
        var endpoint = HTTPEndpoint(address: server.address)
        endpoint.allowsPlainHTTP = true
        endpoint.limits.connections = connections
        return try APIServerClient(endpoint, credentials: FixedCredential(Credential()))
    }

    @Test func itStandsFromItsFirstRenewalAndOnceFallenNeverAgain() {
        let fence = WriteFence()
        #expect(!fence.stands)
        #expect(fence.stand(until: .now + .seconds(60)))
        #expect(fence.stands)
        #expect(fence.stand(until: .now - .seconds(1)))
        #expect(!fence.stands)
        #expect(!fence.stand(until: .now + .seconds(60)))
        #expect(!fence.stands)
        let other = WriteFence()
        other.stand(until: .now + .seconds(60))
        other.fall()
        #expect(!other.stands)
        #expect(!other.stand(until: .now + .seconds(60)))
    }

    @Test func onlyReadingGoesOnWithoutALease() async throws {
        let server = try ScriptedServer { _ in ScriptedServer.ok("{}") }
        defer { server.stop() }
        let api = FencedAPI(try self.client(server), WriteFence())
        for verb in [APIRequest.Verb.create, .mergePatch, .replace, .delete] {
            var write = self.create
            write.verb = verb
            let error = await #expect(throws: KubernetesError.self) { _ = try await api.send(write) }
            #expect(error?.code == .cancelled)
            #expect(error?.mayHaveHappened == false)
        }
        _ = try await api.send(self.get)
        #expect(server.log.map(\.line) == ["GET /apis/batch/v1/namespaces/n/jobs/busy HTTP/1.1"])
    }

    @Test(.timeLimit(.minutes(1))) func aWriteThatWaitsForAConnectionEndsWithTheLease() async throws {
        let server = try ScriptedServer { _ in .silence }
        defer { server.stop() }
        let fence = WriteFence()
        fence.stand(until: .now + .milliseconds(400))
        let api = FencedAPI(try self.client(server, connections: 1), fence)
        let busy = Task { try await api.send(self.get) }
        defer { busy.cancel() }
        try await eventually { server.log.count == 1 }
        let start = ContinuousClock.now
        let error = await #expect(throws: KubernetesError.self) { _ = try await api.send(self.create) }
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveHappened == false)
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(server.log.count == 1)
    }

    @Test(.timeLimit(.minutes(1))) func aWriteWithoutAnAnswerIsNotWaitedForBeyondTheLease() async throws {
        let server = try ScriptedServer { _ in .silence }
        defer { server.stop() }
        let fence = WriteFence()
        fence.stand(until: .now + .milliseconds(500))
        let api = FencedAPI(try self.client(server), fence)
        let error = await #expect(throws: KubernetesError.self) { _ = try await api.send(self.create) }
        #expect(error?.code == .cancelled)
        // It was sent.
        #expect(error?.mayHaveHappened == true)
        #expect(!fence.stands)
    }

    @Test(.timeLimit(.minutes(1))) func aRenewalMovesTheEndOfWhatIsUnderWay() async throws {
        let fence = WriteFence()
        let first = ContinuousClock.now + .milliseconds(600)
        fence.stand(until: first)
        let server = try ScriptedServer { _ in
            // The answer comes when the Lease would have ended.
            while ContinuousClock.now < first + .milliseconds(100) { usleep(10_000) }
            return ScriptedServer.ok("{}")
        }
        defer { server.stop() }
        let api = FencedAPI(try self.client(server), fence)
        let write = Task { try await api.send(self.create) }
        try await eventually { server.log.count == 1 }
        fence.stand(until: .now + .seconds(60))
        _ = try await write.value
    }

    @Test(.timeLimit(.minutes(1))) func aCommandTakenLateIsNotSent() async throws {
        let server = try ScriptedServer { _ in ScriptedServer.ok("{}") }
        defer { server.stop() }
        var endpoint = HTTPEndpoint(address: server.address)
        endpoint.allowsPlainHTTP = true
        let engine = try #require(CurlEngine(endpoint))
        var request = HTTPRequest(.post, "/late", timeout: .zero)
        let late = await #expect(throws: TransferFailure.self) { _ = try await engine.answer(to: request) }
        #expect(late?.reason == .timedOut)
        #expect(late?.mayHaveBeenSent == false)
        request.timeout = .seconds(20)
        request.fence = { .now - .seconds(1) }
        let fenced = await #expect(throws: TransferFailure.self) { _ = try await engine.answer(to: request) }
        #expect(fenced?.reason == .fenced)
        #expect(fenced?.mayHaveBeenSent == false)
        #expect(server.log.isEmpty)
    }

    /// What libcurl asks when a connection is ready.
    @Test func theLastLookIsAtTheSocket() async throws {
        let endpoint = HTTPEndpoint(address: "https://127.0.0.1:1")
        let address = try #require(HTTPEndpoint.Address(endpoint.address))
        let handle = try #require(EasyHandle(endpoint, address: address, isStream: false))
        let fence = NIOLockedValueBox(ContinuousClock.now + .seconds(60))
        let result: Result<HTTPAnswer, TransferFailure> = await withCheckedContinuation { continuation in
            let transfer = Transfer(
                id: 1,
                handle: handle,
                receiver: .answer(continuation),
                limits: HTTPLimits(),
                deadline: .now + .seconds(60),
                fence: { fence.withLockedValue { $0 } },
                arrivals: Transfer.Arrivals()
            )
            #expect(transfer.mayBeSent())
            fence.withLockedValue { $0 = .now }
            // The connection was dead, and libcurl would send it once more.
            #expect(!transfer.mayBeSent())
            transfer.finish(TransferFailure(reason: .unreachable, message: "", mayHaveBeenSent: false))
        }
        guard case .failure(let failure) = result else {
            Issue.record("no failure")
            return
        }
        #expect(failure.reason == .fenced)
        #expect(failure.mayHaveBeenSent)
    }
}
