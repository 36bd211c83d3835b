internal import Logging
internal import MongoDB
internal import NIOConcurrencyHelpers
internal import PluginKit
internal import PluginProtocol

/// Counts the documents that match a query, and tells at once when there is a new one.
struct MongoDBPlugin: Plugin {
    let name = "mongodb"
    let version = "0.1.0"
    let triggerTypes = [TriggerTypeDeclaration.mongodb]

    private struct OpenTrigger {
        let settings: TriggerSettings
        let connection: Connection
    }

    /// No query runs longer, whatever the host would wait.
    private static let queryLimit = Duration.seconds(10)

    private let connections: ConnectionTable
    private let triggers = NIOLockedValueBox<[TriggerHandle: OpenTrigger]>([:])

    init(logger: Logger) {
        self.connections = ConnectionTable(logger: logger)
    }

    func open(_ trigger: TriggerRequest, changes: ChangeNotifier) async throws -> OpenedTrigger {
        let settings = try TriggerSettings(parameters: trigger.parameters)
        let connection = try self.connections.acquire(settings.connection)
        do {
            let deployment = try await self.inspect(settings, connection)
            var opened = OpenedTrigger(target: settings.target, activation: settings.activation)
            opened.metricName = "mongodb-\(settings.source.collection)"
            opened.push = deployment.push
            if opened.push == .available, !connection.watch(settings.source, for: trigger.handle, changes: changes) {
                let limit = Connection.watchedDatabases
                opened.push = .unavailable(reason: "no more than \(limit) databases of one connection are watched")
            }
            self.triggers.withLockedValue { triggers in
                triggers[trigger.handle] = OpenTrigger(settings: settings, connection: connection)
            }
            return opened
        } catch {
            self.connections.release(settings.connection)
            throw error
        }
    }

    func measure(_ requests: [MeasureRequest], report: MeasureReport) async {
        var questions = QuestionList()
        var timeout = Self.queryLimit
        var connections: [ConnectionSettings: Connection] = [:]
        let triggers = self.triggers.withLockedValue { $0 }
        for request in requests {
            guard let trigger = triggers[request.trigger] else {
                report(request.trigger, .failure(PluginFailure(.unknownTrigger, "this trigger is not open")))
                continue
            }
            timeout = min(timeout, request.timeout)
            connections[trigger.settings.connection] = trigger.connection
            questions.add(
                Question(
                    connection: trigger.settings.connection,
                    source: trigger.settings.source,
                    items: request.maximumItems > 0
                        ? Question.Items(query: trigger.settings.items, maximum: request.maximumItems) : nil
                ),
                for: request.trigger
            )
        }
        let limit = timeout
        await withTaskGroup(of: Void.self) { group in
            for (question, triggers) in questions.triggersByQuestion {
                guard let connection = connections[question.connection] else { continue }
                group.addTask {
                    let outcome = await Self.answer(question, connection, within: limit)
                    for trigger in triggers {
                        report(trigger, outcome)
                    }
                }
            }
        }
    }

    func close(_ trigger: TriggerHandle) async {
        let closed = self.triggers.withLockedValue { $0.removeValue(forKey: trigger) }
        guard let closed else { return }
        closed.connection.unwatch(closed.settings.source.database, for: trigger)
        self.connections.release(closed.settings.connection)
    }

    private static func answer(
        _ question: Question,
        _ connection: Connection,
        within limit: Duration
    ) async -> Result<Reading, PluginFailure> {
        do {
            let milliseconds = max(1, limit.milliseconds)
            return .success(
                try await withDeadline(limit) {
                    try await connection.pool.run { client throws(MongoError) in
                        try question.ask(client, within: milliseconds)
                    }
                }
            )
        } catch {
            return .failure(PluginFailure(any: error))
        }
    }

    /// Connects, and has the server look at the query without running it.
    private func inspect(_ settings: TriggerSettings, _ connection: Connection) async throws -> Deployment {
        do {
            let source = settings.source
            return try await withDeadline(Self.queryLimit) {
                try await connection.pool.run { client throws(MongoError) in
                    try Deployment.inspect(client, source)
                }
            }
        } catch {
            throw PluginFailure(any: error)
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}

extension PluginFailure {
    /// Whatever a call has thrown, as a failure.
    fileprivate init(any error: any Error) {
        switch error {
        case let failure as PluginFailure: self = failure
        case let error as MongoError: self = PluginFailure(error)
        default: self.init(.timedOut, "MongoDB did not answer in time")
        }
    }
}

/// Runs work that reacts to cancellation, and cancels it after a time.
func withDeadline<Value: Sendable>(
    _ limit: Duration,
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        defer { group.cancelAll() }
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw PluginFailure(.timedOut, "MongoDB did not answer within \(limit)")
        }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}
