import Controller
import Kubernetes
import Testing

/// Several hosts, one Lease, and an API server that answers late, not at all, or after the write happened.
@Suite struct LeaderElectionTests {
    @Test(arguments: 0..<40)
    func neverTwoLead(part: Int) {
        for seed in (part * 25)..<(part * 25 + 25) {
            var world = LeaseWorld(seed: UInt64(seed), hosts: 3)
            world.run(events: 2_000)
            #expect(world.violation == nil, "seed \(seed): \(world.violation ?? "")")
            #expect(world.terms > 3, "seed \(seed) has too little happening to say anything")
        }
    }

    @Test func aSilentLeaderIsFollowedAfterItsLeaseAndItsCalls() {
        let start = ContinuousClock.now
        let time = KubernetesTime(secondsSinceEpoch: 1_000)
        var election = LeaderElection(settings: .init(identity: "new"), now: start)
        let record = LeaseRecord(
            holder: "old",
            duration: .seconds(15),
            acquiredAt: time,
            renewedAt: time,
            resourceVersion: "7"
        )
        var now = start
        var written: LeaseRecord?
        while written == nil, now < start + .seconds(60) {
            switch election.step(at: now, time: time) {
            case .wait(let until): now = until
            case .read: election.read(.success(record), at: now)
            case .write(let record, _): written = record
            case .stop: break
            }
        }
        #expect(now >= start + .seconds(15) && now <= start + .seconds(17))
        #expect(written?.holder == "new" && written?.resourceVersion == "7" && written?.transitions == 1)
        guard var taken = written else { return }
        taken.resourceVersion = "8"
        election.wrote(.success(taken), sentAt: now, at: now)
        #expect(election.standing == .settling(until: now + .seconds(5)))
    }

    @Test func aLeaseThatWasGivenBackIsTakenAtOnce() {
        let now = ContinuousClock.now
        let time = KubernetesTime(secondsSinceEpoch: 1_000)
        var election = LeaderElection(settings: .init(identity: "new"), now: now)
        _ = election.step(at: now, time: time)
        election.read(
            .success(
                LeaseRecord(
                    holder: nil,
                    duration: .seconds(1),
                    acquiredAt: time,
                    renewedAt: time,
                    resourceVersion: "7"
                )
            ),
            at: now
        )
        guard case .write(var record, _) = election.step(at: now, time: time) else {
            Issue.record("the free Lease is not taken")
            return
        }
        record.resourceVersion = "8"
        election.wrote(.success(record), sentAt: now, at: now)
        #expect(election.standing == .leading)
    }

    /// Otherwise a Lease that was given back would be found with the next look only.
    @Test func newsOfAnotherHolderIsLookedAtAtOnce() {
        let time = KubernetesTime(secondsSinceEpoch: 1_000)
        let start = ContinuousClock.now
        var election = LeaderElection(settings: .init(identity: "new"), now: start)
        _ = election.step(at: start, time: time)
        let record = LeaseRecord(
            holder: "old",
            duration: .seconds(15),
            acquiredAt: time,
            renewedAt: time,
            resourceVersion: "7"
        )
        election.read(.success(record), at: start)
        let soon = start + .milliseconds(10)
        #expect(election.step(at: soon, time: time) == .wait(until: start + .seconds(2)))
        election.hear(holder: "old", at: soon)
        #expect(election.step(at: soon, time: time) == .wait(until: start + .seconds(2)))
        election.hear(holder: nil, at: soon)
        guard case .read = election.step(at: soon, time: time) else {
            Issue.record("the Lease is not looked at")
            return
        }
        // What the watch says is never acted upon by itself.
        election.read(.success(record), at: soon)
        #expect(election.step(at: soon, time: time) == .wait(until: soon + .seconds(2)))
    }

    /// Lets a host find the first record, and then the second; its standing once it has the Lease.
    private func standing(after first: LeaseRecord?, then second: LeaseRecord?) -> LeaderElection.Standing {
        let time = KubernetesTime(secondsSinceEpoch: 1_000)
        var now = ContinuousClock.now
        var election = LeaderElection(settings: .init(identity: "new"), now: now)
        var answers = [first, second]
        for _ in 0..<10 where election.standing == .waiting {
            switch election.step(at: now, time: time) {
            case .wait(let until): now = until
            case .read: election.read(.success(answers.isEmpty ? second : answers.removeFirst()), at: now)
            case .write(var record, _):
                record.resourceVersion = "9"
                election.wrote(.success(record), sentAt: now, at: now)
                if case .settling(let until) = election.standing { return .settling(until: until - (now - self.zero)) }
            case .stop: break
            }
        }
        return election.standing
    }

    private let zero = ContinuousClock.now

    private func record(_ holder: String?, duration: Duration = .seconds(15)) -> LeaseRecord {
        let time = KubernetesTime(secondsSinceEpoch: 1_000)
        return LeaseRecord(
            holder: holder,
            duration: duration,
            acquiredAt: time,
            renewedAt: time,
            resourceVersion: "7"
        )
    }

    @Test func aLeaseThatWasTakenAwayFromItsHolderIsNotActedOnAtOnce() {
        let settling = LeaderElection.Standing.settling(until: self.zero + .seconds(20))
        #expect(self.standing(after: self.record("old"), then: nil) == settling)
        #expect(self.standing(after: self.record("old"), then: self.record(nil)) == settling)
        #expect(self.standing(after: self.record("old"), then: self.record("new")) == settling)
        #expect(self.standing(after: self.record("old"), then: self.record(nil, duration: .seconds(1))) == .leading)
        #expect(self.standing(after: nil, then: nil) == .leading)
    }

    @Test func aLeaseMadeByHandIsUnderstood() throws {
        let record = LeaseRecord(["metadata": ["resourceVersion": "3"], "spec": ["holderIdentity": ""]])
        #expect(record.holder == nil && record.duration == .seconds(1) && record.resourceVersion == "3")
        #expect(LeaseRecord([:]).resourceVersion == nil)
    }
}
