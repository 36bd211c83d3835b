import Foundation
import Logging
import PluginHost
import PluginPeers
import PluginProtocol
import Subprocess
import SystemPackage
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// A real plugin process, and what can happen to it.
@Suite struct PluginProcessTests {
    @Test func stoppedPluginBecomesUnknownAndComesBack() async throws {
        let adjust: (inout HubConfiguration) -> Void = {
            $0.session.measureTimeout = .seconds(2)
            $0.session.pingInterval = .seconds(2)
            $0.session.pingTimeout = .seconds(4)
        }
        try await HubFixture.with(adjust) { hub in
            try await hub.withScriptedPlugin { process in
                let id = hub.trigger("a")
                #expect(await hub.open(id, "scripted", ["value": "4"]))
                #expect(await hub.measure(id)?.waiting(of: id) == 4)
                #expect(kill(process.value, SIGSTOP) == 0)
                defer { kill(process.value, SIGCONT) }
                try await Self.hasStopped(process.value)
                #expect(await hub.measure(id)?.unknown(of: id)?.contains("did not answer in time") == true)
                #expect(await hub.events.first { $0.failed(id) == "plugin scripted is not connected" } != nil)
                let mark = hub.events.mark
                #expect(kill(process.value, SIGCONT) == 0)
                #expect(await hub.events.first(after: mark) { $0.isOpened(id) } != nil)
                #expect(await hub.measure(id)?.waiting(of: id) == 4)
            }
        }
    }

    /// Waits until all threads of a process stand still: `kill` returns before they do.
    private static func hasStopped(_ process: pid_t) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
            let states = threads.map { thread in
                let stat = (try? String(contentsOfFile: "/proc/\(process)/task/\(thread)/stat", encoding: .utf8)) ?? ""
                return stat.split(separator: ")").last?.first { $0 != " " }
            }
            if states.allSatisfy({ $0 == "T" }) { return }
            try #require(ContinuousClock.now < deadline, "the process goes on")
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    @Test func hangingTriggerIsUnknownInTimeAndHurtsNoOther() async throws {
        try await HubFixture.with({ $0.session.measureTimeout = .seconds(2) }) { hub in
            try await hub.withScriptedPlugin { _ in
                let (hanging, healthy) = (hub.trigger("hanging"), hub.trigger("healthy"))
                #expect(await hub.open(hanging, "scripted", ["behaviour": "hang"]))
                #expect(await hub.open(healthy, "scripted", ["value": "2"]))
                for _ in 0..<2 {
                    let mark = hub.events.mark
                    hub.hub.measure([hanging, healthy])
                    #expect(await hub.events.first(after: mark) { $0.waiting(of: healthy) == 2 } != nil)
                    #expect(await hub.events.first(after: mark) { $0.unknown(of: hanging) != nil } != nil)
                }
            }
        }
    }

    @Test func blockedProcessOpensTheBreakerAndIsDropped() async throws {
        let adjust: (inout HubConfiguration) -> Void = {
            $0.session.measureTimeout = .milliseconds(100)
            $0.session.pingInterval = .seconds(4)
            $0.session.pingTimeout = .seconds(4)
        }
        try await HubFixture.with(adjust) { hub in
            try await hub.withScriptedPlugin { process in
                let id = hub.trigger("a")
                #expect(await hub.open(id, "scripted", ["behaviour": "block"]))
                for _ in 0..<3 {
                    #expect(await hub.measure(id)?.unknown(of: id)?.contains("in time") == true)
                }
                #expect(await hub.measure(id)?.unknown(of: id)?.contains("has not answered for a while") == true)
                #expect(await hub.events.first { $0.failed(id) == "plugin scripted is not connected" } != nil)
                kill(process.value, SIGKILL)
            }
        }
    }

    @Test func crashIsKnownAtOnce() async throws {
        try await HubFixture.with { hub in
            try await hub.withScriptedPlugin { _ in
                let id = hub.trigger("a")
                #expect(await hub.open(id, "scripted", ["behaviour": "crash"]))
                let begin = ContinuousClock.now
                #expect(await hub.measure(id)?.unknown(of: id)?.contains("went away") == true)
                #expect(begin.duration(to: .now) < .seconds(5))
            }
        }
    }

