import Controller
import Kubernetes
import Testing

@Suite struct JobTemplateTests {
    func job(
        _ name: String = "transcode",
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        podSpec: JSONValue = ["containers": [["name": "main", "image": "worker"]]]
    ) throws -> JSONValue {
        let scaledJob = ScaledJob(
            metadata: ObjectMetadata(
                name: name,
                namespace: "media",
                uid: "7c1f",
                generation: 3,
                labels: labels,
                annotations: annotations
            ),
            spec: nil
        )
        let template = try JobTemplate(
            for: scaledJob,
            jobTargetRef: ["backoffLimit": 1, "template": ["metadata": ["labels": ["app": "x"]], "spec": podSpec]],
            version: "0.1.0"
        )
        return try JSONValue(parsing: template.body(name: "transcode-abcde-7"))
    }

    @Test func aJobCarriesWhatExistingToolsRelyOn() throws {
        let job = try self.job(
            labels: ["team": "video", "app.kubernetes.io/name": "mine"],
            annotations: ["note": "keep", "kubectl.kubernetes.io/last-applied-configuration": "{}"]
        )
        #expect(job["apiVersion"] == "batch/v1")
        #expect(job[path: "metadata", "name"] == "transcode-abcde-7")
        #expect(job[path: "metadata", "namespace"] == "media")
        #expect(
            job[path: "metadata", "labels"] == [
                "app.kubernetes.io/name": "mine", "app.kubernetes.io/version": "0.1.0",
                "app.kubernetes.io/part-of": "transcode", "app.kubernetes.io/managed-by": "keda-operator",
                "scaledjob.keda.sh/name": "transcode", "team": "video",
            ]
        )
        #expect(
            job[path: "metadata", "annotations"] == [
                "scaledjob.keda.sh/generation": "3", "note": "keep",
                "sluice.dev/template-hash": job[path: "metadata", "annotations"]?["sluice.dev/template-hash"] ?? .null,
            ]
        )
        #expect(
            job[path: "metadata", "ownerReferences"] == [
                [
                    "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "name": "transcode", "uid": "7c1f",
                    "controller": true, "blockOwnerDeletion": true,
                ]
            ]
        )
        #expect(job[path: "spec", "backoffLimit"] == 1)
        #expect(
            job[path: "spec", "template", "metadata"]?["labels"]
                == ["app": "x", "scaledjob.keda.sh/name": "transcode"]
        )
    }

    @Test func theLabelThatFindsTheJobsCannotBeTakenAway() throws {
        let job = try self.job(
            labels: ["scaledjob.keda.sh/name": "other"],
            annotations: ["scaledjob.keda.sh/generation": "99"]
        )
        #expect(job[path: "metadata", "labels"]?["scaledjob.keda.sh/name"] == "transcode")
        #expect(job[path: "metadata", "annotations"]?["scaledjob.keda.sh/generation"] == "3")
    }

    @Test func excludedLabelsAreNotCopiedAndBlanksCount() throws {
        let job = try self.job(
            labels: ["a": "1", "b": "2"],
            annotations: ["scaledjob.keda.sh/job-excluded-labels": "a, b"]
        )
        let labels = job[path: "metadata", "labels"]
        #expect(labels?["a"] == nil)
        #expect(labels?["b"] == "2")
    }

    @Test(
        arguments: [(nil, "OnFailure"), ("", "OnFailure"), ("Never", "Never"), ("Always", "Always")]
            as [(String?, String)]
    )
    func restartPolicyIsFilledInOnlyWhenEmpty(given: String?, expected: String) throws {
        var podSpec: JSONValue = ["containers": [["name": "main"]]]
        if let given { podSpec["restartPolicy"] = .string(given) }
        let job = try self.job(podSpec: podSpec)
        #expect(job[path: "spec", "template", "spec"]?["restartPolicy"] == .string(expected))
    }

    @Test func aNameLongerThanALabelIsCut() throws {
        let job = try self.job(String(repeating: "a", count: 62) + ".bcd")
        let label = job[path: "metadata", "labels"]?["scaledjob.keda.sh/name"]?.stringValue
        #expect(label == String(repeating: "a", count: 62))
    }

    @Test func textThatLooksLikeTheGapStaysText() throws {
        let job = try self.job(annotations: ["note": "\"name\":\"sluice-job-name-goes-here\""])
        #expect(job[path: "metadata", "name"] == "transcode-abcde-7")
    }

    @Test(arguments: [("false", false), ("0", false), ("F", false), ("true", true), ("", true), ("yes", true)])
    func anyAnnotationButAFormOfFalsePauses(value: String, isPaused: Bool) {
        #expect(WellKnown.isPaused(["autoscaling.keda.sh/paused": value]) == isPaused)
        #expect(!WellKnown.isPaused(nil))
    }
}
