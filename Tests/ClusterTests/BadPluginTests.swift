import Glibc
import Kubernetes
import NIOConcurrencyHelpers
import PluginPeers
import Testing

extension WholeHostTests {
    /// One bad source hurts only its own triggers: those are unknown, and recover within one polling interval of its return.
    @Suite struct BadPluginTests {
        private static let interval = 10

        @Test func aKilledPluginHoldsItsJobsUntilItIsBack() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(2, "bad")
                let plugin = try fixture.startPlugin("other")
                try await Self.course(
                    fixture,
                    Manifests.scaledJob("bad", documents, type: "other", interval: Self.interval),
                    broken: "not connected",
                    breaking: { try await plugin.kill() },
                    mending: { _ = try fixture.startPlugin("other") }
                )
            }
        }

        @Test func aStoppedPluginHoldsItsJobsUntilItGoesOn() async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(2, "bad")
                let plugin = try fixture.startPlugin("other")
                try await Self.course(
                    fixture,
                    Manifests.scaledJob("bad", documents, type: "other", interval: Self.interval),
                    broken: "",
                    breaking: { plugin.signal(SIGSTOP) },
                    mending: { plugin.signal(SIGCONT) }
                )
            }
        }

        /// Bytes after which nothing that the peer says can be trusted.
        enum Nonsense: String, CaseIterable, CustomTestStringConvertible {
            case garbage
            case twoGibibytes
            case brokenMessage

            var testDescription: String { self.rawValue }

            var bytes: [UInt8] {
                switch self {
                case .garbage: (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
                case .twoGibibytes: [0x80, 0, 0, 0] + [UInt8](repeating: 0xAA, count: 65_536)
                case .brokenMessage: [0, 0, 0, 5, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
                }
            }
        }

        @Test(arguments: Nonsense.allCases)
        func aPluginThatTalksNonsenseHoldsItsJobsUntilItMakesSense(nonsense: Nonsense) async throws {
            try await HostFixture.with { fixture in
                let plugin = PeerPlugin("other", waiting: 2)
                let isMended = NIOLockedValueBox(false)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await plugin.serve(fixture.folder.path)
                        try await eventually("the mending") { isMended.withLockedValue { $0 } }
                        try await plugin.serve(fixture.folder.path)
                    }
                    group.addTask {
                        try await Self.course(
                            fixture,
                            Self.counted(by: "other"),
                            broken: "not connected",
                            breaking: { plugin.send(bytes: nonsense.bytes) },
                            mending: { isMended.withLockedValue { $0 = true } }
                        )
                    }
                    try await group.firstToEnd()
                }
            }
        }

        @Test func aPluginThatNeverAnswersHoldsItsJobsUntilItDoes() async throws {
            try await HostFixture.with { fixture in
                let plugin = PeerPlugin("other", waiting: 2)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await plugin.serve(fixture.folder.path) }
                    group.addTask {
                        try await Self.course(
                            fixture,
                            Self.counted(by: "other"),
                            broken: "",
                            breaking: { plugin.answers(false) },
                            mending: { plugin.answers(true) }
                        )
                    }
                    try await group.firstToEnd()
                }
            }
        }

        /// What the scripted plugin does wrong when it opens or reads a trigger.
        @Test(arguments: ["crash", "flood", "leak", "invalid"])
        func aPluginThatMisbehavesHurtsOnlyItself(behaviour: String) async throws {
            try await HostFixture.with { fixture in
                let documents = fixture.documents(0, "healthy")
                // No document waits for the bad one; only the flood gets so far as to say so.
                let trigger: JSONValue = ["type": "other", "metadata": ["behaviour": .string(behaviour)]]
                try await fixture.create(
                    .scaledJobs,
                    Manifests.scaledJob("bad", triggers: [trigger], ["pollingInterval": 1])
                )
                try await fixture.create(.scaledJobs, Manifests.scaledJob("good", documents))
                let host = try fixture.startHost()
                // Started again whenever it ends, as the kubelet does.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        while true {
                            let plugin = try fixture.startPlugin("other")
                            try await eventually("its end", within: .seconds(600)) { plugin.hasEnded }
                        }
                    }
                    group.addTask {
                        let wanted = behaviour == "flood" ? "True" : "False"
                        let ready = try await fixture.condition("Ready", of: "bad") { $0.status == wanted }
                        #expect(!ready.message.contains("hunter2"), "a plugin's secret was shown")
                        for count in 1...4 {
                            documents.add(1)
                            try await fixture.jobs.created(count, of: "good", within: .seconds(5))
                        }
                    }
                    try await group.firstToEnd()
                }
                #expect(fixture.jobs.all(of: "bad").isEmpty)
                #expect(fixture.jobs.killed == [])
                #expect(!host.hasEnded)
                #expect(!host.log.contains("hunter2"), "a plugin's secret was logged")
            }
        }

        private static func counted(by type: String) -> JSONValue {
            let trigger: JSONValue = ["type": .string(type), "metadata": [:]]
            return Manifests.scaledJob("bad", triggers: [trigger], ["pollingInterval": .integer(Int64(Self.interval))])
        }

        /// What every fault comes to.
        ///
        /// Two documents wait for the ScaledJob `bad`, which is given.
        private static func course(
            _ fixture: HostFixture,
            _ bad: JSONValue,
            broken: String,
            breaking: () async throws -> Void,
            mending: () async throws -> Void
        ) async throws {
            let healthy = fixture.documents(1, "healthy")
            try await fixture.create(.scaledJobs, bad)
            try await fixture.create(.scaledJobs, Manifests.scaledJob("good", healthy))
            let host = try fixture.startHost()
            try await fixture.jobs.created(2, of: "bad")
            try await fixture.jobs.created(1, of: "good")
            try await fixture.isReady("bad")

            try await breaking()
            healthy.add(1)
            try await fixture.jobs.created(2, of: "good", within: .seconds(5))
            let ready = try await fixture.condition("Ready", of: "bad", within: .seconds(40)) { $0.status != "True" }
            #expect(ready.message.contains("spec.triggers[0]"))
            #expect(ready.message.contains("plugin other"))
            #expect(ready.message.contains(broken))
            try await fixture.lastDecision(of: "bad", contains: "backlog unknown")
            // A slot comes free; without a reading nothing follows from that.
            let first = try #require(fixture.jobs.all(of: "bad").first)
            try await fixture.kubelet.end(first.name)
            for count in 3...4 {
                healthy.add(1)
                try await fixture.jobs.created(count, of: "good", within: .seconds(5))
            }
            #expect(fixture.jobs.all(of: "bad").count == 2)
            #expect(fixture.jobs.existing(of: "bad").count == 2)

            try await mending()
            try await fixture.jobs.created(3, of: "bad", within: .seconds(Self.interval))
            try await fixture.isReady("bad")
            #expect(fixture.jobs.all(of: "bad").count == 3)
            #expect(fixture.jobs.killed == [])
            #expect(!host.hasEnded)
        }
    }
}
