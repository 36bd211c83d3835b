import Controller
import Kubernetes
import Scaling
import Testing

/// Table J: which finished Jobs are deleted.
@Suite struct HistoryTests {
    struct Row: ConformanceRow {
        let id: String
        let limits: (successful: Int64?, failed: Int64?)
        let jobs: [JobTracker.Observed]
        /// In this order.
        let deleted: [String]
        /// Jobs whose deletion is answered with NotFound.
        var gone: [String] = []
        var difference: String?
    }

    private static func jobs(_ prefix: String, succeeded: Bool, count: Int64) -> [JobTracker.Observed] {
        (0..<count).map { .finished("\(prefix)\($0)", succeeded: succeeded, at: 1_000 + ($0 * 7) % count) }
    }

    static let rows: [Row] = [
        Row(
            id: "J1",
            limits: (2, 2),
            jobs: [.finished("n1", at: 37 * 60), .finished("n2", at: 36 * 60), .finished("n3", at: 38 * 60)],
            deleted: ["n2"]
        ),
        Row(
            id: "J3",
            limits: (nil, nil),
            jobs: Self.jobs("ok", succeeded: true, count: 101) + Self.jobs("bad", succeeded: false, count: 101),
            deleted: ["bad0", "ok0"]
        ),
        Row(
            id: "J4",
            limits: (0, 0),
            jobs: [.finished("a", at: 2), .finished("b", succeeded: false, at: 1), .finished("c", at: 3)],
            deleted: ["b", "a", "c"]
        ),
        Row(
            id: "J6",
            limits: (1, 1),
            jobs: [
                .finished("new", succeeded: false, at: 3), .finished("old", succeeded: false, at: 1),
                .finished("middle", succeeded: false, at: 2),
            ],
            deleted: ["old", "middle"],
            difference: "the oldest go, by the time of their condition; KEDA deletes any two"
        ),
        Row(
            id: "J7",
            limits: (1, 1),
            jobs: [
                .finished("a", at: 1), .finished("b", at: 2), .finished("x", succeeded: false, at: 3),
                .finished("y", succeeded: false, at: 4),
            ],
            deleted: ["a", "x"],
            gone: ["a"],
            difference: "a Job that is gone already is a success, and no failure stops the rest; KEDA stops there"
        ),
    ]

    @Test(arguments: rows)
    func theOldestBeyondTheLimitsGo(row: Row) {
        var bench = LifeCycleBench()
        for name in row.gone { bench.refusals[name] = KubernetesError(.notFound, "not found", status: 404) }
        bench.run(Self.scaledJob(row), row.jobs)
        #expect(bench.deletions.map(\.job).sorted() == row.deleted.sorted())
        #expect(bench.deletions.allSatisfy { $0.deletion.propagation == .background })
        let policy = RetentionPolicy(
            successful: row.limits.successful.map(Int.init),
            failed: row.limits.failed.map(Int.init)
        )
        #expect(Self.excess(of: row.jobs, policy) == row.deleted)
    }

    /// KEDA cleans nothing while paused, and nothing when the ScaledJob cannot be read.
    @Test func historyIsCleanedWhilePausedAndWhileTheRestIsWrong() {
        for (members, annotations) in [
            ([:], ["autoscaling.keda.sh/paused": "true"]), (["pollingInterval": 0], [:]),
        ] as [([String: JSONValue], [String: String])] {
            var bench = LifeCycleBench()
            let spec = members.merging(["successfulJobsHistoryLimit": 0]) { $1 }
            bench.run(
                LifeCycleBench.scaledJob(spec: spec, annotations: annotations),
                [.finished("a", at: 1)]
            )
            #expect(bench.deletions.map(\.job) == ["a"])
        }
    }

    /// In the order in which the ledger gives them out.
    static func excess(of jobs: [JobTracker.Observed], _ policy: RetentionPolicy) -> [String] {
        var ledger = RetentionLedger()
        ledger.set(policy, of: "row")
        for job in jobs { if let finished = FinishedJob(job) { ledger.add(finished, of: "row") } }
        var names: [String] = []
        while let job = ledger.takeExcess(of: "row", at: 0) { names.append(job.name) }
        return names
    }

    private static func scaledJob(_ row: Row) -> ScaledJob {
        var members: [String: JSONValue] = [:]
        if let limit = row.limits.successful { members["successfulJobsHistoryLimit"] = .integer(limit) }
        if let limit = row.limits.failed { members["failedJobsHistoryLimit"] = .integer(limit) }
        return LifeCycleBench.scaledJob(spec: members)
    }
}
