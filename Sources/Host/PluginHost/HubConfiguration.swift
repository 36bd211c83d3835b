package import PluginProtocol

/// Where the host listens for plugins, whom it lets in, and how patient it is.
package struct HubConfiguration: Sendable {
    /// A socket to listen on.
    package struct Socket: Sendable {
        package var path: String
        /// The only plugin that may register here; nil where all share the socket.
        package var plugin: String?

        package init(path: String, plugin: String? = nil) {
            self.path = path
            self.plugin = plugin
        }
    }

    package var sockets: [Socket]
    /// Users, other than the host's own, whose processes may be plugins.
    package var allowedUsers: Set<UInt32> = []
    package var maximumConnections = 64
    package var session = SessionConfiguration()
    /// Opens that may wait for one plugin's answer.
    package var opensUnderWay = 256
    package var shortestOpenPause: Duration = .seconds(1)
    package var longestOpenPause: Duration = .seconds(30)
    /// Pause after a failure that only a person can mend; up to twice as long.
    package var hopelessOpenPause: Duration = .seconds(30)
    /// The longest that a plugin can put off the next open.
    package var longestRetryAfter: Duration = .seconds(600)
    /// Shortest time between two reports of a change of one trigger.
    package var changeSpacing: Duration = .milliseconds(10)
    /// Messages that nobody asked for, per second and plugin, before the host stops reading for a while.
    package var unsolicitedPerSecond = 1000
    /// Bytes that may wait for a plugin to read them.
    package var unreadBytes = 8 << 20

    package init(sockets: [Socket]) {
        self.sockets = sockets
    }

    package init(socketPath: String = ProtocolLimits.defaultSocketPath) {
        self.init(sockets: [Socket(path: socketPath)])
    }
}

/// Why the host cannot listen.
package struct PluginHostError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case pathTooLong
        case inUse
        case cannotListen
        case cannotStart
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}
