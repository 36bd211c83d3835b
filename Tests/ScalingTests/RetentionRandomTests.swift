import Scaling
import Testing

/// Plays the ledger against a model that looks at all Jobs each time.
@Suite struct RetentionRandomTests {
    private struct Model {
        struct Owner {
            var policy: RetentionPolicy
            var scopes: [AdmissionScope] = []
            var jobs: [String: FinishedJob] = [:]
        }

        var owners: [String: Owner] = [:]
        var totals: [AdmissionScope: Int] = [:]
        let grace: Int64

        private func isExpired(_ job: FinishedJob, _ policy: RetentionPolicy, _ now: Int64) -> Bool {
            if let timeToLive = job.timeToLive { return job.endedAt + Int64(timeToLive) + self.grace <= now }
            return policy.longest.map { job.endedAt + $0 <= now } ?? false
        }

        /// What the rules of each ScaledJob by itself keep.
        private func kept(_ owner: Owner, _ now: Int64) -> [FinishedJob] {
            let young = owner.jobs.values.filter { !self.isExpired($0, owner.policy, now) }.sorted()
            return Array(young.filter { $0.outcome == .succeeded }.suffix(owner.policy.successful))
                + Array(young.filter { $0.outcome == .failed }.suffix(owner.policy.failed))
        }

        /// Names that may stay, whichever ScaledJob they are of.
        func kept(at now: Int64) -> Set<String> {
            var kept = self.owners.mapValues { self.kept($0, now) }
            for (scope, limit) in self.totals {
                let members = self.owners.filter { scope == .host || $0.value.scopes.contains(scope) }.keys
                let all = members.flatMap { uid in (kept[uid] ?? []).map { (job: $0, uid: uid) } }
                    .sorted { ($0.job, $0.uid) < ($1.job, $1.uid) }
                for (job, uid) in all.prefix(Swift.max(0, all.count - limit)) {
                    kept[uid]?.removeAll { $0.name == job.name }
                }
            }
            return Set(kept.values.flatMap { $0.map(\.name) })
        }
    }

    private struct Play {
        var ledger = RetentionLedger(grace: 3)
        var model = Model(grace: 3)
        var random: SeededGenerator
        var now: Int64 = 10_000
        var next = 0
        /// Jobs that were given out and are not deleted yet.
        var leaving: [String: (owner: String, job: FinishedJob)] = [:]
        let uids = ["a", "b", "c", "d"]

        mutating func policy() -> RetentionPolicy {
            RetentionPolicy(
                successful: Int.random(in: 0...6, using: &self.random),
                failed: Int.random(in: 0...3, using: &self.random),
                longest: Bool.random(using: &self.random) ? Int64.random(in: 1...40, using: &self.random) : nil
            )
        }

        mutating func job() -> FinishedJob {
            self.next += 1
            return FinishedJob(
                name: "j\(self.next)",
                outcome: Bool.random(using: &self.random) ? .succeeded : .failed,
                endedAt: self.now - Int64.random(in: -10...30, using: &self.random),
                timeToLive: Int.random(in: 0..<4, using: &self.random) == 0
                    ? Int32.random(in: 0...50, using: &self.random) : nil
            )
        }

