import ClusterTestSupport
import Foundation
import Kubernetes
import NIOConcurrencyHelpers
import Testing

extension WholeHostTests {
    /// JobBudgets and ResourceQuotas with the real program and a real API server.
    @Suite struct BudgetTests {
        /// A ScaledJob whose backlog never ends.
        private static func scaledJob(
            _ name: String,
            labels: [String: JSONValue] = [:],
            annotations: [String: JSONValue] = [:],
            history: Int64 = 5
        ) -> JSONValue {
            var object = Manifests.scaledJob(
                name,
                triggers: [["type": "scripted", "metadata": ["value": "1000"]]],
                [
                    "pollingInterval": 2, "maxReplicaCount": 1000,
                    "successfulJobsHistoryLimit": .integer(history),
                ]
            )
            object["metadata"] = [
                "name": .string(name), "labels": .object(labels), "annotations": .object(annotations),
            ]
            return object
        }

        private static func budget(_ name: String, _ spec: JSONValue) -> JSONValue {
            [
                "apiVersion": "sluice.dev/v1alpha1", "kind": "JobBudget", "metadata": ["name": .string(name)],
                "spec": spec,
            ]
        }

        /// Gives a budget of this namespace to the body and takes it away afterwards.
        private static func withBudget(
            _ fixture: HostFixture,
            _ members: [String: JSONValue],
            _ body: (String) async throws -> Void
        ) async throws {
            var spec = JSONValue.object(members)
            spec["selector"] = ["namespaces": [.string(fixture.namespace)]]
            let name = fixture.namespace
            let object = try Self.budget(name, spec).encoded()
            _ = try await fixture.client.send(APIRequest(.create, .jobBudgets, body: object))
            do {
                try await body(name)
            } catch {
                _ = try? await fixture.client.send(APIRequest(.delete, .jobBudgets, name: name))
                throw error
            }
            _ = try await fixture.client.send(APIRequest(.delete, .jobBudgets, name: name))
        }

        private static func edit(_ fixture: HostFixture, _ budget: String, _ spec: JSONValue) async throws {
            let patch = try JSONValue.object(["spec": spec]).encoded()
            _ = try await fixture.client.send(APIRequest(.mergePatch, .jobBudgets, name: budget, body: patch))
        }

        private static func status(_ fixture: HostFixture, _ budget: String) async throws -> JSONValue? {
            let body = try await fixture.client.send(APIRequest(.get, .jobBudgets, name: budget))
            return try JSONValue(parsing: body)["status"]
        }

        /// Ends unfinished Jobs, the oldest first, a few at a time, whenever `least` run, until the task is cancelled.
        private static func endJobs(_ fixture: HostFixture, least: Int) async throws {
            var ended: Set<String> = []
            while !Task.isCancelled {
                let running = fixture.jobs.unfinished().filter { !ended.contains($0.uid) }
                let next = running.prefix(12)
                guard running.count >= least else {
                    try await Task.sleep(for: .milliseconds(10))
                    continue
                }
                ended.formUnion(next.map(\.uid))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for job in next { group.addTask { try await fixture.kubelet.end(job.name) } }
                    try await group.waitForAll()
                }
            }
        }

