import Controller
import Foundation
import Kubernetes
import Scaling
import Testing

@Suite struct JobSummaryTests {
    private func summary(owners: JSONValue, annotations: JSONValue = [:]) throws -> JobSummary {
        let job: JSONValue = [
            "metadata": [
                "name": "job", "namespace": "media", "uid": "1", "ownerReferences": owners, "annotations": annotations,
            ],
            "spec": [:],
        ]
        return JobSummary(try JSONDecoder().decode(Job.self, from: Data(job.encoded())))
    }

    private func owner(
        kind: String = "ScaledJob",
        apiVersion: String = "keda.sh/v1alpha1",
        controller: Bool = true
    ) -> JSONValue {
        [
            "apiVersion": .string(apiVersion), "kind": .string(kind), "name": "x", "uid": "7",
            "controller": .bool(controller),
        ]
    }

    @Test func onlyAScaledJobInControlOwnsAJob() throws {
        #expect(try self.summary(owners: [self.owner()]).owner == "7")
        #expect(try self.summary(owners: [self.owner(apiVersion: "keda.sh/v2")]).owner == "7")
        #expect(try self.summary(owners: [self.owner(controller: false)]).owner == nil)
        #expect(try self.summary(owners: [self.owner(kind: "CronJob", apiVersion: "batch/v1")]).owner == nil)
        #expect(try self.summary(owners: [self.owner(apiVersion: "keda.shop/v1")]).owner == nil)
        #expect(try self.summary(owners: []).owner == nil)
    }

    @Test func aJobSaysWhichItemItIsFor() throws {
        let marked = try self.summary(
            owners: [],
            annotations: ["sluice.dev/item-key": "k", "sluice.dev/item-attempt": "2"]
        )
        #expect(marked.observed.item == ItemMark(key: "k", attempt: 2))
        let odd = try self.summary(
            owners: [],
            annotations: ["sluice.dev/item-key": "k", "sluice.dev/item-attempt": "x"]
        )
        #expect(odd.observed.item == ItemMark(key: "k", attempt: nil))
        #expect(try self.summary(owners: []).observed.item == nil)
    }

    @Test func aJobSaysWhichTemplateItWasMadeOf() throws {
        let marked = try self.summary(
            owners: [self.owner()],
            annotations: ["sluice.dev/template-hash": "1.abc", "scaledjob.keda.sh/generation": "4"]
        )
        #expect(marked.observed.template.hash == "1.abc")
        #expect(marked.observed.template.generation == 4)
        let odd = try self.summary(owners: [self.owner()], annotations: ["scaledjob.keda.sh/generation": "x"])
        #expect(odd.observed.template.hash == nil)
        #expect(odd.observed.template.generation == nil)
    }

    /// An API server without the feature takes the field off the Job; the annotation stays.
    @Test func aJobSaysHowLongItMayStay() throws {
        func timeToLive(_ spec: JSONValue, _ annotation: String? = nil) throws -> Int32? {
            var metadata: JSONValue = ["name": "job", "namespace": "media", "uid": "1"]
            if let annotation {
                metadata["annotations"] = ["sluice.dev/ttl-seconds-after-finished": .string(annotation)]
            }
            let job: JSONValue = ["metadata": metadata, "spec": spec]
            return JobSummary(try JSONDecoder().decode(Job.self, from: Data(job.encoded()))).observed.timeToLive
        }
        #expect(try timeToLive(["ttlSecondsAfterFinished": 7]) == 7)
        #expect(try timeToLive(["ttlSecondsAfterFinished": 7], "9") == 7)
        #expect(try timeToLive([:], "9") == 9)
        #expect(try timeToLive([:], "-1") == nil)
        #expect(try timeToLive([:], "soon") == nil)
        #expect(try timeToLive([:]) == nil)

        var scaledJob = ModelCluster.scaledJob(annotations: ["sluice.dev/ttl-seconds-after-finished": "5"])
        func annotation() throws -> JSONValue? {
            let template = try JobTemplate(
                for: scaledJob,
                jobTargetRef: scaledJob.spec?["jobTargetRef"] ?? [:],
                version: "1"
            )
            return try JSONValue(parsing: template.body(name: "job"))[path: "metadata", "annotations"]?[
                "sluice.dev/ttl-seconds-after-finished"
            ]
        }
        #expect(try annotation() == nil)
        var spec = scaledJob.spec ?? [:]
        var target = spec["jobTargetRef"] ?? [:]
        target["ttlSecondsAfterFinished"] = 60
        spec["jobTargetRef"] = target
        scaledJob = ScaledJob(metadata: scaledJob.metadata, spec: spec)
        #expect(try annotation() == "60")
    }

    @Test func aJobThatIsBeingDeletedSaysSinceWhenAndWhatKeepsIt() throws {
        let job: JSONValue = [
            "metadata": [
                "name": "job", "uid": "1", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b", "c/d"],
            ]
        ]
        let summary = JobSummary(try JSONDecoder().decode(Job.self, from: Data(job.encoded())))
        #expect(summary.deletion == JobSummary.Deletion(since: 1_767_225_600, finalizers: ["a/b", "c/d"]))
        #expect(summary.observed.isDeleting)
    }

    @Test func adviceNamesLongNamesAndCrossedBounds() {
        let long = ScaledJob(metadata: ObjectMetadata(name: String(repeating: "a", count: 70)), spec: nil)
        #expect(long.advice(nil).map(\.field) == ["metadata.name"])
        let crossed = ModelCluster.scaledJob(maximum: 3, minimum: 5)
        guard case .success(let specification) = ScaledJobSpecification.parse(crossed.spec) else {
            Issue.record("not accepted")
            return
        }
        #expect(crossed.advice(specification).map(\.field) == ["spec.minReplicaCount"])
        #expect(ModelCluster.scaledJob().advice(nil) == [])
    }
}