    @Test func errorsOfAPluginKeepTheirTextToThemselves() async throws {
        try await HubFixture.with { hub in
            try await hub.withScriptedPlugin { _ in
                let (leak, invalid) = (hub.trigger("leak"), hub.trigger("invalid"))
                hub.hub.set(leak, revision: 1, to: hub.specification("scripted", ["behaviour": "leak"]))
                hub.hub.set(invalid, revision: 1, to: hub.specification("scripted", ["behaviour": "invalid"]))
                let leaked = await hub.events.first { $0.failed(leak)?.contains("error of type") == true }
                #expect(leaked?.failed(leak)?.contains("hunter2") == false)
                let event = await hub.events.first { $0.failed(invalid)?.contains("behaviour is invalid") == true }
                guard case .failed(_, revision: 1, let failure) = event else {
                    Issue.record("not failed")
                    return
                }
                #expect(failure.code == .invalidParameter)
                #expect(failure.parameter == "behaviour")
            }
        }
    }

    @Test func startOrderDoesNotMatterAndHostsMayChange() async throws {
        let socket = TemporarySocket()
        defer { socket.remove() }
        try await runScriptedPlugin(on: socket) { _ in
            for _ in 0..<2 {
                try await HubFixture.with(socket) { hub in
                    let id = hub.trigger("a")
                    #expect(await hub.open(id, "scripted", ["value": "3"]))
                    #expect(await hub.measure(id)?.waiting(of: id) == 3)
                }
            }
        }
    }

    @Test func terminatedPluginDrainsAndExitsCleanly() async throws {
        try await HubFixture.with { hub in
            let result = try await Subprocess.run(
                .path(FilePath(builtExecutable("ScriptedPlugin"))),
                environment: .inherit.updating(["SLUICE_HOST_SOCKET": hub.socket.path, "SLUICE_LOG_LEVEL": "error"]),
                input: .none,
                output: .discarded,
                error: .currentStandardError
            ) { execution in
                let id = hub.trigger("a")
                #expect(await hub.open(id, "scripted"))
                #expect(kill(execution.processIdentifier.value, SIGTERM) == 0)
                #expect(await hub.events.first { $0.failed(id) == "plugin scripted is shutting down" } != nil)
            }
            #expect(result.terminationStatus == .exited(0))
        }
    }

    @Test func supervisorStartsACrashedPluginAgain() async throws {
        try await HubFixture.with { hub in
            let supervisor = PluginSupervisor(
                executable: .init(
                    name: "scripted",
                    path: builtExecutable("ScriptedPlugin"),
                    environment: ["SCRIPTED_NAME": "supervised", "SCRIPTED_TYPE": "supervised"]
                ),
                socketPath: hub.socket.path,
                logger: .quiet
            )
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await supervisor.run() }
                let (crashing, healthy) = (hub.trigger("crashing"), hub.trigger("healthy"))
                #expect(await hub.open(healthy, "supervised", ["value": "6"]))
                #expect(await hub.open(crashing, "supervised", ["behaviour": "crash"]))
                hub.hub.measure([crashing])
                let mark = hub.events.mark
                #expect(await hub.events.first(after: mark) { $0.failed(healthy) != nil } != nil)
                #expect(await hub.events.first(after: mark) { $0.isOpened(healthy) } != nil)
                #expect(await hub.measure(healthy)?.waiting(of: healthy) == 6)
                group.cancelAll()
            }
            // The supervisor returned, so the plugin has ended.
            #expect(await hub.events.first { $0.failed(hub.trigger("healthy")) != nil } != nil)
        }
    }

    @Test func supervisedPluginGetsOnlyTheAllowedEnvironment() {
        let supervisor = PluginSupervisor(
            executable: .init(name: "p", path: "/p", environment: ["OWN": "1"]),
            socketPath: "/s",
            logger: .quiet
        )
        let environment = supervisor.environment(of: ["PATH": "/bin", "KUBERNETES_TOKEN": "secret", "TZ": "UTC"])
        #expect(
            environment == [
                "PATH": "/bin", "TZ": "UTC", "OWN": "1", "SLUICE_HOST_SOCKET": "/s",
                "SLUICE_EXIT_WITH_PARENT": "\(getpid())",
            ]
        )
    }

    @Test func pluginEndsWhenItsHostIsKilled() async throws {
        try await HubFixture.with { hub in
            // A shell stands for the host: it starts the plugin as its child and is killed without a chance to clean up.
            let script = "SLUICE_EXIT_WITH_PARENT=$$ \"$0\" & wait"
            _ = try await Subprocess.run(
                .name("sh"),
                arguments: ["-c", script, builtExecutable("ScriptedPlugin")],
                environment: .inherit.updating(["SLUICE_HOST_SOCKET": hub.socket.path, "SLUICE_LOG_LEVEL": "error"]),
                input: .none,
                output: .discarded,
                error: .discarded
            ) { execution in
                let id = hub.trigger("a")
                #expect(await hub.open(id, "scripted"))
                #expect(kill(execution.processIdentifier.value, SIGKILL) == 0)
                #expect(await hub.events.first { $0.failed(id) != nil } != nil)
            }
        }
    }
}
