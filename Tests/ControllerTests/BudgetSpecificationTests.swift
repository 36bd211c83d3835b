import Kubernetes
import Scaling
import Testing

@testable import Controller

/// What a JobBudget says, and what is said about one that is wrong.
@Suite struct BudgetSpecificationTests {
    @Test func everyFieldIsRead() throws {
        let reading = BudgetSpecification.read([
            "selector": [
                "namespaces": ["media", "batch"],
                "namespaceSelector": ["matchLabels": ["team": "video"]],
                "scaledJobSelector": [
                    "matchExpressions": [["key": "tier", "operator": "In", "values": ["gold", "silver"]]]
                ],
            ],
            "maxRunningJobs": 100, "maxJobsPerBatch": 10, "maxJobsPerSecond": 0.5, "maxFinishedJobs": 1000,
            "maxResources": ["cpu": 64, "memory": "256Gi", "nvidia.com/gpu": "8", "ephemeral-storage": 1.5],
            "sharing": ["by": "label", "label": "team", "weights": ["video": 3, "audio": 0.5]],
        ])
        #expect(reading.problems == [])
        let specification = try #require(reading.specification)
        #expect(
            specification.limits
                == AdmissionLimits(
                    runningJobs: 100,
                    jobsPerBatch: 10,
                    jobsPerSecond: 0.5,
                    resources: [
                        "cpu": 64_000, "memory": 256 * 1_073_741_824 * 1_000, "nvidia.com/gpu": 8_000,
                        "ephemeral-storage": 1_500,
                    ]
                )
        )
        #expect(specification.mostFinishedJobs == 1_000)
        #expect(specification.selector.namespaces == ["media", "batch"])
        #expect(specification.sharing?.label == "team")
        #expect(specification.sharing?.weights == ["video": 3, "audio": 0.5])
    }

    @Test(arguments: [nil, [:], ["selector": [:]], ["selector": ["namespaces": []]]] as [JSONValue?])
    func nothingSelectsEverything(spec: JSONValue?) throws {
        let reading = BudgetSpecification.read(spec)
        #expect(reading.problems == [])
        #expect(reading.specification == BudgetSpecification())
    }

    @Test(
        arguments: [
            (["maxRunningJobs": -1], "spec.maxRunningJobs: -1 is too small; write 0 or more"),
            (["maxRunningJobs": "100"], "spec.maxRunningJobs: \"100\" is not a whole number; write 0 or more"),
            (["maxJobsPerBatch": 0], "spec.maxJobsPerBatch: 0 is too small; write 1 or more"),
            (["maxJobsPerSecond": 0], "spec.maxJobsPerSecond: 0 is not greater than 0"),
            (
                ["maxJobsPerSecond": "20"],
                "spec.maxJobsPerSecond: \"20\" is not a number; write one without quotes, such as 1 or 0.5"
            ),
            (["maxFinishedJobs": -5], "spec.maxFinishedJobs: -5 is too small; write 0 or more"),
            (
                ["maxResources": ["cpu": "lots"]],
                "spec.maxResources.cpu: \"lots\" is not an amount; write one such as 4, 500m or 16Gi"
            ),
            (["maxResources": ["cpu": "-1"]], "spec.maxResources.cpu: \"-1\" is less than 0; write 0 or more"),
            (["maxResources": ["cpu": "1e99"]], "spec.maxResources.cpu: \"1e99\" is too large for an amount"),
            (["maxResources": [1]], "spec.maxResources: must be an object, not a list"),
            (["sharing": [:]], "spec.sharing.by: is missing; write namespace or label"),
            (["sharing": ["by": "team"]], "spec.sharing.by: \"team\" is not one of namespace, label"),
            (
                ["sharing": ["by": "label"]],
                "spec.sharing.label: is missing; write the key of the label whose values share"
            ),
            (
                ["sharing": ["by": "namespace", "label": "team"]],
                "spec.sharing.label: counts with by: label only; write that, or leave label out"
            ),
            (
                ["sharing": ["by": "namespace", "weights": ["a": 0]]],
                "spec.sharing.weights.a: 0 is not greater than 0"
            ),
            (["selector": "all"], "spec.selector: must be an object, not text"),
            (["selector": ["namespaces": "media"]], "spec.selector.namespaces: must be a list, not text"),
            (["selector": ["namespaces": [""]]], "spec.selector.namespaces[0]: \"\" is not text; write a name"),
            (
                ["selector": ["namespaceSelector": ["matchLabels": ["a": 1]]]],
                "spec.selector.namespaceSelector.matchLabels.a: 1 is not text; put it in quotes"
            ),
            (
                ["selector": ["scaledJobSelector": ["matchExpressions": [["key": "a", "operator": "in"]]]]],
                "spec.selector.scaledJobSelector.matchExpressions[0].operator: \"in\" is not one of In, NotIn, Exists, "
                    + "DoesNotExist"
            ),
            (
                ["selector": ["scaledJobSelector": ["matchExpressions": [["key": "a", "operator": "In"]]]]],
                "spec.selector.scaledJobSelector.matchExpressions[0].values: is missing; In needs at least one value"
            ),
            ("nonsense", "spec: must be an object, not text"),
        ] as [(JSONValue, String)]
    )
    func eachMistakeIsNamedOnce(spec: JSONValue, problem: String) {
        #expect(BudgetSpecification.read(spec).problems.map(\.description) == [problem])
    }

    @Test func whatCanBeReadIsReadBesideAMistake() {
        let reading = BudgetSpecification.read(["maxRunningJobs": 5, "maxResources": ["cpu": "lots", "memory": "1Gi"]])
        #expect(reading.specification?.limits.runningJobs == 5)
        #expect(reading.specification?.limits.resources == ["memory": 1_073_741_824_000])
        #expect(BudgetSpecification.read(["maxRunningJobs": 5, "selector": 1]).specification == nil)
    }

    @Test(
        arguments: [
            (["matchLabels": ["a": "1"]], ["a": "1"], true), (["matchLabels": ["a": "1"]], ["a": "2"], false),
            (["matchLabels": ["a": "1"]], [:], false), ([:], ["a": "1"], true), ([:], [:], true),
            (["matchExpressions": [["key": "a", "operator": "NotIn", "values": ["1"]]]], [:], true),
            (["matchExpressions": [["key": "a", "operator": "NotIn", "values": ["1"]]]], ["a": "1"], false),
            (["matchExpressions": [["key": "a", "operator": "Exists"]]], ["a": ""], true),
            (["matchExpressions": [["key": "a", "operator": "Exists"]]], [:], false),
            (["matchExpressions": [["key": "a", "operator": "DoesNotExist"]]], [:], true),
            (["matchExpressions": [["key": "a", "operator": "DoesNotExist"]]], ["a": ""], false),
            (
                ["matchLabels": ["a": "1"], "matchExpressions": [["key": "b", "operator": "In", "values": ["2"]]]],
                ["a": "1", "b": "3"], false
            ),
        ] as [(JSONValue, [String: String], Bool)]
    )
    func labelsAreMatchedAsKubernetesDoes(selector: JSONValue, labels: [String: String], matches: Bool) {
        var reader = FieldReader(selector, path: "s")
        let parsed = ObjectSelector(&reader)
        #expect(reader.problems == [])
        #expect(parsed.matches(labels) == matches)
    }

    // MARK: - Annotations

    @Test func theAnnotationsAreRead() {
        var problems: [Problem] = []
        let share = JobShare(
            [
                "sluice.dev/priority": "-5", "sluice.dev/weight": "2.5", "sluice.dev/max-jobs-per-batch": "50",
                "other": "x",
            ],
            problems: &problems
        )
        #expect(problems == [])
        #expect(share.priority == -5)
        #expect(share.weight == 2.5)
        #expect(share.jobsPerBatch == 50)
        #expect(JobShare(nil, problems: &problems) == JobShare())
    }

    @Test(
        arguments: [
            ("priority", "high", "a whole number; write one such as \"10\" or \"-5\""),
            ("priority", "1.5", "a whole number; write one such as \"10\" or \"-5\""),
            ("priority", "99999999999", "a whole number; write one such as \"10\" or \"-5\""),
            ("weight", "0", "a number greater than 0; write one such as \"3\" or \"0.5\""),
            ("weight", "-1", "a number greater than 0; write one such as \"3\" or \"0.5\""),
            ("weight", "inf", "a number greater than 0; write one such as \"3\" or \"0.5\""),
            ("weight", "0x10", "a number greater than 0; write one such as \"3\" or \"0.5\""),
            ("weight", "", "a number greater than 0; write one such as \"3\" or \"0.5\""),
            ("max-jobs-per-batch", "0", "a whole number from 1 on; write one such as \"50\""),
        ]
    )
    func aBadAnnotationIsNamed(key: String, value: String, mend: String) {
        var problems: [Problem] = []
        let share = JobShare(["sluice.dev/\(key)": value], problems: &problems)
        #expect(problems.map(\.description) == ["metadata.annotations.sluice.dev/\(key): \"\(value)\" is not \(mend)"])
        #expect(share == JobShare())
    }

    // MARK: - Amounts

    @Test(
        arguments: [
            ("1", 1_000), ("1500m", 1_500), ("0.0001", 1), ("1n", 1), ("100u", 1), ("999u", 1), ("1001u", 2),
            ("0", 0), ("0m", 0), ("1k", 1_000_000), ("1Ki", 1_024_000), ("1.5Gi", 1_610_612_736_000),
            ("1e3", 1_000_000),
            ("2E", 2_000_000_000_000_000_000_000), ("12e-3", 12),
        ] as [(String, Int128)]
    )
    func amountsAreThousandthsRoundedUp(text: String, thousandths: Int128) {
        #expect(Quantity(text)?.thousandths == thousandths)
    }

    @Test(
        arguments: [
            (1_000, "1"), (1_500, "1500m"), (0, "0"), (1_024_000, "1Ki"), (1_610_612_736_000, "1536Mi"), (8_000, "8"),
            (256 * 1_073_741_824 * 1_000, "256Gi"),
        ] as [(Int128, String)]
    )
    func amountsAreWrittenAsPeopleDo(thousandths: Int128, text: String) {
        #expect(Quantity.text(thousandths: thousandths) == text)
    }

    @Test func limitsOfACommandLineAreRead() {
        let amounts: [String: Int128] = [
            "cpu": 64_000, "memory": 256 * 1_073_741_824 * 1_000, "nvidia.com/gpu": 8_000,
        ]
        #expect(ResourceLimitsText.amounts("cpu=64,memory=256Gi,nvidia.com/gpu=8") == amounts)
        for text in ["", "cpu", "cpu=", "=1", "cpu=1,", "cpu=1,cpu=2", "cpu=-1", "cpu = 1"] {
            #expect(ResourceLimitsText.amounts(text) == nil, "\(text)")
        }
    }
}
