import Kubernetes
import NIOConcurrencyHelpers
import Testing

extension WholeHostTests {
    /// A namespace whose quota allows few Jobs, and many items that wait.
    @Suite struct QuotaTests {
        @Test func aThousandItemsUnderAQuotaOfFiveCostAFewCalls() async throws {
            try await HostFixture.with { fixture in
                try await fixture.create(
                    .resourceQuotas,
                    [
                        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "few"],
                        "spec": ["hard": ["count/jobs.batch": "5"]],
                    ]
                )
                try await Self.allow(5, used: 0, fixture)
                let documents = fixture.documents(1000)
                let calls = NIOLockedValueBox(0)
                let api = FaultyAPI(fixture.client) { request in
                    // A host that may see no quota learns of it from the API server's refusals.
                    if request.resource == .resourceQuotas {
                        return .refused(KubernetesError(.forbidden, "made to fail", status: 403))
                    }
                    if request.createsJob { calls.withLockedValue { $0 += 1 } }
                    return .delivered
                }
                let start = ContinuousClock.now
                try await fixture.withController(over: api) {
                    try await fixture.create(
                        .scaledJobs,
                        Manifests.scaledJob("many", documents, maximum: 1000)
                    )
                    try await fixture.jobs.created(5, of: "many")
                    let condition = try await fixture.condition("Ready", of: "many") { $0.status == "False" }
                    #expect(condition.reason == "KEDAJobCreateFailed")
                    #expect(condition.message.contains("exceeded quota: few"))
                    #expect(!condition.message.contains("many-"))
                    // It goes on trying, at most a few times in each polling interval of a second.
                    try await eventually("more attempts") { calls.withLockedValue { $0 } > 20 }
                    let seconds = (ContinuousClock.now - start) / .seconds(1)
                    #expect(Double(calls.withLockedValue { $0 }) < 30 + 4 * seconds)
                    #expect(fixture.jobs.all(of: "many").count == 5)
                    let told = try await fixture.list(.events).filter {
                        $0["reason"]?.stringValue == "KEDAJobCreateFailed"
                    }
                    #expect(told.count == 1)
                    // And notices that there is room again.
                    try await Self.allow(9, used: 5, fixture)
                    try await fixture.jobs.created(9, of: "many")
                }
                #expect(fixture.jobs.most(of: "many") == 9)
            }
        }

        /// What the quota controller would write.
        private static func allow(_ hard: Int, used: Int, _ fixture: HostFixture) async throws {
            let patch: JSONValue = [
                "spec": ["hard": ["count/jobs.batch": .string("\(hard)")]],
                "status": [
                    "hard": ["count/jobs.batch": .string("\(hard)")],
                    "used": ["count/jobs.batch": .string("\(used)")],
                ],
            ]
            for subresource in [nil, "status"] {
                _ = try await fixture.client.send(
                    APIRequest(
                        .mergePatch,
                        .resourceQuotas,
                        namespace: fixture.namespace,
                        name: "few",
                        subresource: subresource,
                        body: try patch.encoded()
                    )
                )
            }
        }
    }
}
