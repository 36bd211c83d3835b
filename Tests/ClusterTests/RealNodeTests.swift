import ClusterTestSupport
import Foundation
import Kubernetes
import MongoDB
import MongoTestServer
import PluginPeers
import Testing

extension WholeHostTests {
    /// The transcoding example as a user runs it: real manifests, real pods on a real node, a real MongoDB.
    @Suite struct RealNodeTests {
        private let example = "\(TestCluster.repository)/examples/transcode"

        @Test func fiveVideosBecomeFiveFinishedJobsAndNoneIsLeft() async throws {
            let server = try await MongoTestServer.start(.replicaSet)
            let cluster = try await HostFixture.cluster(
                name: "hosts-node",
                port: 16843,
                controllers: "*",
                withNode: true
            )
            try await ChildProcess.run(
                "\(TestCluster.repository)/tools/image-from-binary",
                ["transcode-worker:latest", builtExecutable("transcode-worker"), "--name", cluster.name]
            )
            try await HostFixture.with(cluster, namespace: "default") { fixture in
                // Of the example's manifests only the connection string changes, and that pods share the host's network.
                let connect = "connect: \"mongodb://127.0.0.1:\(server.port)/?replicaSet=rs0\""
                let secret = try String(contentsOfFile: "\(self.example)/auth.yaml", encoding: .utf8)
                    .split(separator: "\n", omittingEmptySubsequences: false)
                    .map { $0.hasPrefix("  connect:") ? "  \(connect)" : String($0) }
                    .joined(separator: "\n")
                let authentication = fixture.folder.write(secret, to: "auth.yaml")
                _ = try await fixture.kubectl("apply", "-f", authentication, "-f", "\(self.example)/scaledjob.yaml")
                let network = #"{"spec":{"jobTargetRef":{"template":{"spec":{"hostNetwork":true}}}}}"#
                _ = try await fixture.kubectl("patch", "scaledjob", "transcode", "--type=merge", "--patch", network)

                try fixture.startHost(plugins: ["sluice-plugin-mongodb"])
                try await fixture.isReady("transcode")
                let videos = (1...5).map { number -> BSONDocument in
                    ["type": "mp4", "state": "waiting", "url": .string("\(number).mp4")]
                }
                try await server.insert(videos, into: "test_collection", of: "test")
                // Pushed: the polling interval is 15 seconds.
                try await fixture.jobs.created(5, of: "transcode", within: .seconds(10))
                try await eventually("five finished videos", within: .seconds(90)) {
                    try await server.count(["state": "finished"], in: "test_collection", of: "test") == 5
                }
                try await eventually("no Job left", within: .seconds(60)) {
                    try await fixture.list(.jobs).isEmpty
                }
                try await fixture.isAtRest("transcode")
                #expect(fixture.jobs.all(of: "transcode").count == 5)
                #expect(fixture.jobs.most(of: "transcode") <= 5)
                #expect(fixture.jobs.killed == [])
            }
            try await server.stop()
            try await cluster.stop()
        }
    }
}
