import ClusterTestSupport
import Foundation
import Kubernetes
import NIOConcurrencyHelpers
import PluginPeers
import Servers
import Testing

extension WholeHostTests {
    /// A leader that stood still for longer than its Lease writes nothing any more.
    @Suite struct FencingTests {
        private static let leaseSeconds = 5

        @Test func aLeaderThatStoodStillSendsNotOneWrite() async throws {
            try await HostFixture.with { fixture in
                let proxy = try await Self.proxy(for: fixture)
                defer { proxy.stop() }
                let documents = fixture.documents(0)
                try await fixture.create(
                    .scaledJobs,
                    Manifests.scaledJob("stopped", documents, maximum: 400)
                )
                let host = try fixture.startHost([
                    "--kubeconfig", Self.kubeconfig(at: proxy.address, in: fixture),
                    "--leader-elect", "--lease-namespace", fixture.namespace,
                    "--lease-duration", "\(Self.leaseSeconds)",
                ])
                try await fixture.isReady("stopped")
                // As many creations as may be under way are, and others wait inside the host.
                proxy.holdAnswers { $0.method == "POST" && $0.target.contains("/jobs?") }
                documents.add(400)
                try await fixture.jobs.created(8, of: "stopped")
                host.signal(SIGSTOP)
                // The answers lie there when it goes on, and let the others begin.
                proxy.release()
                try await Self.leaseRunsOut(fixture)
                try await fixture.patch(
                    .leases,
                    "operator.keda.sh",
                    ["spec": ["holderIdentity": "another"]]
                )
                let before = proxy.log.count
                let jobs = fixture.jobs.all(of: "stopped").count
                #expect(jobs < 400)
                host.signal(SIGCONT)
                try await eventually("the host's end", otherwise: { host.log }) { host.hasEnded }
                let writes = proxy.log.dropFirst(before).filter { $0.method != "GET" }
                #expect(writes.isEmpty, "\(writes.map { "\($0.method) \($0.target)" })")
                #expect(fixture.jobs.all(of: "stopped").count == jobs)
                #expect(fixture.jobs.killed == [])
            }
        }

        /// Waits until the holder has not renewed for as long as its Lease lasts.
        private static func leaseRunsOut(_ fixture: HostFixture) async throws {
            var last: JSONValue?
            var since = ContinuousClock.now
            try await eventually("the end of the Lease") {
                let renewed = try await fixture.get(.leases, "operator.keda.sh")[path: "spec", "renewTime"]
                if renewed != last { (last, since) = (renewed, .now) }
                return ContinuousClock.now - since > .seconds(Self.leaseSeconds)
            }
        }

        /// The API server over plain HTTP, with every request written down.
        private static func proxy(for fixture: HostFixture) async throws -> AuditProxy {
            let kubectl = try fixture.start(
                path: "/usr/bin/env",
                ["kubectl", "--kubeconfig", fixture.cluster.kubeconfig, "proxy", "--port", "0"],
                log: "kubectl-proxy.log"
            )
            var port: Int?
            try await eventually("kubectl proxy", otherwise: { kubectl.log }) {
                port = kubectl.log.firstMatch(of: /serve on 127\.0\.0\.1:([0-9]+)/).flatMap { Int($0.1) }
                return port != nil
            }
            return try AuditProxy(upstream: port ?? 0)
        }

        private static func kubeconfig(at address: String, in fixture: HostFixture) -> String {
            let text = """
                apiVersion: v1
                kind: Config
                current-context: audit
                clusters: [{name: audit, cluster: {server: "\(address)"}}]
                users: [{name: audit, user: {}}]
                contexts: [{name: audit, context: {cluster: audit, user: audit, namespace: \(fixture.namespace)}}]
                """
            return fixture.folder.write(text, to: "audit.kubeconfig")
        }
    }
}
