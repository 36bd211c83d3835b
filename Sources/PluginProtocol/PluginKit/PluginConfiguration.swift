internal import PluginProtocol

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// How a plugin finds its host and how patient it is.
public struct PluginConfiguration: Sendable {
    /// The path of the host's socket.
    public var socketPath: String
    /// How long the calls under way may take after SIGTERM.
    public var drainTimeout: Duration = .seconds(10)
    /// Within this the host must answer Register.
    public var registrationTimeout: Duration = .seconds(5)
    /// The most calls under way at once; further ones fail as overloaded.
    public var maximumCalls = 1024
    /// The longest pause between two attempts to connect.
    public var longestConnectPause: Duration = .seconds(1)
    /// The longest pause after the host refused the plugin or dropped it soon.
    public var longestRefusedPause: Duration = .seconds(5)
    /// Whether SIGTERM and SIGINT drain the plugin.
    public var handlesSignals = true
    /// The process that started the plugin, when the plugin must end with it.
    public var parent: Int32?

    /// Creates a configuration for the host that listens there.
    public init(socketPath: String) {
        self.socketPath = socketPath
    }

    /// The configuration that the environment asks for: `SLUICE_HOST_SOCKET` and `SLUICE_EXIT_WITH_PARENT`.
    public static func fromEnvironment() -> PluginConfiguration {
        var configuration = PluginConfiguration(
            socketPath: Self.variable(ProtocolLimits.socketPathVariable) ?? ProtocolLimits.defaultSocketPath
        )
        configuration.parent = Self.variable(ProtocolLimits.exitWithParentVariable).flatMap { Int32($0) }
        return configuration
    }

    static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}
