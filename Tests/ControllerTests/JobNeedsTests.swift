import FoundationEssentials
import Kubernetes
import Scaling
import Testing

@testable import Controller

/// What one Job costs.
@Suite struct JobNeedsTests {
    private struct Row: Sendable {
        let what: String
        let job: JSONValue
        let cost: [String: Int128]
        var defaults: [String: Int128] = [:]
    }

    private static func container(_ requests: JSONValue = [:], limits: JSONValue = [:]) -> JSONValue {
        ["name": "c", "resources": ["requests": requests, "limits": limits]]
    }

    private static func job(_ containers: [JSONValue], _ more: [String: JSONValue] = [:]) -> JSONValue {
        var pod: [String: JSONValue] = ["containers": .array(containers)]
        pod.merge(more) { _, last in last }
        return ["template": ["spec": .object(pod)]]
    }

    private static func sidecar(_ requests: JSONValue) -> JSONValue {
        var container = Self.container(requests)
        container["restartPolicy"] = "Always"
        return container
    }

    private static func with(_ job: JSONValue, _ fields: [String: JSONValue]) -> JSONValue {
        var job = job
        for (key, value) in fields { job[key] = value }
        return job
    }

    private static let rows: [Row] = [
        Row(what: "nothing stated", job: job([container()]), cost: ["pods": 1_000]),
        Row(
            what: "the sum of the containers",
            job: job([container(["cpu": "500m", "memory": "1Ki"]), container(["cpu": 1, "nvidia.com/gpu": 2])]),
            cost: ["cpu": 1_500, "memory": 1_024_000, "nvidia.com/gpu": 2_000, "pods": 1_000]
        ),
        Row(
            what: "limits stand for requests that are not stated, by resource",
            job: job([container(["cpu": "1"], limits: ["cpu": "4", "memory": "2", "nvidia.com/gpu": "1"])]),
            cost: ["cpu": 1_000, "memory": 2_000, "nvidia.com/gpu": 1_000, "pods": 1_000]
        ),
        Row(
            what: "the largest init container, where it is larger",
            job: job(
                [container(["cpu": "2", "memory": "1"])],
                ["initContainers": [container(["cpu": "1", "memory": "5"]), container(["cpu": "3"])]]
            ),
            cost: ["cpu": 3_000, "memory": 5_000, "pods": 1_000]
        ),
        Row(
            what: "sidecars run beside the containers and beside later init containers",
            job: job(
                [container(["cpu": "2"])],
                [
                    "initContainers": [
                        container(["cpu": "4"]), sidecar(["cpu": "1"]), container(["cpu": "4"]), sidecar(["cpu": "1"]),
                    ]
                ]
            ),
            cost: ["cpu": 5_000, "pods": 1_000]
        ),
        Row(
            what: "overhead is added",
            job: job(
                [container(["cpu": "1"])],
                ["overhead": ["cpu": "250m"], "initContainers": [container(["cpu": "2"])]]
            ),
            cost: ["cpu": 2_250, "pods": 1_000]
        ),
        Row(
            what: "the Pod's own requests stand for those of its containers",
            job: job(
                [container(["cpu": "1", "nvidia.com/gpu": "1"])],
                ["resources": ["requests": ["cpu": "5"], "limits": ["cpu": "9", "memory": "7"]]]
            ),
            cost: ["cpu": 5_000, "memory": 7_000, "nvidia.com/gpu": 1_000, "pods": 1_000]
        ),
        Row(
            what: "a LimitRange fills in what neither requests nor limits state",
            job: job([container(["cpu": "1"]), container(limits: ["memory": "3"]), container()]),
            cost: ["cpu": 2_000, "memory": 3_128, "pods": 1_000],
            defaults: ["cpu": 500, "memory": 64]
        ),
        Row(
            what: "a LimitRange fills in init containers",
            job: job([container(["cpu": "100m"])], ["initContainers": [container()]]),
            cost: ["cpu": 500, "pods": 1_000],
            defaults: ["cpu": 500]
        ),
        Row(
            what: "Pods that run at a time",
            job: with(job([container(["cpu": "2"])]), ["parallelism": 3]),
            cost: ["cpu": 6_000, "pods": 3_000]
        ),
        Row(
            what: "no more Pods than completions",
            job: with(job([container(["cpu": "2"])]), ["parallelism": 10, "completions": 4]),
            cost: ["cpu": 8_000, "pods": 4_000]
        ),
        Row(
            what: "one Pod at a time of many",
            job: with(job([container(["cpu": "2"])]), ["completions": 4]),
            cost: ["cpu": 2_000, "pods": 1_000]
        ),
        Row(
            what: "a suspended Job counts",
            job: with(job([container(["cpu": "2"])]), ["suspend": true]),
            cost: ["cpu": 2_000, "pods": 1_000]
        ),
        Row(
            what: "no Pods",
            job: with(job([container(["cpu": "2"])]), ["parallelism": 0]),
            cost: [:]
        ),
        Row(
            what: "what cannot be understood counts as nothing",
            job: [
                "template": [
                    "spec": [
                        "containers": [["resources": ["requests": ["cpu": "x", "memory": [:]]]], ["resources": 5]],
                        "initContainers": "no", "overhead": 5, "resources": [],
                    ]
                ]
            ],
            cost: ["pods": 1_000]
        ),
        Row(what: "no template", job: [:], cost: ["pods": 1_000]),
    ]

