import Controller
import Kubernetes
import PluginHost
import PluginProtocol

// The machine of a host: what it is given, and where its actions go.
extension World {
    func take(_ input: ControllerInput, on host: Host) {
        guard let acting = host.acting else { return }
        // No two things happen at the same time.
        self.now += .nanoseconds(1)
        if case .plugin(let event) = input { self.hear(event, acting) }
        let moment = Moment(instant: self.now, unixSeconds: self.seconds + host.clockError)
        let actions = acting.machine.handle(self.mutated(input), at: moment)
        for action in actions { self.perform(action, on: host) }
        self.tickLater(host)
    }

    private func tickLater(_ host: Host) {
        guard let acting = host.acting, let wake = acting.machine.nextWake else { return }
        if let due = acting.tickAt, due <= wake { return }
        let due = Swift.max(wake, self.now)
        acting.tickAt = due
        self.schedule(after: due - self.now, on: host, "tick") { world in
            guard host.acting === acting, acting.tickAt == due else { return }
            acting.tickAt = nil
            world.take(.tick, on: host)
        }
    }

    private func mutated(_ input: ControllerInput) -> ControllerInput {
        if self.mutation == .countsUnknownAsZero, case .plugin(.unknown(let id, let revision, _)) = input {
            return .plugin(.reading(id, revision: revision, Reading(waiting: 0), askedAt: self.now))
        }
        return input
    }

    private func perform(_ action: ControllerAction, on host: Host) {
        switch action {
        case .setTrigger(let id, let revision, let specification): self.set(id, revision, specification, on: host)
        case .removeTrigger(let id): host.acting?.triggers[id] = nil
        case .measure(let ids): for id in ids { self.measure(id, on: host) }
        case .watchSecrets(let begin, let end):
            for key in end { host.acting?.reflectors[.secret(key)] = nil }
            for key in begin.sorted() { self.reflect(.secret(key), on: host) }
        case .watchPods: self.reflect(.pods, on: host)
        // Nobody in this world asks for one Job per item, or sets budgets.
        case .measureItems, .writeBudgetStatus, .watchNamespaces: break
        case .watchConfigMaps, .fetchCredential, .recordEvent: break
        case .log(let record):
            guard record.message == "decided" else { return }
            self.note(host.name) {
                "decided for \(record.facts["scaledjob"] ?? ""): create \(record.facts["create"] ?? ""), "
                    + (record.facts["reason"] ?? "")
            }
            if record.facts["reason"]?.isEmpty ?? true { self.violate("a decision without a reason") }
        case .createJob, .tryTemplate, .lookUpJob, .deleteJob, .compareTemplate, .removeFinalizer, .writeStatus,
            .writeAuthenticationStatus:
            self.call(action, on: host)
        }
    }

    // MARK: - Unknown is not zero

    private func hear(_ event: PluginEvent, _ acting: Acting) {
        switch event {
        case .reading(let id, _, let reading, _): acting.heard[id] = reading.waiting > 0
        case .unknown, .failed, .offers, .opened, .changed: break
        }
    }

    /// Nothing but a reading may say that there is nothing to do any more.
    func judgeStatus(_ owner: String, _ key: ObjectKey, _ patch: JSONValue, _ acting: Acting, _ host: Host) {
        let conditions = patch[path: "status", "conditions"]?.arrayValue ?? []
        guard let active = conditions.first(where: { $0["type"] == "Active" })?["status"]?.stringValue else { return }
        let isActive = active == "True"
        let wasActive = acting.saidActive.updateValue(isActive, forKey: owner)
        guard wasActive == true, active == "False" else { return }
        let isHeard = acting.heard.contains { $0.key.owner == owner && !$0.value }
        if !isHeard { self.violate("\(host.name) says that \(key) is inactive, and knows of nothing that it is") }
    }
}
