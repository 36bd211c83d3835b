import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// Of several that could act, one does: another host, or a KEDA operator.
    @Suite struct LeadershipTests {
        private static let keda = "keda-operator-5d9f8_31c0"

        @Test func aHostWaitsUntilTheOperatorGivesItsLeaseBack() async throws {
            try await HostFixture.with { fixture in
                try await fixture.create(.leases, Self.lease(holder: Self.keda))
                let documents = fixture.documents(3)
                try await fixture.create(.scaledJobs, Manifests.scaledJob("shared", documents))
                let host = try fixture.startHost(Self.elects(in: fixture))
                try await eventually("the host waits", otherwise: { host.log }) { host.log.contains(Self.keda) }
                #expect(fixture.jobs.all(of: "shared").isEmpty)
                // The operator is scaled to nothing: it empties its Lease as it goes.
                try await fixture.patch(.leases, "operator.keda.sh", ["spec": ["holderIdentity": ""]])
                try await fixture.jobs.created(3, of: "shared")
                let lease = try await fixture.get(.leases, "operator.keda.sh")
                let transitions = lease[path: "spec", "leaseTransitions"]?.integerValue
                #expect(transitions == 1)
                // And the way back: a host that is stopped empties it too.
                try await host.stop()
                let left = try await fixture.get(.leases, "operator.keda.sh")
                let holder = left[path: "spec", "holderIdentity"]?.stringValue ?? ""
                #expect(holder == "")
                #expect(fixture.jobs.all(of: "shared").count == 3)
            }
        }

        @Test func theNextHostTakesOverAndDoublesNothing() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(3)
                try await fixture.create(.scaledJobs, Manifests.scaledJob("handed", documents))
                let socket = TemporarySocket()
                defer { socket.remove() }
                let first = try fixture.startHost(Self.elects(in: fixture))
                try await fixture.jobs.created(3, of: "handed")
                let second = try fixture.startHost(
                    Self.elects(in: fixture) + ["--socket", socket.path],
                    log: "second.log"
                )
                try await eventually("the second host waits") { second.log.contains("waits for its turn") }
                documents.add(2)
                try await fixture.jobs.created(5, of: "handed")
                try await first.stop()
                documents.add(2)
                try await fixture.jobs.created(7, of: "handed", within: .seconds(10))
                #expect(fixture.jobs.most(of: "handed") == 7)
            }
        }

        @Test func aHostThatLosesItsLeaseStops() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(1)
                try await fixture.create(.scaledJobs, Manifests.scaledJob("taken", documents))
                let host = try fixture.startHost(Self.elects(in: fixture))
                try await fixture.jobs.created(1, of: "taken")
                try await fixture.patch(
                    .leases,
                    "operator.keda.sh",
                    ["spec": ["holderIdentity": .string(Self.keda)]]
                )
                try await eventually("the host's end", otherwise: { host.log }) { host.hasEnded }
                #expect(host.log.contains("is lost"))
                #expect(fixture.jobs.killed == [])
            }
        }

        private static func elects(in fixture: HostFixture) -> [String] {
            ["--leader-elect", "--lease-namespace", fixture.namespace, "--lease-duration", "5"]
        }

        private static func lease(holder: String) -> JSONValue {
            [
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": ["name": "operator.keda.sh"],
                "spec": [
                    "holderIdentity": .string(holder), "leaseDurationSeconds": 3600, "leaseTransitions": 0,
                    "acquireTime": .string(KubernetesTime.now.microTime),
                    "renewTime": .string(KubernetesTime.now.microTime),
                ],
            ]
        }
    }
}
