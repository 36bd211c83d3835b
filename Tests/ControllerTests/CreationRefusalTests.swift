import Kubernetes
import Testing

@testable import Controller

/// What refused creations cost, and how they are told of.
@Suite struct CreationRefusalTests {
    /// A cluster with a quota on Jobs, refusing as a real one does.
    private struct Quota {
        var cluster = ModelCluster()
        var allowed: Int
        var refused = 0
        var refusedTrials = 0

        init(allowed: Int, maximum: Int) {
            self.allowed = allowed
            self.cluster.start(ModelCluster.scaledJob(maximum: maximum))
            self.cluster.openTriggers()
        }

        private func refusal(_ name: String) -> KubernetesError {
            let message =
                "jobs.batch \"\(name)\" is forbidden: exceeded quota: few, requested: count/jobs.batch=1, "
                + "used: count/jobs.batch=\(self.allowed), limited: count/jobs.batch=\(self.allowed)"
            return KubernetesError(.forbidden, message, status: 403)
        }

        mutating func settle() {
            for _ in 0..<100_000 {
                let isFull = self.cluster.jobs.count >= self.allowed
                switch self.cluster.calls.first {
                case .createJob(let job, _)? where isFull:
                    self.cluster.calls.removeFirst()
                    self.refused += 1
                    self.cluster.take(.jobCreated(job, .failure(self.refusal(job.key.name))))
                case .tryTemplate(let owner, let revision, let key, _)? where isFull:
                    self.cluster.calls.removeFirst()
                    self.refusedTrials += 1
                    self.cluster.take(
                        .templateTried(owner: owner, revision: revision, .failure(self.refusal(key.name)))
                    )
                case .some: self.cluster.answerCall()
                case nil:
                    if !self.cluster.unseen.isEmpty {
                        self.cluster.showNext()
                    } else if !self.cluster.measures.isEmpty {
                        self.cluster.answerMeasure()
                    } else {
                        return
                    }
                }
            }
        }

        mutating func pass(_ duration: Duration) {
            let end = self.cluster.now + duration
            while self.cluster.now < end {
                self.cluster.advanceToNextWake(atMost: end - self.cluster.now)
                self.settle()
            }
        }

        func condition(_ type: String) -> JSONValue? {
            let status = self.cluster.statuses.last { $0[path: "status", "conditions"] != nil }
            return status?[path: "status", "conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }
        }
    }

    @Test func aThousandItemsUnderAQuotaOfFiveCostAFewCalls() {
        var world = Quota(allowed: 5, maximum: 1000)
        world.cluster.insertDocuments(1000)
        world.pass(.seconds(30))
        #expect(world.cluster.jobs.count == 5)
        // What was under way when the first was refused, and some attempts since.
        #expect(world.refused < 30)
        let before = world.refused
        world.pass(.seconds(600))
        // About one in each polling interval.
        #expect(world.refused - before < 80)
        #expect(world.refused > before)
        #expect(world.refusedTrials == 0)
        let ready = world.condition("Ready")
        #expect(ready?["reason"] == "KEDAJobCreateFailed")
        let told = world.cluster.events.filter { $0.reason == .jobCreateFailed }
        #expect(told.count { $0.count == nil } == 1)
        #expect(told.allSatisfy { !$0.note.contains(ModelCluster.key.name) })
        #expect(world.cluster.events.allSatisfy { $0.reason != .scaledJobCheckFailed })
        // With room again, work goes on within one polling interval, and all of it.
        world.allowed = 1000
        world.pass(.seconds(16))
        #expect(world.cluster.jobs.count == 1000)
        #expect(world.condition("Ready")?["status"] == "True")
    }

    @Test func aHostThatStartsUnderAFullQuotaBlamesNoTemplate() {
        var world = Quota(allowed: 0, maximum: 10)
        world.pass(.seconds(60))
        #expect(world.refusedTrials == 1)
        #expect(world.condition("Ready")?["status"] == "True")
        world.cluster.insertDocuments(3)
        world.pass(.seconds(60))
        #expect(world.condition("Ready")?["reason"] == "KEDAJobCreateFailed")
        #expect(world.refused < 20)
        world.allowed = 10
        world.pass(.seconds(16))
        #expect(world.cluster.jobs.count == 3)
    }

    @Test func aRefusalIsForgottenWhenNothingWaits() {
        var world = Quota(allowed: 0, maximum: 10)
        world.cluster.insertDocuments(3)
        world.pass(.seconds(60))
        #expect(world.condition("Ready")?["status"] == "False")
        world.cluster.documents = []
        world.pass(.seconds(60))
        #expect(world.condition("Ready")?["status"] == "True")
    }

    @Test(arguments: [
        ("jobs.batch \"j-1\" is forbidden: exceeded quota: q", "jobs.batch is forbidden: exceeded quota: q"),
        ("Job.batch \"j-1\" is invalid: spec.x: Invalid value", "Job.batch is invalid: spec.x: Invalid value"),
        ("admission webhook denied: j-1 has no owner", "admission webhook denied: the Job has no owner"),
        ("denied", "denied"),
    ])
    func theNameOfTheJobIsLeftOut(_ message: String, _ expected: String) {
        #expect(KubernetesError(.forbidden, message).message(without: "j-1") == expected)
        #expect(KubernetesError(.forbidden, message).message(without: "") == message)
    }
}
