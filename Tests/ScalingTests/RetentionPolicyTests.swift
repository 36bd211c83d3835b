import Scaling
import Testing

@Suite struct RetentionPolicyTests {
    func job(_ name: String, _ phase: JobTracker.Observed.Phase, deleting: Bool = false) -> JobTracker.Observed {
        JobTracker.Observed(name: name, uid: name, phase: phase, isDeleting: deleting)
    }

    /// Whatever these rules delete, in order.
    func excess(of jobs: [JobTracker.Observed], _ policy: RetentionPolicy) -> [String] {
        var ledger = RetentionLedger()
        ledger.set(policy, of: "a")
        for job in jobs.compactMap({ FinishedJob($0) }) { ledger.add(job, of: "a") }
        var names: [String] = []
        while let job = ledger.takeExcess(of: "a", at: 1_000) { names.append(job.name) }
        return names
    }

    @Test func theOldestSucceededGoFirst() {
        let jobs = [
            self.job("n1", .succeeded(at: 37)), self.job("n2", .succeeded(at: 36)), self.job("n3", .succeeded(at: 38)),
        ]
        #expect(self.excess(of: jobs, RetentionPolicy(successful: 2, failed: 2)) == ["n2"])
    }

    @Test func failedJobsGoByTheTimeTheyFailed() {
        let jobs = [self.job("c", .failed(at: 3)), self.job("a", .failed(at: 9)), self.job("b", .failed(at: 1))]
        #expect(self.excess(of: jobs, RetentionPolicy(successful: 1, failed: 1)) == ["b", "c"])
    }

    @Test func unsetLimitsKeepAHundredOfEach() {
        let succeeded = (0...100).map { self.job("s\($0)", .succeeded(at: Int64($0))) }
        let failed = (0...100).map { self.job("f\($0)", .failed(at: Int64($0))) }
        #expect(Set(self.excess(of: succeeded + failed, RetentionPolicy())) == ["s0", "f0"])
    }

    @Test func zeroKeepsNoneAndNeverTouchesUnfinishedOnes() {
        let jobs = [
            self.job("done", .succeeded(at: 1)), self.job("runs", .unfinished), self.job("bad", .failed(at: 2)),
        ]
        #expect(self.excess(of: jobs, RetentionPolicy(successful: 0, failed: 0)) == ["done", "bad"])
    }

    @Test func whatIsBeingDeletedIsNotCounted() {
        let jobs = [self.job("a", .succeeded(at: 1), deleting: true), self.job("b", .succeeded(at: 2))]
        #expect(self.excess(of: jobs, RetentionPolicy(successful: 1)).isEmpty)
    }

    @Test func limitsThatCannotBeReadDeleteNothing() {
        let jobs = (0..<300).map { self.job("s\($0)", .succeeded(at: Int64($0))) }
        #expect(self.excess(of: jobs, .unlimited).isEmpty)
    }
}
