internal import Logging
internal import MongoDB
internal import NIOConcurrencyHelpers
internal import PluginKit
internal import PluginProtocol

/// What all triggers with equal settings share: connections, threads, change streams.
final class Connection: Sendable {
    /// The most databases that are watched for changes: each holds a connection.
    static let watchedDatabases = 4

    let pool: MongoPool
    private let files: [SecretFile]
    private let logger: Logger
    private let watchers = NIOLockedValueBox<[String: DatabaseWatcher]>([:])

    init(_ settings: ConnectionSettings, logger: Logger) throws(PluginFailure) {
        var files: [SecretFile] = []
        func path(_ text: String?) throws(PluginFailure) -> String? {
            guard let text else { return nil }
            guard let file = SecretFile(text) else { throw PluginFailure(.overloaded, "no room for TLS material") }
            files.append(file)
            return file.path
        }
        var configuration = MongoPool.Configuration(uri: settings.uri)
        configuration.longHolders = Self.watchedDatabases
        if let tls = settings.tls {
            let pair = tls.certificate.flatMap { certificate in tls.key.map { "\(certificate)\n\($0)\n" } }
            configuration.tls = MongoPool.TLSFiles(
                certificateAndKey: try path(pair),
                keyPassword: tls.keyPassword,
                authorities: try path(tls.authorities)
            )
        }
        self.files = files
        self.pool = MongoPool(configuration)
        self.logger = logger
    }

    /// Has a trigger told about changes.
    ///
    /// - Returns: False when too many databases are watched already.
    func watch(_ source: TriggerSettings.Source, for trigger: TriggerHandle, changes: ChangeNotifier) -> Bool {
        self.watchers.withLockedValue { watchers in
            if watchers[source.database] == nil {
                guard watchers.count < Self.watchedDatabases else { return false }
                watchers[source.database] = DatabaseWatcher(
                    database: source.database,
                    pool: self.pool,
                    logger: self.logger
                )
            }
            watchers[source.database]?.add(trigger, source: source, changes: changes)
            return true
        }
    }

    /// Has a trigger no longer told.
    func unwatch(_ database: String, for trigger: TriggerHandle) {
        self.watchers.withLockedValue { watchers in
            if watchers[database]?.remove(trigger) == true {
                watchers[database] = nil
            }
        }
    }
}