        /// 50 ScaledJobs with a backlog of 1,000 each share 100 Jobs: two teams, three parts to one.
        @Test func fiftyScaledJobsNeverHaveOneJobTooMany() async throws {
            try await HostFixture.with { fixture in
                let limits: [String: JSONValue] = [
                    "maxRunningJobs": 100,
                    "sharing": ["by": "label", "label": "team", "weights": ["video": 3]],
                ]
                try await Self.withBudget(fixture, limits) { budget in
                    for number in 0..<50 {
                        let team: JSONValue = number < 25 ? "video" : "audio"
                        try await fixture.create(
                            .scaledJobs,
                            Self.scaledJob("sj-\(number)", labels: ["team": team])
                        )
                    }
                    let video = Set((0..<25).map { "sj-\($0)" })
                    try fixture.startHost()
                    try await eventually("100 Jobs", within: .seconds(60)) { fixture.jobs.unfinished().count == 100 }
                    // The status is that of what is there.
                    try await eventually("the status", within: .seconds(20)) {
                        let status = try await Self.status(fixture, budget)
                        return status?[path: "inUse", "jobs"] == 100 && status?[path: "waiting", "scaledJobs"] == 50
                            && status?[path: "waiting", "names"]?.arrayValue?.count == 10
                    }
                    let table = try await fixture.cluster.kubectl("get", "jb", budget, "--no-headers")
                    #expect(table.split(separator: " ").prefix(4).map(String.init) == [budget, "100", "100", "50"])
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await Self.endJobs(fixture, least: 95) }
                        group.addTask {
                            // Once over, so that the order of the start is gone; then watched.
                            try await fixture.jobs.created(300, within: .seconds(120))
                            var (ofVideo, ofAll, samples) = (0.0, 0.0, 0)
                            while fixture.jobs.all().count < 1_500 {
                                let running = fixture.jobs.unfinished()
                                ofVideo += Double(running.count { video.contains($0.scaledJob) })
                                ofAll += Double(running.count)
                                samples += 1
                                try await Task.sleep(for: .milliseconds(10))
                            }
                            let share = ofVideo / ofAll
                            #expect(abs(share - 0.75) <= 0.75 * 0.05, "share \(share) of \(samples) samples")
                            #expect(ofAll / Double(samples) > 60, "and the budget is used")
                        }
                        try await group.firstToEnd()
                    }
                    #expect(fixture.jobs.mostOfAll == 100)
                    let least = (0..<50).map { fixture.jobs.all(of: "sj-\($0)").count }.min() ?? 0
                    #expect(least >= 5, "nobody is left out")
                    #expect(fixture.jobs.killed == [])
                }
            }
        }

        /// A budget is edited while Jobs come and go: less takes no Job away, more is used at once.
        @Test func anEditedBudgetHoldsFromThenOn() async throws {
            try await HostFixture.with { fixture in
                try await Self.withBudget(fixture, ["maxRunningJobs": 40]) { budget in
                    for number in 0..<8 { try await fixture.create(.scaledJobs, Self.scaledJob("sj-\(number)")) }
                    try fixture.startHost()
                    try await eventually("40 Jobs", within: .seconds(60)) { fixture.jobs.unfinished().count == 40 }
                    try await Self.edit(fixture, budget, ["maxRunningJobs": 80])
                    try await eventually("80 Jobs", within: .seconds(30)) { fixture.jobs.unfinished().count == 80 }
                    try await Self.edit(fixture, budget, ["maxRunningJobs": 10])
                    try await eventually("the status", within: .seconds(20)) {
                        let status = try await Self.status(fixture, budget)
                        return status?[path: "limit", "jobs"] == 10 && status?[path: "inUse", "jobs"] == 80
                    }
                    #expect(fixture.jobs.unfinished().count == 80)
                    let before = fixture.jobs.all().count
                    for job in fixture.jobs.unfinished().prefix(70) { try await fixture.kubelet.end(job.name) }
                    try await eventually("10 are left", within: .seconds(30)) { fixture.jobs.unfinished().count == 10 }
                    #expect(fixture.jobs.all().count == before, "none begins above the limit")
                    for job in fixture.jobs.unfinished().prefix(5) { try await fixture.kubelet.end(job.name) }
                    try await fixture.jobs.created(before + 5, within: .seconds(30))
                    try await eventually("10 Jobs again", within: .seconds(30)) {
                        fixture.jobs.unfinished().count == 10
                    }
                    // A mistake: what was good holds.
                    try await Self.edit(fixture, budget, ["maxResources": ["cpu": "1e50"], "maxRunningJobs": 30])
                    try await eventually("the mistake is named", within: .seconds(20)) {
                        let ready = try await Self.status(fixture, budget)?["conditions"]?.arrayValue?.first
                        return ready?["status"] == "False"
                            && ready?["message"]?.stringValue?.hasPrefix("spec.maxResources.cpu: ") == true
                    }
                    #expect(fixture.jobs.unfinished().count == 10)
                    #expect(fixture.jobs.mostOfAll == 80)
                    #expect(fixture.jobs.killed == [])
                }
            }
        }

        /// Job objects and Pods of a namespace are limited by its quota, of which others use a part.
        @Test func aQuotaIsNeverRunInto() async throws {
            let cluster = try await HostFixture.cluster(
                name: "quotas",
                port: 16943,
                controllers: "resourcequota,serviceaccount"
            )
            try await HostFixture.with(cluster) { fixture in
                let quota: JSONValue = [
                    "apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "jobs"],
                    "spec": ["hard": ["count/jobs.batch": "30", "requests.cpu": "100"]],
                ]
                try await fixture.create(.resourceQuotas, quota)
                try await eventually("the quota is counted", within: .seconds(30)) {
                    try await fixture.get(.resourceQuotas, "jobs")[path: "status", "used", "count/jobs.batch"] == "0"
                }
                for number in 0..<5 { try await fixture.create(.jobs, Self.foreignJob("foreign-\(number)")) }
                for name in ["a", "b"] {
                    try await fixture.create(.scaledJobs, Self.scaledJob(name, history: 3))
                }
                let refusals = NIOLockedValueBox<[String]>([])
                let api = NotingAPI(try cluster.client()) { request, error in
                    guard request.verb == .create, request.resource == .jobs, error.code == .forbidden else { return }
                    refusals.withLockedValue { $0.append(error.message) }
                }
                try await fixture.withController(over: api) {
                    try await eventually("the room is used", within: .seconds(60)) {
                        fixture.jobs.unfinished(of: "a").count + fixture.jobs.unfinished(of: "b").count == 25
                    }
                    try await fixture.lastDecision(of: "a", contains: "ResourceQuota jobs: count/jobs.batch")
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await Self.endJobs(fixture, of: ["a", "b"]) }
                        group.addTask {
                            try await eventually("150 Jobs", within: .seconds(120)) {
                                fixture.jobs.all(of: "a").count + fixture.jobs.all(of: "b").count >= 150
                            }
                        }
                        try await group.firstToEnd()
                    }
                }
                #expect(refusals.withLockedValue { $0 } == [])
                #expect(fixture.jobs.mostOfAll <= 30)
            }
        }

        private static func foreignJob(_ name: String) -> JSONValue {
            [
                "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": .string(name)],
                "spec": [
                    "template": [
                        "spec": [
                            "restartPolicy": "Never",
                            "containers": [
                                ["name": "main", "image": "main:1", "resources": ["requests": ["cpu": "1m"]]]
                            ],
                        ]
                    ]
                ],
            ]
        }

        /// Ends Jobs of these ScaledJobs one after the other until the task is cancelled.
        private static func endJobs(_ fixture: HostFixture, of scaledJobs: [String]) async throws {
            var ended: Set<String> = []
            while !Task.isCancelled {
                let next = scaledJobs.flatMap { fixture.jobs.unfinished(of: $0) }.first { !ended.contains($0.uid) }
                guard let next else {
                    try await Task.sleep(for: .milliseconds(10))
                    continue
                }
                ended.insert(next.uid)
                try await fixture.kubelet.end(next.name)
            }
        }
    }
}

/// An API that tells of every call that failed.
struct NotingAPI: KubernetesAPI {
    private let api: any KubernetesAPI
    private let note: @Sendable (APIRequest, KubernetesError) -> Void

    init(_ api: any KubernetesAPI, _ note: @escaping @Sendable (APIRequest, KubernetesError) -> Void) {
        self.api = api
        self.note = note
    }

    func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        do throws(KubernetesError) {
            return try await self.api.send(request)
        } catch {
            self.note(request, error)
            throw error
        }
    }

    func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream { try await self.api.watch(request) }
}
