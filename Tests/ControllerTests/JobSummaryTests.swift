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
