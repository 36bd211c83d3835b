import ClusterTestSupport
import Glibc
import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// Two hosts, 500 documents, and a fault in the middle: each document gets one Job, and there are never too many at once.
    ///
    /// Most of the time passes until a Lease is over, so plays that share nothing run beside each other.
    @Suite struct FaultTests {
        @Test func aLeaderThatStoodStillOrDiedIsReplacedAndDisturbsNobody() async throws {
            try await Self.together([
                { try await Self.standStill(maximum: 100) },
                { try await Self.standStill(maximum: Batch.size) },
                { try await Self.die() },
            ])
        }

        @Test func lostAnswersAndAServerOrAStoreThatWasAwayCostNothingButTime() async throws {
            try await Self.together([
                { try await Self.loseAnswers() },
                {
                    let cluster = try await HostFixture.cluster(name: "hosts-broken", port: 16743)
                    try await Self.restartTheAPIServer(of: cluster)
                    try await Self.stopEtcd(of: cluster)
                    try await cluster.stop()
                },
            ])
        }

        // MARK: - Hosts that fail

        /// Longer than its Lease, in the middle of its calls; then it goes on as if nothing had been.
        ///
        /// It cannot read the Lease any more, so that nothing but its own clock tells it that its time is over.
        private static func standStill(maximum: Int) async throws {
            try await Self.withRelay { fixture, relay, line in
                let batch = try await Batch(in: fixture, maximum: maximum, keepSucceeded: 0)
                let crew = HostCrew(fixture) { number in number == 0 ? line : [] }
                try await batch.run(crew) { leader in
                    leader.signal(SIGSTOP)
                    relay.cutOff("/leases/")
                    let before = try await batch.settled()
                    #expect(before < Batch.size, "the batch was over before the leader stood still")
                    // The next one waits until the Lease is over and what the first may have sent has ended.
                    try await batch.created(before + 1, within: .seconds(40))
                    #expect(try await crew.leader() == 1)
                    leader.signal(SIGCONT)
                    try await eventually(
                        "the end of the first leader",
                        within: .seconds(10),
                        otherwise: { leader.log }
                    ) {
                        leader.hasEnded
                    }
                    #expect(leader.log.contains("is lost"))
                }
                batch.expectAllIsWell("a leader that stood still, at most \(maximum)")
            }
        }

        private static func die() async throws {
            try await HostFixture.with { fixture in
                let batch = try await Batch(in: fixture, maximum: 100, keepSucceeded: 0)
                let crew = HostCrew(fixture)
                try await batch.run(crew) { leader in
                    try await leader.kill()
                    #expect(batch.created < Batch.size, "the batch was over before the leader was killed")
                }
                batch.expectAllIsWell("a leader that was killed")
                #expect(crew.ends >= 1)
            }
        }

        // MARK: - Servers and lines that fail

        /// Of reads, writes and renewals alike; the server has done what it was asked, and the watches show it late.
        private static func loseAnswers() async throws {
            try await Self.withRelay(losingEvery: 10, watchDelay: .milliseconds(700)) { fixture, relay, line in
                let batch = try await Batch(in: fixture, maximum: 100, keepSucceeded: 0)
                let crew = HostCrew(fixture) { _ in line }
                try await batch.run(crew, within: .seconds(90)) { _ in }
                batch.expectAllIsWell("every tenth answer lost")
                #expect(relay.lost >= 50)
                #expect(relay.lostWrites >= 30)
            }
        }

        /// For a time that is short enough for the leader to keep its Lease.
        private static func restartTheAPIServer(of cluster: TestCluster) async throws {
            try await HostFixture.with(cluster) { fixture in
                let batch = try await Batch(in: fixture, maximum: 100)
                let crew = HostCrew(fixture, leaseDuration: 60)
                try await batch.run(crew, within: .seconds(90)) { leader in
                    try await cluster.tool("apiserver", "kill")
                    #expect(batch.created < Batch.size, "the batch was over before the API server was killed")
                    try await cluster.tool("apiserver", "start")
                    #expect(!leader.hasEnded)
                }
                batch.expectAllIsWell("an API server that was restarted")
                #expect(crew.ends == 0)
            }
        }

        /// Nothing can be read or written, no Lease renewed.
        private static func stopEtcd(of cluster: TestCluster) async throws {
            try await HostFixture.with(cluster) { fixture in
                let batch = try await Batch(in: fixture, maximum: 100)
                let crew = HostCrew(fixture)
                try await batch.run(crew, within: .seconds(90)) { _ in
                    try await cluster.tool("etcd", "kill")
                    let before = try await batch.settled()
                    #expect(before < Batch.size, "the batch was over before etcd was stopped")
                    // How long it is away is what is tried here; there is no event to wait for.
                    try await Task.sleep(for: .seconds(20))
                    #expect(batch.created == before)
                    try await cluster.tool("etcd", "start")
                }
                batch.expectAllIsWell("twenty seconds without etcd")
            }
        }

        // MARK: - What they share

        private static func together(_ plays: [@Sendable () async throws -> Void]) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for play in plays { group.addTask { try await play() } }
                try await group.waitForAll()
            }
        }

        /// A fixture with a relay in front of its API server, and the flags of a host that uses it.
        private static func withRelay(
            losingEvery period: Int? = nil,
            watchDelay: Duration = .zero,
            _ body: @escaping @Sendable (HostFixture, LossyRelay, _ flags: [String]) async throws -> Void
        ) async throws {
            try await HostFixture.with { fixture in
                let proxy = try fixture.startProxy()
                let port = try await fixture.proxyPort(of: proxy)
                let relay = try await LossyRelay(to: port, losingEvery: period, watchDelay: watchDelay)
                let file = fixture.folder.write(Self.kubeconfig(port: relay.port), to: "relay.json")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await relay.run() }
                    group.addTask { try await body(fixture, relay, ["--kubeconfig", file]) }
                    try await group.firstToEnd()
                }
            }
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
