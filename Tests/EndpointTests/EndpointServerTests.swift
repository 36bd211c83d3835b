import Endpoints
import NIOConcurrencyHelpers
import Testing

@Suite(.timeLimit(.minutes(2))) struct EndpointServerTests {
    private static let echo: @Sendable (EndpointRequest) async -> EndpointAnswer = { request in
        .text("\(request.method) \(request.path) \(String(decoding: request.body, as: UTF8.self))")
    }

    @Test func answersOneRequestAfterTheOtherOnOneConnection() async throws {
        try await Serving.with(answer: Self.echo) { port in
            let client = try await RawClient(port: port)
            try await client.send("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            #expect(await client.receive(until: "POST /a hello\n").contains("HTTP/1.1 200 OK"))
            // Two at once are answered in order.
            try await client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
            let text = await client.receive(until: "GET /2 \n")
            let first = try #require(text.firstRange(of: "GET /1 \n"))
            let second = try #require(text.firstRange(of: "GET /2 \n"))
            #expect(first.lowerBound < second.lowerBound)
            try await client.close()
        }
    }

    @Test func answersHeadWithoutABody() async throws {
        try await Serving.with(answer: Self.echo) { port in
            let client = try await RawClient(port: port)
            try await client.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let text = await client.receiveToTheEnd()
            #expect(text.contains("Content-Length: 9") && text.hasSuffix("\r\n\r\n(closed)"), "\(text)")
        }
    }

    @Test func asksForTheBodyOfAClientThatWaitsToBeAsked() async throws {
        try await Serving.with(answer: Self.echo) { port in
            let client = try await RawClient(port: port)
            try await client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(await client.receive(until: "\r\n\r\n").contains("100 Continue"))
            try await client.send("hi")
            #expect(await client.receive(until: "POST /a hi\n").contains("200 OK"))
            try await client.close()
        }
    }

    @Test(
        arguments: [
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n",
        ]
    )
    func refusesABodyThatIsTooLong(_ request: String) async throws {
        var limits = EndpointLimits()
        limits.body = 10
        try await Serving.with(limits: limits, answer: Self.echo) { port in
            let client = try await RawClient(port: port)
            try await client.send(request)
            let text = await client.receiveToTheEnd()
            #expect(text.contains("413") && text.contains("at most 10 bytes"), "\(text)")
        }
    }

    @Test(arguments: ["", "GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345"])
    func closesOnAClientThatNeverFinishes(_ beginning: String) async throws {
        var limits = EndpointLimits()
        limits.request = .milliseconds(100)
        try await Serving.with(limits: limits, answer: Self.echo) { port in
            let client = try await RawClient(port: port)
            try await client.send(beginning)
            #expect(await client.receiveToTheEnd() == "(closed)")
        }
    }

    @Test func closesAConnectionOnWhichNothingFollows() async throws {
        var limits = EndpointLimits()
        limits.idle = .milliseconds(100)
        try await Serving.with(limits: limits, answer: Self.echo) { port in
            let client = try await RawClient(port: port)
            try await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await client.receiveToTheEnd().hasSuffix("GET /a \n(closed)"))
        }
    }

    @Test func givesUpAnAnswerThatIsNeverMade() async throws {
        var limits = EndpointLimits()
        limits.answer = .milliseconds(100)
        let gate = Gate()
        try await Serving.with(
            limits: limits,
            answer: { _ in
                await gate.pass()
                return .notFound
            }
        ) { port in
            let client = try await RawClient(port: port)
            try await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await client.receiveToTheEnd() == "(closed)")
            gate.open()
        }
    }

    @Test(arguments: ["garbage\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "\u{0}\u{1}\u{16}\u{3}\n\n"])
    func refusesWhatIsNotHTTP(_ bytes: String) async throws {
        try await Serving.with(answer: Self.echo) { port in
            let client = try await RawClient(port: port)
            try await client.send(bytes)
            #expect(await client.receiveToTheEnd().contains("400 Bad Request"))
        }
    }

    @Test func aNewConnectionTakesThePlaceOfTheOneThatHasWaitedLongest() async throws {
        var limits = EndpointLimits()
        limits.connections = 2
        try await Serving.with(limits: limits, answer: Self.echo) { port in
            var clients: [RawClient] = []
            for number in 0..<3 {
                let client = try await RawClient(port: port)
                clients.append(client)
                try await client.send("GET /\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(await client.receive(until: "GET /\(number) \n").contains("200 OK"))
            }
            #expect(await clients[0].receiveToTheEnd().hasSuffix("(closed)"))
            try await clients[1].send("GET /again HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await clients[1].receive(until: "/again").contains("GET /again"))
            for client in clients { try await client.close() }
        }
    }

    @Test func connectionsThatWaitForAnAnswerAreNotEndedForANewOne() async throws {
        var limits = EndpointLimits()
        limits.connections = 1
        let gate = Gate()
        try await Serving.with(
            limits: limits,
            answer: { _ in
                await gate.pass()
                return .text("made")
            }
        ) { port in
            let first = try await RawClient(port: port)
            try await first.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while gate.arrivals == 0 { await Task.yield() }
            let second = try await RawClient(port: port)
            #expect(await second.receiveToTheEnd() == "(closed)")
            gate.open()
            #expect(await first.receiveToTheEnd().hasSuffix("made\n(closed)"))
        }
    }

    @Test func aStopLetsTheAnswerUnderWayGoOut() async throws {
        let gate = Gate()
        let clients = NIOLockedValueBox<Task<String, Never>?>(nil)
        try await Serving.with(answer: { _ in
            await gate.pass()
            return .text("made")
        }) { port in
            let waiting = try await RawClient(port: port)
            try await waiting.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while gate.arrivals == 0 { await Task.yield() }
            let idle = try await RawClient(port: port)
            // Goes on while the server stops, which begins when this body ends; awaited below.
            let task = Task {
                // The idle one ends when the stop begins; only then the answer is made.
                #expect(await idle.receiveToTheEnd() == "(closed)")
                gate.open()
                return await waiting.receiveToTheEnd()
            }
            clients.withLockedValue { $0 = task }
        }
        let all = try #require(await clients.withLockedValue { $0 }?.value)
        #expect(all.contains("Connection: close") && all.hasSuffix("made\n(closed)"), "\(all)")
    }

    @Test func saysThatAnAddressIsTaken() async throws {
        try await Serving.with(answer: Self.echo) { port in
            let address = BindAddress(host: "127.0.0.1", port: port)
            let second = EndpointServer("probes", at: address, logger: .quiet, answer: Self.echo)
            let error = await #expect(throws: EndpointError.self) { try await second.run() }
            #expect(
                error?.message == "cannot listen for probes at 127.0.0.1:\(port): the address is in use; "
                    + "choose another, or 0 for none"
            )
        }
    }
}
