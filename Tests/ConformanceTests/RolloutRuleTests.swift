import Controller
import Kubernetes
import Scaling
import Testing

/// Table Q, the part about rollouts: which Jobs an edit deletes.
@Suite struct RolloutRuleTests {
    struct Row: ConformanceRow {
        let id: String
        var spec: [String: JSONValue] = [:]
        /// What a Job that runs says about its template, at generation 3 of the ScaledJob.
        let job: TemplateMark
        let deleted: RolloutPolicy.Propagation?
        var difference: String?
    }

    private static let old = TemplateMark(hash: "1.old", generation: 2)
    private static let immediate: JSONValue = ["strategy": "immediate"]

    static let rows: [Row] = [
        Row(
            id: "Q18",
            job: TemplateMark(),
            deleted: nil,
            difference: "running work is deleted only where rollout.strategy says immediate"
        ),
        Row(id: "Q19", job: TemplateMark(generation: 3), deleted: nil),
        Row(
            id: "Q21",
            spec: ["rolloutStrategy": "gradual", "rollout": Self.immediate],
            job: Self.old,
            deleted: nil
        ),
        Row(
            id: "Q22",
            spec: ["rollout": ["strategy": "immediate", "propagationPolicy": "foreground"]],
            job: Self.old,
            deleted: .foreground
        ),
    ]

    /// The rules beyond the rows.
    static let others: [Row] = [
        Row(id: "unset", job: Self.old, deleted: nil, difference: "gradual is the default"),
        Row(id: "immediate", spec: ["rollout": Self.immediate], job: Self.old, deleted: .background),
        Row(id: "rolloutStrategy", spec: ["rolloutStrategy": "immediate"], job: Self.old, deleted: .background),
        Row(
            id: "rolloutStrategy wins",
            spec: ["rolloutStrategy": "immediate", "rollout": ["strategy": "gradual"]],
            job: Self.old,
            deleted: .background
        ),
        Row(
            id: "an empty rolloutStrategy says nothing",
            spec: ["rolloutStrategy": "", "rollout": Self.immediate],
            job: Self.old,
            deleted: .background
        ),
        Row(
            id: "the same template in another generation",
            spec: ["rollout": Self.immediate],
            job: TemplateMark(hash: Self.currentHash, generation: 2),
            deleted: nil,
            difference: "the template decides, not the generation"
        ),
        Row(
            id: "without any mark, and different",
            spec: ["rollout": Self.immediate],
            job: TemplateMark(),
            deleted: .background
        ),
        Row(
            id: "made of this generation",
            spec: ["rollout": Self.immediate],
            job: TemplateMark(generation: 3),
            deleted: nil
        ),
    ]

    private static let currentHash: String = {
        let target = LifeCycleBench.scaledJob().spec?["jobTargetRef"] ?? .null
        return (try? CanonicalTemplate(target).hash()) ?? ""
    }()

    @Test(arguments: rows + others)
    func onlyJobsOfAnOlderTemplateAreDeletedAndOnlyWhenAskedFor(row: Row) {
        var bench = LifeCycleBench()
        bench.run(
            LifeCycleBench.scaledJob(spec: row.spec),
            [JobTracker.Observed(name: "running", uid: "7", phase: .unfinished, template: row.job)]
        )
        #expect(bench.deletions.map(\.deletion.propagation) == (row.deleted.map { [$0] } ?? []))
        #expect(bench.deletions.allSatisfy { $0.deletion.uid == "7" })
    }

    @Test(
        arguments: [
            ("rolloutStrategy", "sudden"), ("rollout", ["strategy": "x"]), ("rollout", ["propagationPolicy": "x"]),
        ]
            as [(String, JSONValue)]
    )
    func anUnknownValueIsNamed(field: String, value: JSONValue) {
        guard
            case .failure(let invalid) = ScaledJobSpecification.parse(
                LifeCycleBench.scaledJob(spec: [field: value]).spec
            )
        else {
            Issue.record("accepted")
            return
        }
        #expect(invalid.problems.first?.description.contains("spec.\(field)") == true)
        #expect(invalid.problems.first?.description.contains("is not one of") == true)
    }
}
