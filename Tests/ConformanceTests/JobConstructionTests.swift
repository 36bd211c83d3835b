import Controller
import Kubernetes
import Testing

/// Table K: what a Job looks like.
@Suite struct JobConstructionTests {
    struct Row: ConformanceRow {
        let id: String
        var labels: [String: String] = [:]
        var annotations: [String: String] = [:]
        var podSpec: JSONValue = ["containers": [["name": "main", "image": "worker"]]]
        /// Paths in the Job and their values; nil for what must not be there.
        let expected: [(path: [String], value: JSONValue?)]
        var difference: String?
    }

    private static let excluded = "scaledjob.keda.sh/job-excluded-labels"
    private static let policy = ["spec", "template", "spec", "restartPolicy"]

    static let rows: [Row] = [
        Row(
            id: "K1",
            expected: [
                (["metadata", "namespace"], "test"), (["metadata", "generateName"], nil),
                (["metadata", "name"], "test-abcde-1"),
            ],
            difference: "the host chooses the name, so that a repeated call cannot make a second Job"
        ),
        Row(id: "K3", expected: [(Self.policy, "OnFailure")]),
        Row(id: "K4", podSpec: ["restartPolicy": "Never", "containers": []], expected: [(Self.policy, "Never")]),
        Row(
            id: "K6",
            labels: ["a": "1", "b": "2"],
            annotations: [Self.excluded: "a, b"],
            expected: [(["metadata", "labels", "a"], nil), (["metadata", "labels", "b"], "2")]
        ),
        Row(
            id: "K7",
            annotations: [Self.excluded: "app.kubernetes.io/name"],
            expected: [(["metadata", "labels", "app.kubernetes.io/name"], "test")]
        ),
        Row(
            id: "K9",
            annotations: ["scaledjob.keda.sh/generation": "99"],
            expected: [(["metadata", "annotations", "scaledjob.keda.sh/generation"], "3")],
            difference: "the real generation stands; with KEDA such Jobs are deleted again and again"
        ),
    ]

    /// The rules beyond the rows.
    static let others: [Row] = [
        Row(
            id: "base labels",
            expected: [
                (["metadata", "labels", "app.kubernetes.io/name"], "test"),
                (["metadata", "labels", "app.kubernetes.io/part-of"], "test"),
                (["metadata", "labels", "app.kubernetes.io/version"], "1.0-x"),
                (["metadata", "labels", "app.kubernetes.io/managed-by"], "keda-operator"),
                (["metadata", "labels", "scaledjob.keda.sh/name"], "test"),
                (["spec", "template", "metadata", "labels", "scaledjob.keda.sh/name"], "test"),
            ]
        ),
        Row(
            id: "labels of the ScaledJob are stronger",
            labels: ["app.kubernetes.io/managed-by": "me", "app.kubernetes.io/version": "7"],
            expected: [
                (["metadata", "labels", "app.kubernetes.io/managed-by"], "me"),
                (["metadata", "labels", "app.kubernetes.io/version"], "7"),
                (["spec", "template", "metadata", "labels", "app.kubernetes.io/version"], nil),
            ]
        ),
        Row(
            id: "but not for the label that selects",
            labels: ["scaledjob.keda.sh/name": "other"],
            annotations: [Self.excluded: "scaledjob.keda.sh/name"],
            expected: [(["metadata", "labels", "scaledjob.keda.sh/name"], "test")],
            difference: "with KEDA such Jobs become invisible and are created without end"
        ),
        Row(
            id: "annotations",
            annotations: ["a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}"],
            expected: [
                (["metadata", "annotations", "a"], "b"),
                (["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"], nil),
            ],
            difference: "the whole manifest is not repeated on each Job"
        ),
        Row(id: "an empty policy", podSpec: ["restartPolicy": ""], expected: [(Self.policy, "OnFailure")]),
        Row(id: "a wrong one is passed on", podSpec: ["restartPolicy": "Always"], expected: [(Self.policy, "Always")]),
    ]

    @Test(arguments: rows + others)
    func aJobIsWhatManifestsAndToolsRelyOn(row: Row) throws {
        let scaledJob = LifeCycleBench.scaledJob(labels: row.labels, annotations: row.annotations)
        let template = try JobTemplate(
            for: scaledJob,
            jobTargetRef: ["template": ["spec": row.podSpec]],
            version: "1.0+x"
        )
        let job = try JSONValue(parsing: template.body(name: "test-abcde-1"))
        for (path, value) in row.expected {
            let found = path.reduce(Optional(job)) { $0?[$1] }
            #expect(found == value, "\(path.joined(separator: "."))")
        }
    }

    @Test func twoMissingJobsAreTwoCalls() {
        var bench = LifeCycleBench()
        bench.run(LifeCycleBench.scaledJob(spec: ["minReplicaCount": 2]), [])
        #expect(bench.created.count == 2)
        #expect(Set(bench.created.map(\.job.name)).count == 2)
        #expect(bench.created.allSatisfy { $0.job.namespace == "test" && $0.job.name.hasPrefix("test-") })
    }

    @Test func namesThatShareTheirFirstCharactersShareNoJob() throws {
        let long = String(repeating: "a", count: 63)
        let jobs = try ["x", "y"].map { end in
            let scaledJob = ScaledJob(
                metadata: ObjectMetadata(name: long + end, namespace: "test", uid: "uid-\(end)"),
                spec: nil
            )
            let template = try JobTemplate(for: scaledJob, jobTargetRef: ["template": [:]], version: "1")
            return try JSONValue(parsing: template.body(name: "n"))
        }
        for job in jobs { #expect(job[path: "metadata", "labels"]?["scaledjob.keda.sh/name"] == .string(long)) }
        // What tells them apart is the owner.
        let owners = jobs.map { $0[path: "metadata", "ownerReferences"]?.arrayValue?.first?["uid"] }
        #expect(owners == ["uid-x", "uid-y"])
    }
}
