import Controller
import Kubernetes
import PluginHost
import PluginProtocol
import Testing

/// What a poll writes into `status.triggersActivity`.
struct ActivityRow: ConformanceRow {
    let id: String
    /// The triggers' metrics in this poll.
    let names: [String]
    let active: Set<String>
    /// What the status said before.
    var previous: [String: Bool] = [:]
    let stored: [String: Bool]

    static let rows: [ActivityRow] = [
        ActivityRow(id: "L1", names: ["x", "y"], active: ["x"], stored: ["x": true, "y": false]),
        ActivityRow(
            id: "L3",
            names: ["a", "b", "c"],
            active: ["a", "c"],
            stored: ["a": true, "b": false, "c": true]
        ),
        ActivityRow(
            id: "L4",
            names: ["a", "c"],
            active: ["a"],
            previous: ["a": true, "b": true, "c": false],
            stored: ["a": true, "c": false]
        ),
        ActivityRow(id: "L6", names: [], active: [], stored: [:]),
    ]
}

/// What the status says of a ScaledJob's triggers.
struct StatusRow: ConformanceRow {
    struct Trigger: Sendable {
        var type: String
        var authentication: String?
        var state = StatusScene.TriggerState.idle
    }

    struct Seen: Sendable, Equatable {
        var status: String
        var reason: String
    }

    let id: String
    let triggers: [Trigger]
    var ready: Seen?
    var active: Seen?
    var triggersTypes: String?
    var authenticationsTypes: String?

    static let rows: [StatusRow] = [
        StatusRow(
            id: "Q7",
            triggers: [Trigger(type: "metrics-api", authentication: "login"), Trigger(type: "cron")],
            triggersTypes: "metrics-api,cron",
            authenticationsTypes: "login"
        ),
        StatusRow(
            id: "Q9",
            triggers: [Trigger(type: "metrics-api", state: .broken)],
            ready: Seen(status: "False", reason: "TriggerError"),
            active: Seen(status: "False", reason: "ScalerNotActive")
        ),
        StatusRow(
            id: "Q10",
            triggers: [Trigger(type: "metrics-api", state: .active), Trigger(type: "cron", state: .broken)],
            ready: Seen(status: "Unknown", reason: "PartialTriggerError"),
            active: Seen(status: "True", reason: "ScalerActive")
        ),
    ]
}

@Suite struct StatusTests {
    @Test(arguments: ActivityRow.rows) func activity(_ row: ActivityRow) {
        // Keys carry the trigger's position; a metric that has no trigger any more had one at the second.
        func key(_ name: String) -> String { "s\(row.names.firstIndex(of: name) ?? 1)-\(name)" }
        var scene = StatusScene()
        scene.previousActivity = Dictionary(uniqueKeysWithValues: row.previous.map { (key($0.key), $0.value) })
        scene.run(
            row.names.map { name in
                StatusScene.Trigger(type: "cron", metric: name, state: row.active.contains(name) ? .active : .idle)
            }
        )
        let stored = scene.status["triggersActivity"]?.objectValue ?? [:]
        let expected = row.stored.map { (key($0.key), JSONValue.object(["isActive": .bool($0.value)])) }
        #expect(stored == Dictionary(uniqueKeysWithValues: expected))
        if !row.names.isEmpty {
            #expect(scene.status["externalMetricNames"]?.arrayValue == row.names.map { .string(key($0)) })
        }
    }

    @Test(arguments: StatusRow.rows) func status(_ row: StatusRow) {
        var scene = StatusScene()
        scene.run(
            row.triggers.map { trigger in
                StatusScene.Trigger(type: trigger.type, authentication: trigger.authentication, state: trigger.state)
            }
        )
        if let ready = row.ready { #expect(scene.condition("Ready") == ready) }
        if let active = row.active { #expect(scene.condition("Active") == active) }
        if let types = row.triggersTypes { #expect(scene.status["triggersTypes"]?.stringValue == types) }
        if let names = row.authenticationsTypes { #expect(scene.status["authenticationsTypes"]?.stringValue == names) }
    }

    @Test func conditionsAreListedInTheirOrder() {
        var scene = StatusScene()
        scene.run([StatusScene.Trigger(type: "cron")])
        let types = scene.status["conditions"]?.arrayValue?.compactMap { $0["type"]?.stringValue }
        #expect(types == ["Ready", "Active", "Fallback", "Paused"])
        #expect(scene.condition("Fallback") == StatusRow.Seen(status: "Unknown", reason: ""))
        #expect(scene.condition("Paused") == StatusRow.Seen(status: "False", reason: ""))
    }
}
