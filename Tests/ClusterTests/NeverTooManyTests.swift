import ClusterTestSupport
import Foundation
import Kubernetes
import NIOConcurrencyHelpers
import Testing

extension WholeHostTests {
    /// The unfinished Jobs never exceed the maximum, each document gets one Job, and after each fault the work goes on.
    @Suite struct NeverTooManyTests {
        /// 200 documents; the host is killed twice on the way.
        @Test(arguments: [50, 200])
        func aKilledHostGoesOnWithItsBatch(maximum: Int) async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(200)
                let surplus = Surplus()
                try await fixture.create(
                    .scaledJobs,
                    Manifests.scaledJob("batch", documents, maximum: maximum, interval: 5)
                )
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await fixture.kubelet.work(on: documents, of: "batch", as: fixture.jobs, surplus)
                    }
                    group.addTask {
                        var host = try fixture.startHost()
                        for part in [20, 90] {
                            try await fixture.jobs.created(part, of: "batch")
                            try await host.kill()
                            let before = fixture.jobs.all(of: "batch").count
                            #expect(before < 200, "the host had finished before it was killed")
                            host = try fixture.startHost()
                            let restart = ContinuousClock.now
                            try await fixture.jobs.created(before + 1, of: "batch")
                            #expect(restart.duration(to: .now) < .seconds(5), "one polling interval")
                        }
                        try await fixture.jobs.created(200, of: "batch", within: .seconds(60))
                        try await fixture.isAtRest("batch")
                        try await host.stop()
                    }
                    try await group.firstToEnd()
                }
                #expect(fixture.jobs.all(of: "batch").count == 200)
                #expect(fixture.jobs.most(of: "batch") <= maximum)
                #expect(documents.waiting == 0)
                #expect(surplus.names == [])
                #expect(fixture.jobs.killed == [])
            }
        }

        /// Every tenth creation is stored and answered by a timeout, and the watch is late.
        ///
        /// The name is asked for again, refused, looked up and counted once.
        @Test func aCreationWithoutAnAnswerIsCountedOnce() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(200)
                let surplus = Surplus()
                try await fixture.create(.scaledJobs, Manifests.scaledJob("batch", documents, maximum: 50))
                let creations = NIOLockedValueBox(0)
                let api = FaultyAPI(try fixture.cluster.client(), watchDelay: .milliseconds(500)) { request in
                    guard request.createsJob else { return .delivered }
                    let number = creations.withLockedValue { count in
                        count += 1
                        return count
                    }
                    return number % 10 == 0 ? .answerLost : .delivered
                }
                try await fixture.withController(over: api) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            try await fixture.kubelet.work(on: documents, of: "batch", as: fixture.jobs, surplus)
                        }
                        group.addTask {
                            try await fixture.jobs.created(200, of: "batch", within: .seconds(60))
                            try await fixture.isAtRest("batch")
                        }
                        try await group.firstToEnd()
                    }
                }
                // Fewer than a tenth: what is asked for again may be refused, and then has an answer.
                #expect(api.faults >= 10)
                #expect(fixture.jobs.all(of: "batch").count == 200)
                #expect(fixture.jobs.most(of: "batch") <= 50)
                #expect(surplus.names == [])
                #expect(fixture.jobs.killed == [])
            }
        }

        /// The API server is killed while creations are under way, and comes back.
        @Test func aRestartedAPIServerGetsTheRestOfTheBatch() async throws {
            let cluster = try await HostFixture.cluster(name: "hosts-broken", port: 16743)
            try await HostFixture.with(cluster) { fixture in
                let documents = fixture.documents(200)
                let surplus = Surplus()
                try await fixture.create(
                    .scaledJobs,
                    Manifests.scaledJob("batch", documents, maximum: 50, interval: 10)
                )
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await fixture.kubelet.work(on: documents, of: "batch", as: fixture.jobs, surplus)
                    }
                    group.addTask {
                        let host = try fixture.startHost()
                        try await fixture.jobs.created(20, of: "batch")
                        try cluster.killAPIServer()
                        let before = fixture.jobs.all(of: "batch").count
                        #expect(before < 200, "the batch was over before the API server was killed")
                        try await cluster.tool("apiserver", "restart")
                        let restart = ContinuousClock.now
                        // Creations under way when it was killed may have been stored, at most as many as there are slots.
                        try await eventually("the rest of the batch goes on", within: .seconds(60)) {
                            try await fixture.list(.jobs).count > before + 50
                        }
                        #expect(restart.duration(to: .now) < .seconds(10), "one polling interval")
                        try await fixture.jobs.created(200, of: "batch", within: .seconds(60))
                        try await fixture.isAtRest("batch")
                        #expect(!host.hasEnded)
                    }
                    try await group.firstToEnd()
                }
                #expect(fixture.jobs.all(of: "batch").count == 200)
                #expect(fixture.jobs.most(of: "batch") <= 50)
                #expect(surplus.names == [])
                #expect(fixture.jobs.killed == [])
            }
            try await cluster.stop()
        }
    }
}

extension TestCluster {
    /// Kills it at once; `tools/cluster` would take long enough for a whole batch to end before.
    fileprivate func killAPIServer() throws {
        let folder = self.kubeconfig.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
        let text = try String(contentsOfFile: "\(folder)/run/apiserver.pid", encoding: .utf8)
        kill(try #require(pid_t(text.filter(\.isNumber))), SIGKILL)
    }
}

extension ThrowingTaskGroup where ChildTaskResult == Void, Failure == any Error {
    /// Waits for the first task to end, then ends the others.
    mutating func firstToEnd() async throws {
        defer { self.cancelAll() }
        try await self.next()
        self.cancelAll()
        while let result = await self.nextResult() {
            if case .failure(let error) = result, !(error is CancellationError) { throw error }
        }
    }
}