        mutating func step() {
            let uid = self.uids[Int.random(in: 0..<self.uids.count, using: &self.random)]
            switch Int.random(in: 0..<20, using: &self.random) {
            case 0..<8:
                let job = self.job()
                // A ScaledJob that is not known has no Jobs that anybody would delete.
                if self.model.owners[uid] != nil { self.model.owners[uid]?.jobs[job.name] = job }
                self.ledger.add(job, of: uid)
                // The same once more is nothing new.
                if Bool.random(using: &self.random) { self.ledger.add(job, of: uid) }
            case 8..<10:
                guard
                    let job = self.model.owners[uid]?.jobs.values.sorted().first(where: { self.leaving[$0.name] == nil }
                    )
                else { return }
                self.model.owners[uid]?.jobs[job.name] = nil
                self.ledger.remove(job, of: uid)
            case 10..<12: self.now += Int64.random(in: 0...15, using: &self.random)
            case 12: self.now -= Int64.random(in: 0...10, using: &self.random)
            case 13..<15:
                let policy = self.policy()
                self.ledger.set(policy, of: uid)
                if self.model.owners[uid] == nil { self.model.owners[uid] = Model.Owner(policy: policy) }
                self.model.owners[uid]?.policy = policy
            case 15:
                let scopes: [AdmissionScope] =
                    [.budget("x"), .namespace("y")].filter { _ in Bool.random(using: &self.random) }
                self.ledger.set(scopes: scopes, of: uid)
                self.model.owners[uid]?.scopes = scopes
            case 16:
                let limit = Bool.random(using: &self.random) ? Int.random(in: 0...8, using: &self.random) : nil
                let scope: AdmissionScope =
                    [.host, .budget("x"), .namespace("y")].randomElement(using: &self.random) ?? .host
                // One total at a time: which of two overlapping ones deletes a Job depends on their order.
                for other in self.model.totals.keys where other != scope { self.ledger.set(total: nil, of: other) }
                self.ledger.set(total: limit, of: scope)
                self.model.totals = limit.map { [scope: $0] } ?? [:]
            case 17:
                self.ledger.forget(uid)
                self.model.owners[uid] = nil
                self.leaving = self.leaving.filter { $0.value.owner != uid }
            case 18:
                let jobs = (self.model.owners[uid]?.jobs ?? [:]).values.filter { self.leaving[$0.name] == nil }
                self.ledger.reset(uid, to: Array(jobs))
            default: self.take(1)
            }
        }

        /// Takes some of what is to be deleted; some of those come back.
        mutating func take(_ most: Int) {
            self.ledger.expire(at: self.now)
            for uid in self.uids.shuffled(using: &self.random) {
                for _ in 0..<most {
                    guard let job = self.ledger.takeExcess(of: uid, at: self.now) else { break }
                    self.leaving[job.name] = (uid, job)
                }
            }
            for (name, (uid, job)) in self.leaving.sorted(by: { $0.key < $1.key }) {
                if Int.random(in: 0..<3, using: &self.random) == 0 {
                    // The call failed: the rules are asked again.
                    guard !self.ledger.isExcess(job, of: uid, at: self.now) else { continue }
                    self.ledger.add(job, of: uid)
                } else {
                    self.model.owners[uid]?.jobs[name] = nil
                }
                self.leaving[name] = nil
            }
        }
    }

    @Test(arguments: 0..<100)
    func whatIsKeptIsWhatTheRulesSay(seed: UInt64) {
        var play = Play(random: SeededGenerator(seed: seed))
        for uid in play.uids.dropLast() {
            play.ledger.set(RetentionPolicy(), of: uid)
            play.model.owners[uid] = Model.Owner(policy: RetentionPolicy())
        }
        for step in 0..<150 {
            play.step()
            guard step % 10 == 9 else { continue }
            // Nothing fails any more: what is left is what the model keeps.
            for (name, (uid, job)) in play.leaving {
                play.ledger.add(job, of: uid)
                play.leaving[name] = nil
            }
            let wanted = play.model.kept(at: play.now)
            var stirred: Set<String> = []
            play.ledger.expire(at: play.now)
            while true {
                stirred.formUnion(play.ledger.takeStirred())
                guard let uid = stirred.popFirst() else { break }
                while let job = play.ledger.takeExcess(of: uid, at: play.now) {
                    let existed = play.model.owners[uid]?.jobs.removeValue(forKey: job.name)
                    #expect(existed == job, "seed \(seed), step \(step)")
                }
            }
            let left = Set(play.model.owners.values.flatMap { $0.jobs.keys })
            #expect(left == wanted, "seed \(seed), step \(step)")
        }
    }
}
