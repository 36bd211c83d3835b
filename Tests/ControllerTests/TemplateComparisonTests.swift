import Kubernetes
import Testing

@testable import Controller

@Suite struct TemplateComparisonTests {
    private static let wanted: JSONValue = [
        "backoffLimit": 1,
        "template": [
            "metadata": ["labels": ["app": "x"]],
            "spec": [
                "containers": [
                    [
                        "name": "main", "image": "worker:1", "env": [["name": "A", "value": ""]],
                        "resources": ["requests": ["cpu": 1, "memory": "1024Mi"], "limits": ["cpu": "1500m"]],
                    ]
                ],
                "volumes": [["name": "scratch", "emptyDir": [:]]],
                "hostNetwork": false,
            ],
        ],
    ]

    /// The same as a server stores it, with what it and a Job controller add.
    private static let stored: JSONValue = [
        "backoffLimit": 1, "completions": 1, "parallelism": 1, "completionMode": "NonIndexed", "suspend": true,
        "selector": ["matchLabels": ["controller-uid": "1"]],
        "template": [
            "metadata": [
                "creationTimestamp": .null, "generateName": "x-",
                "labels": ["app": "x", "controller-uid": "1", "scaledjob.keda.sh/name": "x"],
            ],
            "spec": [
                "containers": [
                    [
                        "name": "main", "image": "worker:1", "imagePullPolicy": "IfNotPresent",
                        "env": [["name": "A"]],
                        "resources": ["requests": ["cpu": "1", "memory": "1Gi"], "limits": ["cpu": "1.5"]],
                    ]
                ],
                "volumes": [["name": "scratch", "emptyDir": [:]]],
                "restartPolicy": "OnFailure", "dnsPolicy": "ClusterFirst",
            ],
        ],
    ]

    private static func stored(_ change: (inout JSONValue) -> Void) -> JSONValue {
        var value = Self.stored
        change(&value)
        return value
    }

    private static func container(_ change: (inout JSONValue) -> Void) -> JSONValue {
        Self.stored { spec in
            var template = spec["template"] ?? [:]
            var pod = template["spec"] ?? [:]
            var container = pod["containers"]?.arrayValue?.first ?? [:]
            change(&container)
            pod["containers"] = [container]
            template["spec"] = pod
            spec["template"] = template
        }
    }

    @Test func whatTheServerAddsAndRewritesIsTheSame() {
        let comparison = TemplateComparison(jobTargetRef: Self.wanted)
        // Empty values are left out by the server: only its own answer tells.
        #expect(comparison.verdict(on: Self.stored, tried: Self.stored) == .same)
    }

    @Test func aDifferentImageIsDifferentAndNamed() {
        let job = Self.container { $0["image"] = "worker:0" }
        let verdict = TemplateComparison(jobTargetRef: Self.wanted).verdict(on: job, tried: Self.stored)
        #expect(verdict == .different("template.spec.containers[0].image"))
    }

    @Test func whatAWebhookChangesInBothIsTheSame() {
        let job = Self.container { container in
            container["image"] = "mirror.test/worker:1"
            container["env"] = [["name": "INJECTED", "value": "1"], ["name": "A"]]
        }
        let comparison = TemplateComparison(jobTargetRef: Self.wanted)
        #expect(comparison.verdict(on: job, tried: job) == .same)
        #expect(comparison.verdict(on: job, tried: Self.stored) == .different("template.spec.containers[0].image"))
    }

    @Test func anInjectedContainerDoesNotCount() {
        let job = Self.stored { spec in
            var template = spec["template"] ?? [:]
            var pod = template["spec"] ?? [:]
            pod["containers"] = .array([["name": "proxy"]] + (pod["containers"]?.arrayValue ?? []))
            template["spec"] = pod
            spec["template"] = template
        }
        #expect(TemplateComparison(jobTargetRef: Self.wanted).verdict(on: job, tried: Self.stored) == .same)
    }

    @Test func aFieldThatMayBeChangedOnAJobIsNotProof() {
        let job = Self.stored { $0["backoffLimit"] = 6 }
        let verdict = TemplateComparison(jobTargetRef: Self.wanted).verdict(on: job, tried: Self.stored)
        guard case .unsure(let why) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(why.contains("backoffLimit"))
    }

    @Test func aSetLabelThatIsMissingIsDifferent() {
        let job = Self.stored { spec in
            var template = spec["template"] ?? [:]
            template["metadata"] = ["labels": ["controller-uid": "1"]]
            spec["template"] = template
        }
        let verdict = TemplateComparison(jobTargetRef: Self.wanted).verdict(on: job, tried: Self.stored)
        #expect(verdict == .different("template.metadata.labels.app"))
    }

    // MARK: - Hashes

    private func hash(_ podSpec: JSONValue) throws -> String {
        try CanonicalTemplate(["template": ["spec": podSpec]]).hash()
    }

    @Test func waysOfWritingTheSameHaveOneHash() throws {
        let plain = try self.hash(["containers": [["name": "a", "resources": ["limits": ["cpu": 1]]]]])
        #expect(try plain == self.hash(["containers": [["name": "a", "resources": ["limits": ["cpu": "1000m"]]]]]))
        #expect(
            try plain
                == self.hash([
                    "restartPolicy": "OnFailure", "nodeName": .null,
                    "containers": [["name": "a", "resources": ["limits": ["cpu": "1"]]]],
                ])
        )
        #expect(try plain != self.hash(["containers": [["name": "a", "resources": ["limits": ["cpu": 2]]]]]))
        #expect(try plain != self.hash(["containers": [["name": "a"]]]))
    }

    @Test func aHashStaysWhatItIs() throws {
        // Running Jobs carry it: if this changes, the version in front must change too.
        #expect(try self.hash(["containers": [["name": "a", "image": "b:1"]]]) == "1.3ghb06oz8uan6")
        #expect(CanonicalTemplate.isComparable("1.abc"))
        #expect(!CanonicalTemplate.isComparable("2.abc"))
    }

    @Test(
        arguments: [
            ("1", "1000m"), ("1Gi", "1024Mi"), ("1.5", "1500m"), ("1e3", "1k"), ("0", "0Ki"), ("-1", "-1000m"),
            ("1E", "1000P"), ("100n", "0.1u"), ("12E2", "1200"),
        ]
    )
    func equalAmounts(left: String, right: String) {
        #expect(Quantity(left) != nil)
        #expect(Quantity(left) == Quantity(right))
    }

    @Test(arguments: [
        "", "x", "1x", "m", "1e", "--1", "1.2.3", "999999999999999999999999999999999999999999Ei", "1e9999",
    ])
    func whatIsNoAmount(text: String) { #expect(Quantity(text) == nil) }
}
