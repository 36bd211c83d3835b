import Logging
import MongoDB
import MongoTestServer
import NIOConcurrencyHelpers
import PluginKit
import PluginProtocol
import Testing

@testable import MongoDBPlugin

/// A plugin with some open triggers, called as the kit calls it.
struct PluginFixture: Sendable {
    let plugin = MongoDBPlugin(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    private let numbers = NIOLockedValueBox<UInt64>(0)

    /// The parameters of a trigger on a server.
    static func parameters(
        _ server: MongoTestServer,
        _ database: String,
        query: String = #"{"state":"waiting"}"#,
        collection: String = "videos"
    ) -> [String: String] {
        [
            "connectionString": server.uri(), "dbName": database, "collection": collection, "query": query,
            "queryValue": "1",
        ]
    }

    func open(_ parameters: [String: String]) async throws -> OpenFixture {
        let handle = TriggerHandle(
            number: self.numbers.withLockedValue { number in
                number += 1
                return number
            }
        )
        let wakes = Wakes()
        let opened = try await self.plugin.open(
            TriggerRequest(handle: handle, type: "mongodb", scaledJob: "default/test", parameters: parameters),
            changes: ChangeNotifier { wakes.add() }
        )
        return OpenFixture(handle: handle, opened: opened, wakes: wakes)
    }

    /// Measures several triggers in one call.
    func measure(
        _ triggers: [TriggerHandle],
        items: Int = 0,
        timeout: Duration = .seconds(10)
    ) async -> [TriggerHandle: Result<Reading, PluginFailure>] {
        let answers = NIOLockedValueBox<[TriggerHandle: Result<Reading, PluginFailure>]>([:])
        await self.plugin.measure(
            triggers.map { MeasureRequest(trigger: $0, maximumItems: items, timeout: timeout) },
            report: MeasureReport { trigger, answer in answers.withLockedValue { $0[trigger] = answer } }
        )
        return answers.withLockedValue { $0 }
    }

    func reading(_ trigger: OpenFixture, items: Int = 0) async throws -> Reading {
        try #require(await self.measure([trigger.handle], items: items)[trigger.handle]).get()
    }
}

/// A trigger that a test has opened.
struct OpenFixture: Sendable {
    let handle: TriggerHandle
    let opened: OpenedTrigger
    let wakes: Wakes
}

/// Counts the changes that the plugin told, and waits for them.
final class Wakes: Sendable {
    private let count = NIOLockedValueBox(0)
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (self.stream, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var total: Int { self.count.withLockedValue { $0 } }

    func add() {
        self.count.withLockedValue { $0 += 1 }
        self.continuation.yield()
    }

    /// Waits until the trigger was told at least so often.
    func reach(_ count: Int, within limit: Duration = .seconds(15)) async throws {
        try await withDeadline(limit) {
            for await _ in self.stream where self.total >= count { return }
        }
    }
}

/// A database name that no other test uses.
func uniqueDatabase() -> String {
    "test\(UInt64.random(in: 0...UInt64.max))"
}

/// Asks until the answer is the one awaited, with a pause that grows, for at most 30 s.
func eventually(_ what: String, _ condition: @Sendable () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(30)
    while try await !condition() {
        guard ContinuousClock.now < end else {
            Issue.record("did not happen: \(what)")
            return
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}
