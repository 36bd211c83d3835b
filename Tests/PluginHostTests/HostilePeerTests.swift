import PluginHost
import PluginPeers
import PluginProtocol
import Testing

/// What a plugin does wrong costs that plugin, and nobody else.
@Suite struct HostilePeerTests {
    @Test func strangerVersionIsToldWhy() async throws {
        try await HubFixture.with { hub in
            let peer = try await RawPlugin.dial(hub.socket.path)
            let answer = try await peer.register("p", types: ["t"], versions: [42])
            guard case .rejected(let rejected) = answer else {
                Issue.record("not rejected: \(String(describing: answer))")
                return
            }
            #expect(rejected.code == .unsupported)
            #expect(rejected.reason.contains("42"))
            #expect(await peer.isClosed())
        }
    }

    @Test func peerThatNeverRegistersIsClosed() async throws {
        try await HubFixture.with({ $0.session.registrationTimeout = .milliseconds(100) }) { hub in
            let silent = try await RawPlugin.dial(hub.socket.path)
            let loris = try await RawPlugin.dial(hub.socket.path)
            loris.send(bytes: [0, 0, 1, 0, 0x12])
            #expect(await silent.isClosed())
            #expect(await loris.isClosed())
        }
    }

    @Test(
        arguments: [
            [0x7f, 0xff, 0xff, 0xff],
            [0x00, 0x00, 0x00, 0x04, 0xff, 0xff, 0xff, 0xff],
            Array("GET / HTTP/1.1\r\n\r\n".utf8),
        ] as [[UInt8]]
    )
    func garbageClosesItsConnectionOnly(_ bytes: [UInt8]) async throws {
        try await HubFixture.with { hub in
            let good = try await RawPlugin.dial(hub.socket.path)
            _ = try await good.register("good", types: ["good"])
            let bad = try await RawPlugin.dial(hub.socket.path)
            _ = try await bad.register("bad", types: ["bad"])
            let id = hub.trigger("a")
            hub.hub.set(id, revision: 1, to: hub.specification("bad"))
            #expect(await bad.next()?.body != nil)
            bad.send(bytes: bytes)
            #expect(await bad.isClosed())
            #expect(await hub.events.first { $0.failed(id) == "plugin bad is not connected" } != nil)
            #expect(try await good.isAnswered(ping: 9))
            // It may come back.
            let mark = hub.events.mark
            let again = try await RawPlugin.dial(hub.socket.path)
            _ = try await again.register("bad", types: ["bad"])
            let open = await again.next()
            try again.send(Frame(call: open?.call ?? 0, .opened(OpenedTrigger(target: 1))))
            #expect(await hub.events.first(after: mark) { $0.isOpened(id) } != nil)
        }
    }

