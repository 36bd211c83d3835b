import Controller
import Kubernetes
import PluginHost
import PluginProtocol

/// A controller with one ScaledJob, in a cluster that answers everything at once and keeps its status.
struct StatusScene {
    enum TriggerState: Sendable { case active, idle, broken }

    struct Trigger {
        var type: String
        var metric: String?
        var authentication: String?
        var state = TriggerState.idle
    }

    var previousActivity: [String: Bool] = [:]
    var minimum = 0
    private(set) var status: JSONValue = .object([:])

    private var machine = ControllerMachine(configuration: ControllerConfiguration(version: "test"), now: .now, seed: 1)
    private var now = ContinuousClock.now
    private var triggers: [Trigger] = []
    private var revisions: [TriggerID: UInt64] = [:]
    private var inputs: [ControllerInput] = []

    func condition(_ type: String) -> StatusRow.Seen? {
        let found = self.status["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }
        return found.map {
            StatusRow.Seen(status: $0["status"]?.stringValue ?? "", reason: $0["reason"]?.stringValue ?? "")
        }
    }

    /// Lets the controller work for a minute.
    mutating func run(_ triggers: [Trigger]) {
        self.triggers = triggers
        if !self.previousActivity.isEmpty {
            let activity = self.previousActivity.mapValues { JSONValue.object(["isActive": .bool($0)]) }
            self.status["triggersActivity"] = .object(activity)
        }
        let declarations = Set(triggers.map(\.type)).map { type in
            (
                type,
                TriggerTypeOffer(
                    plugin: type,
                    isConnected: true,
                    declaration: TriggerTypeDeclaration(type: type, help: "", parameters: [])
                )
            )
        }
        let logins = Set(triggers.compactMap(\.authentication)).map { name in
            TriggerAuthentication(
                metadata: ObjectMetadata(name: name, namespace: "media", uid: name),
                spec: ["env": []]
            )
        }
        self.inputs = [
            .authentications(.replaced(logins, startedAt: self.now), scope: nil),
            .clusterAuthentications(.replaced([], startedAt: self.now)),
            .plugin(.offers(Dictionary(uniqueKeysWithValues: declarations))),
            .scaledJobs(.replaced([self.scaledJob], startedAt: self.now), scope: nil),
            .jobs(.replaced([], startedAt: self.now), scope: nil),
        ]
        let end = self.now + .seconds(60)
        while self.now < end {
            while !self.inputs.isEmpty { self.take(self.inputs.removeFirst()) }
            self.now = Swift.min(end, Swift.max(self.now + .milliseconds(1), self.machine.nextWake ?? end))
            self.inputs.append(.tick)
        }
    }

    private var scaledJob: ScaledJob {
        let triggers = self.triggers.map { trigger -> JSONValue in
            var value: JSONValue = ["type": .string(trigger.type), "metadata": [:]]
            if let name = trigger.authentication { value["authenticationRef"] = ["name": .string(name)] }
            return value
        }
        var spec: JSONValue = [
            "triggers": .array(triggers),
            "jobTargetRef": ["template": ["spec": ["containers": [["name": "main", "image": "main:1"]]]]],
        ]
        if self.minimum > 0 { spec["minReplicaCount"] = .integer(Int64(self.minimum)) }
        return ScaledJob(
            metadata: ObjectMetadata(name: "transcode", namespace: "media", uid: "uid", generation: 1),
            spec: spec,
            status: self.status
        )
    }

    private mutating func take(_ input: ControllerInput) {
        for action in self.machine.handle(input, at: Moment(instant: self.now, unixSeconds: 1_700_000_000)) {
            self.answer(action)
        }
    }

    private mutating func answer(_ action: ControllerAction) {
        switch action {
        case .setTrigger(let id, let revision, _):
            self.revisions[id] = revision
            let opened = OpenedTrigger(target: 1, metricName: self.triggers[id.index].metric)
            self.inputs.append(.plugin(.opened(id, revision: revision, opened)))
        case .measure(let ids):
            for id in ids { self.inputs.append(.plugin(self.reading(id, self.revisions[id] ?? 0))) }
        case .tryTemplate(let owner, let revision, _, _):
            self.inputs.append(.templateTried(owner: owner, revision: revision, .success(())))
        case .createJob(let job, _): self.inputs.append(.jobCreated(job, .success(())))
        case .writeStatus(let owner, _, let patch):
            self.status.merge(patch["status"] ?? .null)
            self.inputs.append(.statusWritten(owner: owner, .success(())))
        default: break
        }
    }

    private func reading(_ id: TriggerID, _ revision: UInt64) -> PluginEvent {
        switch self.triggers[id.index].state {
        case .active: .reading(id, revision: revision, Reading(waiting: 3), askedAt: self.now)
        case .idle: .reading(id, revision: revision, Reading(waiting: 0), askedAt: self.now)
        case .broken: .unknown(id, revision: revision, PluginFailure(.unavailable, "the source is down"))
        }
    }
}

extension JSONValue {
    /// Applies a JSON merge patch.
    fileprivate mutating func merge(_ patch: JSONValue) {
        guard let members = patch.objectValue else {
            self = patch
            return
        }
        if self.objectValue == nil { self = .object([:]) }
        for (key, value) in members {
            if value == .null {
                self[key] = nil
            } else {
                var member = self[key] ?? .null
                member.merge(value)
                self[key] = member
            }
        }
    }
}
