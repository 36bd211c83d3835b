import ClusterTestSupport
import FoundationEssentials
import Glibc
import Servers
import Testing

@testable import HTTP
@testable import Kubernetes

/// The client against servers that misbehave on purpose.
@Suite struct APIServerClientTests {
    private let create = APIRequest(.create, .jobs, namespace: "n", body: Array("{}".utf8), timeout: .seconds(5))
    private let get = APIRequest(.get, .jobs, namespace: "n", name: "a b/c", timeout: .seconds(5))

    private func client(
        _ address: String,
        credentials: any CredentialSource = FixedCredential(Credential()),
        _ change: (inout HTTPEndpoint) -> Void = { _ in }
    ) throws -> APIServerClient {
        var endpoint = HTTPEndpoint(address: address)
        endpoint.allowsPlainHTTP = true
        change(&endpoint)
        return try APIServerClient(endpoint, credentials: credentials)
    }

    private func failure(_ body: () async throws -> Void) async throws -> KubernetesError {
        do {
            try await body()
        } catch let error as KubernetesError {
            return error
        }
        throw Unexpected()
    }

    private struct Unexpected: Error {}

    @Test func requestsNameResourceAndQueryEncoded() async throws {
        let server = try ScriptedServer { _ in ScriptedServer.ok("{}") }
        defer { server.stop() }
        var request = self.get
        request.subresource = "status"
        request.query = [QueryItem("labelSelector", "a=b,c in (d)")]
        #expect(try await self.client(server.address + "/prefix").send(request) == Array("{}".utf8))
        #expect(
            server.log[0].line
                == "GET /prefix/apis/batch/v1/namespaces/n/jobs/a%20b%2Fc/status?labelSelector=a%3Db%2Cc%20in%20%28d%29 HTTP/1.1"
        )
    }

    @Test func aWriteToAServerThatNeverAnswersMayHaveHappened() async throws {
        let server = try ScriptedServer { _ in .silence }
        defer { server.stop() }
        var request = self.create
        request.timeout = .milliseconds(300)
        let client = try self.client(server.address)
        let error = try await self.failure { _ = try await client.send(request) }
        #expect(error.code == .timedOut)
        #expect(error.mayHaveHappened)
        request.verb = .watch
        let late = try await self.failure { _ = try await client.watch(request) }
        #expect(late.code == .timedOut)
        #expect(!late.mayHaveHappened)
    }

    @Test func aCallThatWaitsForAConnectionStillEndsInTime() async throws {
        let server = try ScriptedServer { _ in .silence }
        defer { server.stop() }
        let client = try self.client(server.address) { $0.limits.connections = 1 }
        var long = self.get
        long.timeout = .seconds(60)
        let busy = Task { [long] in try await client.send(long) }
        defer { busy.cancel() }
        try await eventually { server.log.count == 1 }
        var request = self.create
        request.timeout = .milliseconds(300)
        let start = ContinuousClock.now
        let error = try await self.failure { _ = try await client.send(request) }
        #expect(error.code == .timedOut)
        #expect(!error.mayHaveHappened)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func neitherWatchesNorCallsKeepOthersOrTheLeaseWaiting() async throws {
        let server = try ScriptedServer { request in
            if request.line.contains("watch=true") {
                return .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n")
            }
            return request.line.contains("/jobs/busy") ? .silence : ScriptedServer.ok("{}")
        }
        defer { server.stop() }
        let client = try self.client(server.address) { $0.limits.connections = 1 }
        let watch = try await client.watch(APIRequest(.watch, .jobs, timeout: .seconds(5)))
        _ = try await client.send(self.get)
        var call = self.get
        call.name = "busy"
        call.timeout = .seconds(60)
        let busy = Task { [call] in try await client.send(call) }
        defer { busy.cancel() }
        try await eventually { server.log.count == 3 }
        let renewal = APIRequest(
            .get,
            .leases,
            namespace: "n",
            name: "l",
            timeout: .seconds(20),
            lane: .lease
        )
        _ = try await client.send(renewal)
        withExtendedLifetime(watch) {}
    }

    @Test func aStreamThatIsRefusedWithoutAnEndIsGivenUp() async throws {
        let server = try ScriptedServer { _ in
            .text("HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n")
        }
        defer { server.stop() }
        let client = try self.client(server.address)
        let watch = APIRequest(.watch, .jobs, timeout: .milliseconds(300))
        let error = try await self.failure { _ = try await client.watch(watch) }
        #expect(error.code == .timedOut)
    }

    @Test func aCallAndItsRepetitionShareOneTimeout() async throws {
        /// A program that is slower than any call waits.
        struct SlowProgram: CredentialSource {
            let program: ExecCredential

            func credential(by _: ContinuousClock.Instant) async throws(KubernetesError) -> Credential { Credential() }

            func credential(
                afterRefusalOf _: Credential,
                by deadline: ContinuousClock.Instant
            ) async throws(KubernetesError) -> Credential {
                try await self.program.credential(by: deadline)
            }
        }
        let server = try ScriptedServer { _ in ScriptedServer.ok("", "401 Unauthorized") }
        defer { server.stop() }
        let sleep = ExecCredential.Command(apiVersion: "v1", command: "/bin/sleep", arguments: ["20"])
        let client = try self.client(server.address, credentials: SlowProgram(program: ExecCredential(sleep)))
        var request = self.get
        request.timeout = .milliseconds(400)
        let error = try await self.failure { _ = try await client.send(request) }
        // Not what the program comes to in the end.
        #expect(error.code == .timedOut)
    }

    @Test func aRefusedConnectionCannotHaveHappened() async throws {
        let server = try ScriptedServer { _ in .hangUp }
        let address = server.address
        server.stop()
        let client = try self.client(address)
        let error = try await self.failure { _ = try await client.send(self.create) }
        #expect(error.code == .unreachable)
        #expect(!error.mayHaveHappened)
        #expect(error.message.contains("connect"))
    }

    @Test func aTLSServerThatNeverShakesHandsCannotHaveHappened() async throws {
        let server = try ScriptedServer { _ in .silence }
        defer { server.stop() }
        var request = self.create
        request.timeout = .milliseconds(300)
        let client = try self.client("https://127.0.0.1:\(server.port)")
        let error = try await self.failure { _ = try await client.send(request) }
        #expect(error.code == .timedOut)
        #expect(!error.mayHaveHappened)
    }

    @Test func aConnectionThatEndsInsteadOfAnAnswerMayHaveHappened() async throws {
        let server = try ScriptedServer { _ in .hangUp }
        defer { server.stop() }
        let client = try self.client(server.address)
        let error = try await self.failure { _ = try await client.send(self.create) }
        #expect(error.code == .unreachable)
        #expect(error.mayHaveHappened)
    }

    @Test(arguments: [
        (400, "", KubernetesError.Code.invalid, KubernetesError.Retry.never, false),
        (403, "", .forbidden, .never, false),
        (404, "", .notFound, .never, false),
        (409, #"{"reason":"AlreadyExists"}"#, .alreadyExists, .never, false),
        (409, #"{"reason":"Conflict"}"#, .conflict, .now, false),
        (410, "", .expired, .relist, false),
        (422, "", .invalid, .never, false),
        (429, #"{"details":{"retryAfterSeconds":3}}"#, .throttled, .after(.seconds(3)), false),
        (500, "<html>", .serverError, .after(.seconds(1)), true),
        (503, "", .serverError, .after(.seconds(1)), true),
        (504, "", .timedOut, .after(.seconds(1)), true),
        (301, "", .malformed, .never, true),
    ])
    func answersBecomeErrors(
        _ status: Int,
        _ body: String,
        _ code: KubernetesError.Code,
        _ retry: KubernetesError.Retry,
        _ mayHaveHappened: Bool
    ) async throws {
        let server = try ScriptedServer { _ in
            ScriptedServer.ok(body, "\(status) X", headers: ["Location: /elsewhere"])
        }
        defer { server.stop() }
        let client = try self.client(server.address)
        let error = try await self.failure { _ = try await client.send(self.create) }
        #expect(error.code == code)
        #expect(error.retry == retry)
        #expect(error.mayHaveHappened == mayHaveHappened)
        #expect(error.status == status)
    }

    @Test func theServersMessageAndPauseAreKept() async throws {
        let server = try ScriptedServer { _ in
            ScriptedServer.ok(#"{"kind":"Status","message":"quota is used up"}"#, "429 X", headers: ["Retry-After: 9"])
        }
        defer { server.stop() }
        let client = try self.client(server.address)
        let error = try await self.failure { _ = try await client.send(self.create) }
        #expect(error.message == "quota is used up")
        #expect(error.retry == .after(.seconds(9)))
    }

    @Test func answersAndLinesHaveLimits() async throws {
        let server = try ScriptedServer { _ in .flood(String(repeating: "x", count: 1000)) }
        defer { server.stop() }
        let client = try self.client(server.address) {
            $0.limits.answerBytes = 10_000
            $0.limits.lineBytes = 10_000
        }
        let answer = try await self.failure { _ = try await client.send(self.get) }
        #expect(answer.code == .malformed)
        let lines = try await client.watch(APIRequest(.watch, .jobs))
        let line = try await self.failure { for try await _ in lines {} }
        #expect(line.code == .malformed)
    }

    @Test func aCancelledCallEndsAtOnce() async throws {
        let server = try ScriptedServer { _ in .silence }
        defer { server.stop() }
        let client = try self.client(server.address)
        for isEarly in [true, false] {
            let before = server.log.count
            let task = Task { try await client.send(self.create) }
            if !isEarly { try await eventually { server.log.count > before } }
            task.cancel()
            let error = try await self.failure { _ = try await task.value }
            #expect(error.code == .cancelled)
        }
    }

    @Test func aCancelledReaderAndADroppedStreamCloseTheWatch() async throws {
        let server = try ScriptedServer { request in
            request.number == 0
                ? .flood("{}\n") : .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n")
        }
        defer { server.stop() }
        let client = try self.client(server.address)
        var flood: WatchStream? = try await client.watch(APIRequest(.watch, .jobs))
        withExtendedLifetime(flood) {}
        flood = nil
        try await eventually { server.endedFloods == 1 }
        let quiet = try await client.watch(APIRequest(.watch, .jobs))
        let task = Task {
            var count = 0
            for try await _ in quiet { count += 1 }
            return count
        }
        try await eventually { server.log.count == 2 }
        task.cancel()
        let error = try await self.failure { _ = try await task.value }
        #expect(error.code == .cancelled)
    }

    @Test func aReaderThatFallsBehindKeepsItsLinesAndLosesTheConnection() async throws {
        let line = #"{"type":"ADDED"}"# + String(repeating: " ", count: 1000) + "\n"
        let server = try ScriptedServer { _ in .flood(line) }
        defer { server.stop() }
        let client = try self.client(server.address) { $0.limits.bufferedBytes = 1 << 20 }
        let lines = try await client.watch(APIRequest(.watch, .jobs))
        try await eventually { server.endedFloods == 1 }
        var bytes = 0
        for try await line in lines { bytes += line.count }
        #expect(bytes > 1 << 20)
        #expect(bytes < 2 << 20)
    }

    @Test func aRotatedTokenIsReadAgainAfterARefusal() async throws {
        let path = "/tmp/sluice-token-\(UInt64.random(in: 0...UInt64.max))"
        defer { unlink(path) }
        try Data("old\n".utf8).write(to: URL(filePath: path))
        let server = try ScriptedServer { request in
            request.head.contains("Authorization: Bearer new\r\n")
                ? ScriptedServer.ok("{}") : ScriptedServer.ok("", "401 Unauthorized")
        }
        defer { server.stop() }
        let client = try self.client(server.address, credentials: try TokenFile(path))
        let error = try await self.failure { _ = try await client.send(self.get) }
        #expect(error.code == .unauthorized)
        #expect(server.log.count == 1)
        try Data("new\n".utf8).write(to: URL(filePath: path))
        _ = try await client.send(self.get)
        _ = try await client.send(self.get)
        #expect(server.log.count == 4)
        #expect(!"\(error)".contains("old"))
    }

    @Test func aCreateOnAConnectionThatDiedIdleIsSentAgain() async throws {
        // HTTP/1.1: the server answers once per connection and then hangs up without saying so.
        let server = try ScriptedServer { request in request.number == 1 ? .hangUp : ScriptedServer.ok("{}") }
        defer { server.stop() }
        let client = try self.client(server.address)
        _ = try await client.send(self.get)
        _ = try await client.send(self.create)
        #expect(server.log.count == 3)
    }
}

/// Waits until the claim holds, at most ten seconds.
func eventually(_ claim: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while try await !claim() {
        guard ContinuousClock.now < deadline else { throw TimedOut() }
        try await Task.sleep(for: .milliseconds(10))
    }
}

struct TimedOut: Error {}
