extension ScalingDecision {
    /// One sentence with the numbers.
    ///
    /// Made when it is asked for, so that a decision itself is numbers only.
    package var reason: String {
        let text = self.sentence + (self.wait.map { "; \($0.sentence)" } ?? "")
        guard let warning else { return text }
        return "\(text) (\(warning))"
    }

    /// Whether the reason of another decision reads the same, without making a text of either.
    package func readsLike(_ other: ScalingDecision) -> Bool {
        guard self.create == other.create, self.strategy == other.strategy, self.demandLimit == other.demandLimit,
            self.wait == other.wait, self.items == other.items,
            self.bounds == other.bounds, self.warning == other.warning
        else { return false }
        guard case .demand(var amount, let jobs) = self.ground, case .demand(let before, let jobsBefore) = other.ground
        else { return self.ground == other.ground }
        // Each poll asks at another time, which no sentence tells.
        amount.askedAt = before.askedAt
        return amount == before && jobs == jobsBefore
    }

    private var sentence: String {
        switch self.ground {
        case .demand(let amount, let jobs): self.demand(amount, jobs)
        case .belowMinimum(let unfinished, let base):
            "\(unfinished) unfinished, \(self.keeper) keeps \(base): create \(self.create)"
        case .inactive(let unfinished, let unknownTriggers):
            "no trigger is active\(Self.unknown(unknownTriggers)), \(unfinished) unfinished: create 0"
        case .unknownBacklog(let why, let unfinished): "backlog unknown (\(why)), \(unfinished) unfinished: hold"
        case .unknownJobs(let why): "the Jobs are unknown (\(why)): hold"
        case .unknownPods(let why, let unfinished):
            "\(self.strategy.name) needs to know which Jobs are pending and their Pods are unknown"
                + (why.map { " (\($0))" } ?? "") + ", \(unfinished) unfinished: hold"
        case .paused: "paused: nothing is read and nothing is created"
        }
    }

    private func demand(_ amount: Backlog.Amount, _ jobs: ScalingPolicy.Jobs) -> String {
        var text = "\(Self.text(amount.queueLength)) waiting"
        let worth = ScalingPolicy.ceiling(amount.waitingJobs)
        if worth != ScalingPolicy.ceiling(amount.queueLength) { text += " worth \(worth) Jobs" }
        let total = ScalingPolicy.ceiling(amount.uncutJobs)
        if total != worth { text += ", \(total) with those in work" }
        text += Self.unknown(amount.unknownTriggers)
        let finished = jobs.servedSinceReading - jobs.unfinished
        if finished > 0 { text += ", \(finished) finished since" }
        text += ", \(jobs.unfinished) unfinished"
        if self.bounds.base > 0 { text += " (\(self.bounds.base) by minReplicaCount)" }
        if self.strategy.needsPending, let pending = jobs.pending {
            text += " of which \(pending) pending"
            let started = (jobs.pendingSinceReading ?? pending) - pending
            if self.strategy == .accurate, started > 0 { text += ", \(started) started since" }
        }
        if case .custom(let deduction, let percentage) = self.strategy {
            if deduction != 0 { text += ", deduction \(deduction)" }
            text += ", running Jobs count \(percentage)"
        }
        switch self.demandLimit {
        case .maxReplicaCount: text += ", maximum \(self.bounds.mostUnfinished)"
        case .queueLength: text += ", at most one per waiting item at once"
        default: break
        }
        if self.strategy != .default { text += ", by \(self.strategy.name)" }
        return text + ": create \(self.create)" + (self.items?.sentence ?? "")
    }

    /// What sets the number of base Jobs.
    private var keeper: String {
        guard self.demandLimit == .maxReplicaCount, let minimum = self.bounds.minimum else { return "minReplicaCount" }
        return "minReplicaCount \(minimum) is above maxReplicaCount, which"
    }

    private static func unknown(_ triggers: Int) -> String {
        triggers == 0 ? "" : " (\(triggers) \(triggers == 1 ? "trigger" : "triggers") unknown)"
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() ? "\(ScalingPolicy.ceiling(value))" : "\(value)"
    }
}
