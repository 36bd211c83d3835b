internal import Logging
internal import NIOCore
internal import NIOPosix
internal import PluginProtocol

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A plugin that is a program of its own: mark the type with `@main`.
///
/// The environment configures it: `SLUICE_HOST_SOCKET`, and `SLUICE_LOG_LEVEL` (`info` unless it is set).
public protocol PluginProgram: Plugin {
    /// Creates the plugin; called once, after logging is set up.
    init() async throws
}

extension PluginProgram {
    /// Runs the plugin until SIGTERM or SIGINT.
    @concurrent
    public static func main() async {
        await PluginRunner.main { try await Self() }
    }
}

extension PluginRunner {
    /// Sets up logging to standard error, makes a plugin and runs it until SIGTERM or SIGINT.
    ///
    /// The whole program where `PluginProgram` does not fit; ends the process with 1 when the plugin cannot be made or run.
    public static func main(_ makePlugin: () async throws -> any Plugin) async {
        let level = PluginConfiguration.variable("SLUICE_LOG_LEVEL").flatMap(Logger.Level.init(rawValue:)) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let interval = TimeAmount(ResidentMemory.releaseInterval)
        Self.eventLoops.next().scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            ResidentMemory.release()
        }
        do {
            try await PluginRunner(plugin: try await makePlugin()).run()
        } catch {
            let text = (error as? PluginFailure)?.message ?? "an error of type \(type(of: error))"
            Logger(label: "sluice.plugin").critical("the plugin cannot run", metadata: ["error": "\(text)"])
            exit(1)
        }
    }
}
