import Kubernetes
import PluginPeers
import Testing

extension WholeHostTests {
    /// Hosts that share a namespace by the labels of ScaledJobs.
    @Suite struct ShardTests {
        @Test func aScaledJobChangesHandsWithoutADoubledOrKilledJob() async throws {
            try await HostFixture.with { fixture in
                let socket = TemporarySocket()
                defer { socket.remove() }
                let (moved, fixed) = (fixture.documents(400, "moved"), fixture.documents(3, "fixed"))
                try await fixture.create(
                    .scaledJobs,
                    Self.labelled("a", Manifests.scaledJob("moved", moved, maximum: 450))
                )
                try await fixture.create(.scaledJobs, Self.labelled("b", Manifests.scaledJob("fixed", fixed)))
                let first = try fixture.startHost(Self.serves("team in (a)", in: fixture), log: "a.log")
                let second = try fixture.startHost(
                    Self.serves("team=b", in: fixture) + ["--socket", socket.path],
                    log: "b.log"
                )
                // Each leads its shard, and sees its own.
                try await fixture.jobs.created(3, of: "fixed")
                try await fixture.jobs.created(10, of: "moved")
                #expect(first.log.contains("leads") && second.log.contains("leads"))
                #expect(!second.log.contains("/moved"))
                #expect(!first.log.contains("/fixed"))
                // In the middle of a batch.
                let edit: JSONValue = ["metadata": ["labels": ["team": "b"]]]
                try await fixture.patch(.scaledJobs, "moved", edit)
                #expect(fixture.jobs.all(of: "moved").count < 400, "the batch was over before it was moved")
                try await eventually("the first host lets it go") { first.log.contains("left this shard") }
                try await eventually("the second host serves it", within: .seconds(30)) {
                    let status = try await fixture.get(.scaledJobs, "moved")["status"]
                    return status?["shard"]?.stringValue == "team=b"
                }
                try await fixture.jobs.created(400, of: "moved")
                for number in 401...402 {
                    moved.add(1)
                    try await fixture.jobs.created(number, of: "moved")
                }
                #expect(fixture.jobs.all(of: "moved").count == 402)
                #expect(fixture.jobs.most(of: "moved") == 402)
                #expect(fixture.jobs.killed == [])
                #expect(try await first.stop() == 0)
                #expect(try await second.stop() == 0)
            }
        }

        @Test func twoShardsWithOneLeaseAreTold() async throws {
            try await HostFixture.with { fixture in
                let socket = TemporarySocket()
                defer { socket.remove() }
                let lease = ["--lease-name", "shared"]
                let first = try fixture.startHost(Self.serves("team=a", in: fixture) + lease, log: "a.log")
                try await eventually("the first host leads") { first.log.contains("leads") }
                let second = try fixture.startHost(
                    Self.serves("team=b", in: fixture) + lease + ["--socket", socket.path],
                    log: "b.log"
                )
                try await eventually("the second host complains", otherwise: { second.log }) {
                    second.log.contains("hosts of another shard use the same Lease")
                }
                #expect(second.log.contains("ScaledJobs with team=a"))
            }
        }

        @Test(arguments: [
            ("", "is empty"), ("team in a", "is not a label selector"), ("team=a b", "is not a label selector"),
        ])
        func aSelectorThatIsNoneIsRefused(selector: String, words: String) async throws {
            try await HostFixture.with { fixture in
                let host = try fixture.startHost(plugins: [], ["--scaledjob-selector", selector])
                try await eventually("its end") { host.hasEnded }
                #expect(host.log.contains("--scaledjob-selector: ") && host.log.contains(words))
            }
        }

        private static func serves(_ selector: String, in fixture: HostFixture) -> [String] {
            ["--scaledjob-selector", selector, "--leader-elect", "--lease-namespace", fixture.namespace]
        }

        private static func labelled(_ team: String, _ scaledJob: JSONValue) -> JSONValue {
            var scaledJob = scaledJob
            var metadata = scaledJob["metadata"] ?? [:]
            metadata["labels"] = ["team": .string(team)]
            scaledJob["metadata"] = metadata
            return scaledJob
        }
    }
}
