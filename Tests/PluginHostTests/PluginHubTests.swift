import PluginHost
import PluginPeers
import PluginProtocol
import Subprocess
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct PluginHubTests {
    @Test func realPluginProcessIsOpenedMeasuredAndPushes() async throws {
        try await HubFixture.with { hub in
            let file = hub.socket.write("7", to: "backlog")
            let id = hub.trigger("a")
            hub.hub.set(id, revision: 3, to: hub.specification("scripted", ["file": file, "target": "5"]))
            try await hub.withScriptedPlugin { process in
                let opened = await hub.events.first { $0.isOpened(id) }
                guard case .opened(_, revision: 3, let trigger) = opened else {
                    Issue.record("not opened")
                    return
                }
                #expect(trigger.target == 5)
                #expect(trigger.counts == .untilFinished)
                #expect(trigger.push == .available)
                #expect(await hub.measure(id)?.waiting(of: id) == 7)
                hub.socket.write("8.5", to: "backlog")
                #expect(await hub.measure(id)?.waiting(of: id) == 8.5)

                let mark = hub.events.mark
                #expect(kill(process.value, SIGUSR1) == 0)
                let changed = await hub.events.first(after: mark) { if case .changed(id) = $0 { true } else { false } }
                #expect(changed != nil)
            }
            #expect(await hub.events.first { $0.failed(id) == "plugin scripted is shutting down" } != nil)
            #expect(await hub.measure(id)?.unknown(of: id) == "plugin scripted is not connected")
        }
    }
}
