import Controller
import Kubernetes
import NIOConcurrencyHelpers
import Standalone
import Testing

/// How the shell follows the objects that set limits, and what it makes of those that it may not see.
@Suite(.timeLimit(.minutes(1))) struct LimitWatchTests {
    @Test func aBudgetOfTheStandaloneModeHoldsAndSaysSo() async throws {
        let world = try await World()
        try await world.createBudget(["maxRunningJobs": 2])
        try await world.run {
            world.source.waiting = 5
            world.source.push()
            try await world.until("two Jobs") { try await world.jobs().count == 2 }
            try await world.until("the status") {
                let status = try await world.budgetStatus()
                return status?[path: "inUse", "jobs"] == 2 && status?[path: "waiting", "scaledJobs"] == 1
            }
            #expect(try await world.jobs().count == 2)
            let names = try await world.budgetStatus()?[path: "waiting", "names"]?.arrayValue
            #expect(names?.first?["scaledJob"] == "media/transcode")
            #expect(names?.first?["for"] == "waits for the budget x: 2 of 2 Jobs running")
        }
    }

    /// Who may see nothing of a group is told 403 whether it is there or not.
    @Test func withoutTheKindNothingWaitsForItWhateverTheRights() async throws {
        let world = try await World()
        let api = WithoutRights(world.cluster, groupIsServed: false)
        try await world.run(over: api) {
            world.source.waiting = 5
            world.source.push()
            try await world.until("five Jobs") { try await world.jobs().count == 5 }
        }
        #expect(api.discoveries > 0)
    }

    @Test func withTheKindAndWithoutTheRightNothingIsCreated() async throws {
        let world = try await World()
        let api = WithoutRights(world.cluster, groupIsServed: true)
        try await world.run(over: api) {
            world.source.waiting = 5
            world.source.push()
            try await world.until("Ready says so") {
                let message = try await world.condition("Ready")?["message"]?.stringValue
                return message?.contains("give the host the right to list and watch jobbudgets of sluice.dev") == true
            }
            #expect(try await world.jobs() == [])
        }
    }
}

extension World {
    fileprivate func createBudget(_ spec: JSONValue) async throws {
        let object: JSONValue = [
            "apiVersion": "sluice.dev/v1alpha1", "kind": "JobBudget", "metadata": ["name": "x"], "spec": spec,
        ]
        _ = try await self.cluster.send(APIRequest(.create, .jobBudgets, body: object.encoded()))
    }

    fileprivate func budgetStatus() async throws -> JSONValue? {
        try JSONValue(parsing: await self.cluster.send(APIRequest(.get, .jobBudgets, name: "x")))["status"]
    }

    fileprivate func run(over api: any KubernetesAPI, _ body: @escaping @Sendable () async throws -> Void) async throws
    {
        let controller = self.controller(api)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await controller.run() }
            try await body()
            group.cancelAll()
        }
    }
}

/// A cluster that lets nobody see what sets limits.
private final class WithoutRights: KubernetesAPI {
    private let cluster: any KubernetesAPI
    private let groupIsServed: Bool
    private let asked = NIOLockedValueBox(0)

    init(_ cluster: any KubernetesAPI, groupIsServed: Bool) {
        self.cluster = cluster
        self.groupIsServed = groupIsServed
    }

    /// How often it was asked what the group has.
    var discoveries: Int { self.asked.withLockedValue { $0 } }

    func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        if request.resource.plural.isEmpty {
            self.asked.withLockedValue { $0 += 1 }
            guard self.groupIsServed else { throw KubernetesError(.notFound, "no such group", status: 404) }
            return Array(#"{"kind": "APIResourceList", "resources": [{"name": "jobbudgets"}]}"#.utf8)
        }
        let hidden: [APIResource] = [.jobBudgets, .resourceQuotas, .limitRanges]
        guard !hidden.contains(request.resource) else {
            throw KubernetesError(.forbidden, "\(request.resource.plural) is forbidden", status: 403)
        }
        return try await self.cluster.send(request)
    }

    func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        try await self.cluster.watch(request)
    }
}
