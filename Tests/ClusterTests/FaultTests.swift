import ClusterTestSupport
import Glibc
import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// Two hosts, 500 documents, and a fault in the middle: each document gets one Job, and there are never too many at once.
    @Suite struct FaultTests {
        /// Longer than its Lease, in the middle of its calls; then it goes on as if nothing had been.
        @Test(arguments: [100, Batch.size])
        func aLeaderThatStoodStillDoesNotDisturbTheNext(maximum: Int) async throws {
            try await HostFixture.with { fixture in
                let batch = try await Batch(in: fixture, maximum: maximum, keepSucceeded: 0)
                let crew = HostCrew(fixture)
                try await batch.run(crew) { leader in
                    leader.signal(SIGSTOP)
                    let before = try await Self.settled(batch)
                    #expect(before < Batch.size, "the batch was over before the leader stood still")
                    // The next one waits until the Lease is over and what the first may have sent has ended.
                    try await batch.created(before + 1, within: .seconds(30))
                    #expect(try await crew.leader() == 1)
                    leader.signal(SIGCONT)
                    try await eventually("the end of the first leader", within: .seconds(10), otherwise: { leader.log })
                    {
                        leader.hasEnded
                    }
                    #expect(leader.log.contains("is lost"))
                }
                batch.expectAllIsWell()
            }
        }

        @Test func aKilledLeaderIsReplaced() async throws {
            try await HostFixture.with { fixture in
                let batch = try await Batch(in: fixture, maximum: 100, keepSucceeded: 0)
                let crew = HostCrew(fixture)
                try await batch.run(crew) { leader in
                    try await leader.kill()
                    #expect(batch.created < Batch.size, "the batch was over before the leader was killed")
                }
                batch.expectAllIsWell()
                #expect(crew.ends == 1)
            }
        }

        /// Nothing can be read or written, no Lease renewed.
        @Test func twentySecondsWithoutEtcd() async throws {
            try await Self.withOwnCluster { cluster, fixture in
                let batch = try await Batch(in: fixture, maximum: 100)
                let crew = HostCrew(fixture)
                try await batch.run(crew, within: .seconds(90)) { _ in
                    try await cluster.tool("etcd", "kill")
                    let before = try await Self.settled(batch)
                    #expect(before < Batch.size, "the batch was over before etcd was stopped")
                    // How long it is away is what is tried here; there is no event to wait for.
                    try await Task.sleep(for: .seconds(20))
                    #expect(batch.created == before)
                    try await cluster.tool("etcd", "start")
                }
                batch.expectAllIsWell()
            }
        }

        /// Short enough for the leader to keep its Lease.
        @Test func aRestartOfTheAPIServer() async throws {
            try await Self.withOwnCluster { cluster, fixture in
                let batch = try await Batch(in: fixture, maximum: 100)
                let crew = HostCrew(fixture, leaseDuration: 30)
                try await batch.run(crew, within: .seconds(90)) { leader in
                    try await cluster.tool("apiserver", "kill")
                    #expect(batch.created < Batch.size, "the batch was over before the API server was killed")
                    try await cluster.tool("apiserver", "start")
                    #expect(!leader.hasEnded)
                }
                batch.expectAllIsWell()
                #expect(crew.ends == 0)
            }
        }

        /// Of reads, writes and renewals alike; the server has done what it was asked.
        @Test func everyTenthAnswerIsLost() async throws {
            try await HostFixture.with { fixture in
                let proxy = try fixture.startProxy()
                let relay = try await LossyRelay(to: try await fixture.proxyPort(of: proxy), losingEvery: 10)
                let line = fixture.folder.write(Self.kubeconfig(port: relay.port), to: "relay.json")
                let batch = try await Batch(in: fixture, maximum: 100, keepSucceeded: 0)
                let crew = HostCrew(fixture, flags: ["--kubeconfig", line])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await relay.run() }
                    group.addTask { try await batch.run(crew, within: .seconds(90)) { _ in } }
                    try await group.firstToEnd()
                }
                batch.expectAllIsWell()
                #expect(relay.lost >= 50)
                #expect(relay.lostWrites >= 30)
            }
        }

        /// Waits until no Job appears any more: what was sent has been done.
        private static func settled(_ batch: Batch) async throws -> Int {
            var last = (count: -1, since: ContinuousClock.now)
            try await eventually("creations have ended", within: .seconds(10)) {
                let count = batch.created
                if count != last.count { last = (count, .now) }
                return last.since.duration(to: .now) > .milliseconds(700)
            }
            return last.count
        }

        private static func withOwnCluster(
            _ body: @escaping @Sendable (TestCluster, HostFixture) async throws -> Void
        ) async throws {
            let cluster = try await HostFixture.cluster(name: "hosts-broken", port: 16743)
            try await HostFixture.with(cluster) { fixture in try await body(cluster, fixture) }
            try await cluster.stop()
        }

        private static func kubeconfig(port: Int) -> String {
            """
            {"apiVersion": "v1", "kind": "Config", "current-context": "a",
             "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
             "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:\(port)"}}],
             "users": [{"name": "a", "user": {}}]}
            """
        }
    }
}