    @Test(arguments: rows.indices)
    func costsFollowKubernetes(index: Int) throws {
        let row = Self.rows[index]
        let defaults = ResourceAmounts(thousandths: row.defaults)
        let cost = ResourceAmounts(thousandths: row.cost)
        #expect(JobNeeds(jobTargetRef: row.job).cost(defaults: defaults) == cost, "\(row.what)")
        // The same of the Job as the API server shows it.
        let object: JSONValue = ["metadata": ["name": "a", "namespace": "b", "uid": "c"], "spec": row.job]
        let job = try JSONDecoder().decode(Job.self, from: Data(object.encoded()))
        #expect(JobSummary(job).needs.cost(defaults: defaults) == cost, "\(row.what), observed")
    }

    @Test func aFinishedJobNeedsNothing() throws {
        let object: JSONValue = [
            "metadata": ["name": "a"], "spec": Self.job([Self.container(["cpu": "1"])]),
            "status": ["conditions": [["type": "Complete", "status": "True"]]],
        ]
        let job = try JSONDecoder().decode(Job.self, from: Data(object.encoded()))
        #expect(JobSummary(job).needs == JobNeeds())
    }

    @Test func aLimitRangeDefaultsRequestsBeforeLimits() throws {
        let object: JSONValue = [
            "metadata": ["name": "a", "namespace": "b"],
            "spec": [
                "limits": [
                    ["type": "Pod", "max": ["cpu": "9"]],
                    [
                        "type": "Container", "default": ["cpu": "2", "memory": "1Gi"],
                        "defaultRequest": ["cpu": "500m"], "min": ["cpu": "100m"],
                    ],
                ]
            ],
        ]
        let range = try JSONDecoder().decode(LimitRange.self, from: Data(object.encoded()))
        #expect(range.defaultRequests == ["cpu": "500m", "memory": "1Gi"])
    }

    @Test func ofSeveralLimitRangesTheLargestCounts() {
        var defaults = ContainerDefaults()
        defaults.set("a", to: ["cpu": "1", "memory": "5"])
        defaults.set("b", to: ["cpu": "2"])
        #expect(defaults.requests == ResourceAmounts(thousandths: ["cpu": 2_000, "memory": 5_000]))
        defaults.set("b", to: nil)
        #expect(defaults.requests == ResourceAmounts(thousandths: ["cpu": 1_000, "memory": 5_000]))
    }
}