    @Test func typeBelongsToThePluginThatCameFirst() async throws {
        try await HubFixture.with { hub in
            let first = try await RawPlugin.dial(hub.socket.path)
            _ = try await first.register("first", types: ["t"])
            let second = try await RawPlugin.dial(hub.socket.path)
            let answer = try await second.register("second", types: ["t", "u"])
            #expect(answer == .rejected(Frame.Rejected(.unsupported, "plugin first already offers trigger type t")))
            // Once the first is gone, the type is free.
            let mark = hub.events.mark
            await first.close()
            #expect(
                await hub.events.first(after: mark) {
                    if case .offers(let offers) = $0 { offers["t"]?.isConnected == false } else { false }
                } != nil
            )
            let third = try await RawPlugin.dial(hub.socket.path)
            guard case .registered = try await third.register("second", types: ["t", "u"]) else {
                Issue.record("not registered")
                return
            }
        }
    }

    @Test func secondConnectionOfALivePluginIsRefused() async throws {
        try await HubFixture.with { hub in
            let older = try await RawPlugin.dial(hub.socket.path)
            _ = try await older.register("p", types: ["t"])
            let newer = try await RawPlugin.dial(hub.socket.path)
            let answer = try await newer.register("p", types: ["t"])
            #expect(answer == .rejected(Frame.Rejected(.unavailable, "plugin p is already connected")))
            // The older one was asked for a sign of life.
            #expect(await older.next()?.body == .ping)
        }
    }

    @Test func newerConnectionReplacesAnUnresponsiveOne() async throws {
        try await HubFixture.with({ $0.session.pingTimeout = .milliseconds(400) }) { hub in
            let older = try await RawPlugin.dial(hub.socket.path, reads: true)
            _ = try await older.register("p", types: ["t"])
            let deadline = ContinuousClock.now + .seconds(10)
            var isRegistered = false
            while !isRegistered, ContinuousClock.now < deadline {
                let newer = try await RawPlugin.dial(hub.socket.path)
                if case .registered = try await newer.register("p", types: ["t"]) { isRegistered = true }
            }
            #expect(isRegistered)
            #expect(await older.isClosed())
        }
    }

    @Test func socketOfItsOwnIsForOnePluginOnly() async throws {
        let adjust: (inout HubConfiguration) -> Void = { $0.sockets[0].plugin = "mine" }
        try await HubFixture.with(adjust) { hub in
            let stranger = try await RawPlugin.dial(hub.socket.path)
            let answer = try await stranger.register("yours", types: ["t"])
            guard case .rejected(let rejected) = answer else {
                Issue.record("not rejected")
                return
            }
            #expect(rejected.code == .permissionDenied)
            let owner = try await RawPlugin.dial(hub.socket.path)
            guard case .registered = try await owner.register("mine", types: ["t"]) else {
                Issue.record("not registered")
                return
            }
        }
    }

    @Test func floodOfChangesIsOneEventAtATimeAndStarvesNobody() async throws {
        try await HubFixture.with { hub in
            let flooder = try await RawPlugin.dial(hub.socket.path)
            _ = try await flooder.register("flooder", types: ["flood"])
            let good = try await RawPlugin.dial(hub.socket.path)
            _ = try await good.register("good", types: ["good"])
            let id = hub.trigger("a")
            hub.hub.set(id, revision: 1, to: hub.specification("flood"))
            guard let open = await flooder.next(), case .open(let body) = open.body else {
                Issue.record("not opened")
                return
            }
            try flooder.send(Frame(call: open.call, .opened(OpenedTrigger(target: 1, push: .available))))
            #expect(await hub.events.first { $0.isOpened(id) } != nil)
            let begin = ContinuousClock.now
            let changed = Frame(.changed(triggers: [body.trigger, 4711]))
            for _ in 0..<20_000 {
                try flooder.send(changed)
            }
            for call in 1...50 as ClosedRange<UInt64> {
                #expect(try await good.isAnswered(ping: call))
            }
            let elapsed = begin.duration(to: .now)
            let events = hub.events.history.count { if case .changed = $0 { true } else { false } }
            #expect(events >= 1)
            // At most one per 10 ms, and one for each end.
            #expect(Double(events) <= elapsed / .milliseconds(10) + 2)
        }
    }

    @Test func peerThatDoesNotReadIsClosed() async throws {
        try await HubFixture.with({ $0.unreadBytes = 256 << 10 }) { hub in
            let peer = try await RawPlugin.dial(hub.socket.path, reads: false)
            try peer.send(
                Frame(
                    .register(
                        Frame.Register(
                            name: "p",
                            version: "",
                            triggerTypes: [TriggerTypeDeclaration(type: "t", help: "", parameters: [])]
                        )
                    )
                )
            )
            let big = String(repeating: "x", count: 200_000)
            for index in 0..<40 {
                hub.hub.set(hub.trigger("\(index)"), revision: 1, to: hub.specification("t", ["x": big]))
            }
            #expect(
                await hub.events.first {
                    if case .offers(let offers) = $0 { offers["t"]?.isConnected == false } else { false }
                } != nil
            )
        }
    }

    @Test func tooManyConnectionsAreTurnedAway() async throws {
        try await HubFixture.with({ $0.maximumConnections = 2 }) { hub in
            let first = try await RawPlugin.dial(hub.socket.path)
            _ = try await first.register("a", types: ["a"])
            let second = try await RawPlugin.dial(hub.socket.path)
            _ = try await second.register("b", types: ["b"])
            let third = try await RawPlugin.dial(hub.socket.path)
            #expect(await third.isClosed())
            #expect(try await first.isAnswered(ping: 1))
        }
    }

    @Test func parametersThatNoFrameHoldsFailTheirTriggerOnly() async throws {
        try await HubFixture.with { hub in
            let peer = try await RawPlugin.dial(hub.socket.path)
            _ = try await peer.register("p", types: ["t"])
            let big = hub.trigger("big")
            let parameters = ["x": String(repeating: "x", count: 2 << 20)]
            hub.hub.set(big, revision: 1, to: hub.specification("t", parameters))
            let failed = await hub.events.first { $0.failed(big) != nil }
            #expect(failed?.failed(big)?.contains("cannot be sent") == true)
            hub.hub.set(hub.trigger("small"), revision: 1, to: hub.specification("t"))
            guard case .open = await peer.next()?.body else {
                Issue.record("not opened")
                return
            }
        }
    }
}
