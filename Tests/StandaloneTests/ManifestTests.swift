import Foundation
import Kubernetes
import Logging
import Standalone
import SystemPackage
import Testing

@Suite struct ManifestTests {
    private static let secret = """
        apiVersion: v1
        kind: Secret
        metadata:
          name: s
        stringData:
          key: one

        """

    private static func scaledJob(_ container: String) -> String {
        """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata:
          name: j
          namespace: work
        spec:
          jobTargetRef:
            template:
              spec:
                containers:
                  - \(container)
          triggers:
            - type: mongodb
              metadata: {queryValue: "1"}

        """
    }

    private func watcher(_ folder: TemporaryFolder, _ cluster: InProcessCluster) -> ManifestWatcher {
        ManifestWatcher(
            folder: ManifestFolder(paths: [folder.path]),
            cluster: cluster,
            interval: .milliseconds(20),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    @Test func aBudgetBecomesAnObjectOfTheWholeCluster() throws {
        let folder = try TemporaryFolder()
        let budget =
            "apiVersion: sluice.dev/v1alpha1\nkind: JobBudget\nmetadata: {name: b}\nspec: {maxRunningJobs: 2}\n"
        try folder.write(budget, to: "b.yaml")
        let cluster = InProcessCluster()
        try self.watcher(folder, cluster).load()
        let found = try cluster.answer(APIRequest(.get, .jobBudgets, name: "b"))
        #expect(found["spec"] == ["maxRunningJobs": 2])
    }

    @Test func documentsBecomeObjects() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.secret + "---\n" + Self.scaledJob("{name: c, command: [work]}"), to: "a.yaml")
        try folder.write(#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}"#, to: "b.json")
        try folder.write("not: [a manifest", to: "notes.txt")
        let cluster = InProcessCluster()
        try self.watcher(folder, cluster).load()
        #expect(cluster.find(.secrets, "s")?["data"] == ["key": "b25l"])
        #expect(cluster.find(.configMaps, "c") != nil)
        let request = APIRequest(.get, .scaledJobs, namespace: "work", name: "j")
        #expect(try cluster.answer(request).metadata["generation"] == 1)
    }

    @Test(arguments: [
        ("a: [1", "document 1"), ("kind: Pod\napiVersion: v1\nmetadata: {name: p}", "Pod needs a cluster"),
        ("apiVersion: keda.sh/v1\nkind: ScaledJob\nmetadata: {name: p}", "keda.sh/v1alpha1"),
        ("apiVersion: v1\nkind: Secret\n", "metadata.name"), ("- 1\n", "bare value"), ("x: 1\n", "apiVersion and kind"),
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: 1}", "stringData[a]"),
        (Self.secret + "---\n" + Self.secret, "there already"),
        (Self.scaledJob("{name: c, image: i}"), "spec.jobTargetRef.template.spec.containers[0].command"),
        (Self.scaledJob("{name: c, command: [x]}").replacing("\"1\"", with: "1"), "triggers[0].metadata.queryValue"),
    ])
    func problemsNameTheirPlace(text: String, part: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(text, to: "bad.yaml")
        let problem = #expect(throws: ManifestProblem.self) { try self.watcher(folder, InProcessCluster()).load() }
        #expect(problem?.description.contains(part) == true, "\(String(describing: problem))")
        #expect(problem?.description.contains("bad.yaml") == true)
    }

    @Test func changesAreFollowedAndBrokenOnesAreNot() async throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.secret, to: "a.yaml")
        let cluster = InProcessCluster()
        let watcher = self.watcher(folder, cluster)
        try watcher.load()
        let following = Task { await watcher.run() }
        defer { following.cancel() }

        try folder.write(Self.secret.replacing("one", with: "two"), to: "a.yaml")
        _ = try await cluster.event(of: .secrets) { $0.object["data"] == ["key": "dHdv"] }

        try folder.write("kind: [", to: "a.yaml")
        try folder.write(#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}"#, to: "b.json")
        #expect(throws: ManifestProblem.self) { try self.watcher(folder, cluster).load() }
        #expect(cluster.find(.secrets, "s") != nil && cluster.find(.configMaps, "c") == nil)

        try FileManager.default.removeItem(atPath: folder.path.appending("a.yaml").string)
        _ = try await cluster.event(of: .configMaps) { $0.object.name == "c" }
        _ = try await within {
            while cluster.find(.secrets, "s") != nil { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func whatOthersAddedToAnObjectStays() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.scaledJob("{name: c, command: [a]}"), to: "a.yaml")
        let cluster = InProcessCluster()
        let watcher = self.watcher(folder, cluster)
        try watcher.load()
        let patch = APIRequest(.mergePatch, .scaledJobs, namespace: "work", name: "j")
        try cluster.answer(patch, body: ["metadata": ["finalizers": ["f"], "annotations": ["by": "controller"]]])
        try folder.write(Self.scaledJob("{name: c, command: [b]}"), to: "a.yaml")
        #expect(try watcher.load())
        #expect(try !watcher.load())
        let object = try cluster.answer(APIRequest(.get, .scaledJobs, namespace: "work", name: "j"))
        #expect(object.finalizers == ["f"] && object.annotations == ["by": "controller"])
        #expect(object.metadata["generation"] == 2)
    }

    @Test func anEnvironmentRunsJobsAndReports() async throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.secret, to: "a.yaml")
        let report = folder.path.appending("report.jsonl")
        let environment = try StandaloneEnvironment(
            files: [folder.path.appending("a.yaml")],
            stateDirectory: folder.path.appending("state"),
            settings: JobRunner.Settings(environment: ["PATH": "/usr/bin:/bin"]),
            report: RunReport(file: report),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let running = Task { try await environment.run() }
        var job = shellJob("one", "true")
        job.metadata["labels"] = ["scaledjob.keda.sh/name": "s"]
        try environment.cluster.create(.jobs, job)
        _ = try await environment.cluster.job("one", has: "Complete")
        try environment.cluster.delete(.jobs, "one")
        try await within {
            while environment.observer.tally.total.cleaned == 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
        running.cancel()
        try await running.value
        #expect(environment.observer.tally.jobsLeft == 0)
        let lines = try #require(folder.text("report.jsonl")).split(separator: "\n")
        let entries = try lines.map { try JSONDecoder().decode(RunReport.Entry.self, from: Data($0.utf8)) }
        #expect(entries.map(\.event) == [.created, .finished, .cleaned, .ended])
        #expect(entries.first?.name == "s" && entries.last?.jobsLeft == 0)
    }
}
