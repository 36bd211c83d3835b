import Logging
import PluginHost

/// Asks plugins for the trigger types that they offer, without opening any trigger.
struct PluginSurvey: Sendable {
    let executables: PluginExecutables
    let named: [PluginSupervisor.Executable]
    let logger: Logger

    /// The offers once all the types are there, or after a while whatever is.
    func offers(types: Set<String>, timeout: Duration = .seconds(5)) async throws -> [String: TriggerTypeOffer] {
        let wanted = (self.named + types.sorted().compactMap(self.executables.find)).map(Self.quietly)
        guard !wanted.isEmpty else { return [:] }
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
