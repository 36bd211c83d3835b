internal import Logging
internal import NIOConcurrencyHelpers
internal import PluginProtocol

/// The connections in use, one for each distinct settings, counted by the triggers on them.
struct ConnectionTable: Sendable {
    private struct Entry {
        let connection: Connection
        var users = 0
    }

    private let entries = NIOLockedValueBox<[ConnectionSettings: Entry]>([:])
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Finds or makes a connection; give it back by ``release(_:)``, once.
    func acquire(_ settings: ConnectionSettings) throws(PluginFailure) -> Connection {
        let result: Result<Connection, PluginFailure> = self.entries.withLockedValue { entries in
            do throws(PluginFailure) {
                if entries[settings] == nil {
                    entries[settings] = Entry(connection: try Connection(settings, logger: self.logger))
                }
                entries[settings]?.users += 1
                guard let entry = entries[settings] else { throw PluginFailure(.internal, "no connection") }
                return .success(entry.connection)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Ends a connection when nobody uses it any more.
    func release(_ settings: ConnectionSettings) {
        let last: Connection? = self.entries.withLockedValue { entries in
            guard var entry = entries.removeValue(forKey: settings) else { return nil }
            entry.users -= 1
            guard entry.users > 0 else { return entry.connection }
            entries[settings] = entry
            return nil
        }
        // Let go outside of the lock.
        _ = last
    }
}
