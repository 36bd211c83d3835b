import ClusterTestSupport
import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// The probes say what is true of the host, and nothing of others.
    @Suite struct HealthTests {
        private static let flags = [
            "--health-probe-bind-address", "127.0.0.1:0", "--metrics-bind-address", "127.0.0.1:0",
        ]

        @Test func aHostIsReadyWhenItHasListed() async throws {
            try await HostFixture.with { fixture in
                // No plugin: that is no fault of the host.
                let host = try fixture.startHost(plugins: [], Self.flags)
                let port = try await fixture.port(of: host, for: "health probes")
                #expect(try await fixture.ask("/healthz", port: port) == (200, "ok\n"))
                try await eventually("ready") { try await fixture.ask("/readyz", port: port) == (200, "ok\n") }
                let metrics = try await fixture.port(of: host, for: "metrics")
                #expect(try await fixture.ask("/", port: metrics).status == 404)
                #expect(try await host.stop() == 0)
            }
        }

        @Test func aHostThatSeesNoClusterIsAliveAndNotReady() async throws {
            try await HostFixture.with { fixture in
                let nowhere = fixture.folder.write(
                    """
                    {"apiVersion": "v1", "kind": "Config", "current-context": "a",
                     "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
                     "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
                     "users": [{"name": "a", "user": {}}]}
                    """,
                    to: "nowhere.json"
                )
                let host = try fixture.startHost(plugins: [], ["--kubeconfig", nowhere] + Self.flags)
                let port = try await fixture.port(of: host, for: "health probes")
                try await eventually("the first lap") {
                    try await fixture.ask("/readyz", port: port).text.contains("have not been listed")
                }
                let answer = try await fixture.ask("/readyz", port: port)
                #expect(answer.status == 503)
                let namespace = fixture.namespace
                #expect(
                    answer.text == "JobBudgets have not been listed yet\nLimitRanges have not been listed yet\n"
                        + "ResourceQuotas have not been listed yet\n"
                        + "ScaledJobs of namespace \(namespace) have not been listed yet\n"
                        + "Jobs of namespace \(namespace) have not been listed yet\n"
                )
                #expect(try await fixture.ask("/healthz", port: port) == (200, "ok\n"))
            }
        }

        @Test func aPortThatIsTakenIsSaidAndEndsTheHost() async throws {
            try await HostFixture.with { fixture in
                let first = try fixture.startHost(plugins: [], Self.flags)
                let port = try await fixture.port(of: first, for: "health probes")
                let second = try fixture.startHost(
                    plugins: [],
                    [
                        "--socket", "\(fixture.folder.folder)/second.sock", "--health-probe-bind-address",
                        "127.0.0.1:\(port)",
                    ]
                )
                try await eventually("the end of the second host") { second.hasEnded }
                #expect(try await second.stop() == 1)
                #expect(
                    second.log.contains("cannot listen for health probes at 127.0.0.1:\(port): the address is in use")
                )
            }
        }
    }
}
