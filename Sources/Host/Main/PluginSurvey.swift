import Controller
import Logging
import PluginHost

/// Asks plugins for the trigger types that they offer, without opening any trigger.
struct PluginSurvey: Sendable {
    let executables: PluginExecutables
    let named: [PluginSupervisor.Executable]
    let logger: Logger

    /// What the plugins said.
    struct Outcome {
        var offers: [String: TriggerTypeOffer] = [:]
        var answers = PluginAnswers()
        /// Whether there was a plugin to ask.
        var hasAsked = false
    }

    /// Asks those that were named and those of the types; where a type has none, every other one as well.
    func ask(types: Set<String>) async throws -> Outcome {
        let own = types.filter { self.executables.find(type: $0) != nil }
        var wanted = self.named + own.sorted().compactMap(self.executables.find)
        if own.count < types.count { wanted += self.executables.installed() }
        var names: Set<String> = []
        wanted = wanted.filter { names.insert($0.name).inserted }
        guard !wanted.isEmpty else { return Outcome() }
        let offers = try await self.offers(of: wanted.map(Self.quietly), types: types)
        return Outcome(
            offers: offers,
            answers: PluginAnswers(silent: own.filter { offers[$0] == nil }),
            hasAsked: true
        )
    }

    /// The offers once all the types are there, or after a while whatever is.
    private func offers(
        of wanted: [PluginSupervisor.Executable],
        types: Set<String>,
        timeout: Duration = .seconds(5)
    ) async throws -> [String: TriggerTypeOffer] {
        let socket = try TemporarySocket()
        defer { socket.remove() }
        var quiet = self.logger
        quiet.logLevel = .error
        let hub = PluginHub(configuration: HubConfiguration(socketPath: socket.path), logger: quiet)
        return try await withThrowingTaskGroup(of: [String: TriggerTypeOffer]?.self) { group in
            group.addTask {
                try await hub.run()
                return nil
            }
            for executable in wanted {
                group.addTask {
                    await PluginSupervisor(executable: executable, socketPath: socket.path, logger: self.logger).run()
                    return nil
                }
            }
            group.addTask { await Self.wait(for: types, count: wanted.count, at: hub, timeout: timeout) }
            var result: [String: TriggerTypeOffer]?
            while result == nil, let next = try await group.next() { result = next }
            group.cancelAll()
            return result ?? [:]
        }
    }

    /// Coming and going is all that the plugin does here, and nobody wants to read that.
    private static func quietly(_ executable: PluginSupervisor.Executable) -> PluginSupervisor.Executable {
        var executable = executable
        executable.environment["SLUICE_LOG_LEVEL"] = "error"
        return executable
    }

    private static func wait(
        for types: Set<String>,
        count: Int,
        at hub: PluginHub,
        timeout: Duration
    ) async -> [String: TriggerTypeOffer] {
        await withTaskGroup(of: [String: TriggerTypeOffer]?.self) { group in
            group.addTask {
                var latest: [String: TriggerTypeOffer] = [:]
                for await event in hub.events {
                    guard case .offers(let offers) = event else { continue }
                    latest = offers
                    let isComplete = Set(offers.values.map(\.plugin)).count >= count
                    if types.isSubset(of: offers.keys) || isComplete { return offers }
                }
                return latest
            }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            let first = await group.next()
            group.cancelAll()
            if let offers = first ?? nil { return offers }
            return await group.next().flatMap { $0 } ?? [:]
        }
    }
}
