/// The numbers of the protocol; `docs/protocol.md` states the same ones.
package enum ProtocolLimits {
    /// Protocol versions that this code speaks, lowest first.
    package static let versions: [UInt32] = [1]
    /// The longest frame, not counting its length.
    package static let frameBytes = 1 << 20
    /// Memory that the tree of one message may take while it is decoded or encoded.
    package static let messageMemoryBytes = 16 << 20
    /// The longest message of a failure, in bytes of UTF-8.
    package static let failureMessageBytes = 1024
    /// The longest payload of an item.
    package static let itemPayloadBytes = 4096
    /// The longest key of an item.
    package static let itemKeyBytes = 1024
    /// The most items that a host asks for in one reading.
    package static let itemsPerReading = 512
    /// The longest name of a plugin, trigger type or parameter.
    package static let nameBytes = 63
    /// The longest name of a parameter, which may come from a manifest of old.
    package static let parameterNameBytes = 253
    /// The longest name of a trigger's metric.
    package static let metricNameBytes = 253
    /// The most trigger types that one plugin may offer.
    package static let triggerTypes = 256
    /// The most parameters of one trigger type.
    package static let parameters = 256
    /// The longest path of a Unix domain socket, without its final NUL.
    package static let socketPathBytes = 107
    /// Where the host listens unless it is told otherwise.
    package static let defaultSocketPath = "/run/sluice/host.sock"
    /// Names the environment variable that holds the path of the host's socket.
    package static let socketPathVariable = "SLUICE_HOST_SOCKET"
    /// Names the environment variable that holds the number of the process that a plugin must end with.
    package static let exitWithParentVariable = "SLUICE_EXIT_WITH_PARENT"
}
