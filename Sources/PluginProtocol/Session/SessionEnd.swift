/// Why a session ended; the description is one sentence for the log.
package enum SessionEnd: Error, Sendable, Equatable, CustomStringConvertible {
    /// The peer closed the connection, or it broke.
    case connectionLost
    /// No Register, or no answer to it, in time.
    case registrationTimedOut
    /// The host refused the plugin.
    case rejected(Frame.Rejected)
    /// The peer sent what it must not send.
    case protocolViolation(String)
    /// The peer did not answer a Ping.
    case pingTimedOut
    /// A newer connection of the same plugin took over.
    case replaced
    /// The peer does not read what it is sent.
    case slowReader
    /// This side drained the session.
    case drained

    package var description: String {
        switch self {
        case .connectionLost: "the connection was lost"
        case .registrationTimedOut: "registration took too long"
        case .rejected(let rejected): "the host refused the plugin: \(rejected.reason)"
        case .protocolViolation(let what): "the peer broke the protocol: \(what)"
        case .pingTimedOut: "the peer did not answer a ping"
        case .replaced: "a newer connection of the same plugin took over"
        case .slowReader: "the peer does not read what it is sent"
        case .drained: "the session was drained"
        }
    }
}
