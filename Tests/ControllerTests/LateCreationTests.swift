import Controller
import Kubernetes
import PluginHost
import Scaling
import Testing

/// The API server may act on a creation long after the host gave it up.
@Suite struct LateCreationTests {
    private static let noAnswer = KubernetesError(.unreachable, "the connection ended", mayHaveHappened: true)

    /// Takes the next creation out of the calls.
    private func creation(_ cluster: inout ModelCluster) -> (JobReference, JobTemplate)? {
        for (index, call) in cluster.calls.enumerated() {
            guard case .createJob(let job, let template) = call else { continue }
            cluster.calls.remove(at: index)
            return (job, template)
        }
        return nil
    }

    private func settleAllButCreations(_ cluster: inout ModelCluster) {
        for _ in 0..<100 {
            let index = cluster.calls.firstIndex { if case .createJob = $0 { false } else { true } }
            if let index {
                cluster.answerCall(at: index)
            } else if !cluster.unseen.isEmpty {
                cluster.showNext()
            } else if !cluster.measures.isEmpty {
                cluster.answerMeasure()
            } else {
                return
            }
        }
    }

    /// A cluster with one slot whose creation has just been given up.
    private func unanswered() throws -> (ModelCluster, JobReference, JobTemplate) {
        var cluster = ModelCluster()
        cluster.start(ModelCluster.scaledJob(maximum: 1, interval: 1))
        cluster.insertDocuments(3)
        cluster.openTriggers()
        self.settleAllButCreations(&cluster)
        let (job, template) = try #require(self.creation(&cluster))
        cluster.take(.jobCreated(job, .failure(Self.noAnswer)))
        cluster.advance(.seconds(1))
        return (cluster, job, template)
    }

    @Test func theSlotOfAJobThatIsNotFoundStaysTakenWhileItMayStillCome() throws {
        var (cluster, job, template) = try self.unanswered()
        let (again, _) = try #require(self.creation(&cluster))
        #expect(again == job)
        cluster.take(.jobCreated(job, .failure(KubernetesError(.forbidden, "exceeded quota", status: 403))))
        self.settleAllButCreations(&cluster)
        for _ in 0..<6 {
            cluster.advance(.seconds(1))
            self.settleAllButCreations(&cluster)
            #expect(self.creation(&cluster) == nil)
        }
        _ = cluster.create(job.key.name, template)
        self.settleAllButCreations(&cluster)
        cluster.advance(.seconds(20))
        self.settleAllButCreations(&cluster)
        #expect(self.creation(&cluster) == nil)
        #expect(cluster.unfinished == 1)
    }

    @Test func theSlotComesFreeOnceItCannotComeAnyMore() throws {
        var (cluster, job, _) = try self.unanswered()
        _ = try #require(self.creation(&cluster))
        cluster.take(.jobCreated(job, .failure(KubernetesError(.forbidden, "exceeded quota", status: 403))))
        for _ in 0..<12 {
            self.settleAllButCreations(&cluster)
            cluster.advance(.seconds(1))
        }
        self.settleAllButCreations(&cluster)
        let (next, _) = try #require(self.creation(&cluster))
        #expect(next != job)
    }

    @Test func aJobThatMayComeASecondTimeIsNotCleanedBefore() throws {
        var (cluster, job, template) = try self.unanswered()
        _ = try #require(self.creation(&cluster))
        _ = cluster.create(job.key.name, template)
        cluster.take(.jobCreated(job, .success(())))
        cluster.runJob(job.key.name)
        self.settleAllButCreations(&cluster)
        #expect(cluster.jobs[job.key.name]?.isFinished == true)
        cluster.advance(.seconds(12))
        self.settleAllButCreations(&cluster)
        #expect(cluster.jobs[job.key.name] == nil)
    }

    @Test func aJobThatSomebodyDeletedKeepsItsSlotWhileItMayComeASecondTime() throws {
        var (cluster, job, template) = try self.unanswered()
        _ = try #require(self.creation(&cluster))
        _ = cluster.create(job.key.name, template)
        cluster.take(.jobCreated(job, .success(())))
        self.settleAllButCreations(&cluster)
        cluster.vanish(job.key.name)
        for _ in 0..<5 {
            self.settleAllButCreations(&cluster)
            cluster.advance(.seconds(1))
            #expect(self.creation(&cluster) == nil)
        }
        for _ in 0..<10 {
            self.settleAllButCreations(&cluster)
            cluster.advance(.seconds(1))
        }
        #expect(self.creation(&cluster) != nil)
    }
}
