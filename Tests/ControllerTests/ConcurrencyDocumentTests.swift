import Foundation
import Kubernetes
import Testing

@testable import Controller

/// Every example of `docs/concurrency.md` comes to what is written there, and the page names what there is.
@Suite struct ConcurrencyDocumentTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let line: Int
        let situation: String
        let outcome: String
        var testDescription: String { "line \(self.line)" }
    }

    static let text: String = {
        let file = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/concurrency.md").standardized
        return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }()

    static let examples: [Example] = {
        var examples: [Example] = []
        var situation: (line: Int, text: String)?
        var block: (language: Substring, line: Int, text: String)?
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let open = block {
                guard line == "```" else {
                    block?.text += line + "\n"
                    continue
                }
                block = nil
                if open.language == "yaml" { situation = (open.line, open.text) }
                if open.language == "json", let found = situation {
                    examples.append(Example(line: found.line, situation: found.text, outcome: open.text))
                    situation = nil
                }
            } else if line.hasPrefix("```") {
                block = (line.dropFirst(3), number + 1, "")
            }
        }
        return examples
    }()

    @Test func theExamplesAreFound() { #expect(Self.examples.count == 5) }

    @Test(arguments: examples)
    func anExampleComesToWhatIsWritten(example: Example) throws {
        // Whatever is admitted is asked for at once, so that the order of answers plays no part.
        var bench = BudgetBench {
            $0.initialCreationWindow = 200
            $0.largestCreationsUnderWay = 200
        }
        var budgets: [JobBudget] = []
        var waiting: [String: Int] = [:]
        var seconds: Int64 = 30
        var scaledJobs: [JSONValue] = []
        for document in try YAML.documents(example.situation) {
            let value = document.value
            switch value["kind"]?.stringValue {
            case "JobBudget"?:
                budgets.append(
                    BudgetBench.budget(value[path: "metadata", "name"]?.stringValue ?? "", value["spec"] ?? [:])
                )
            case "ScaledJob"?: scaledJobs.append(Self.completed(value))
            default:
                waiting = value["waiting"]?.objectValue?.compactMapValues { $0.integerValue.map { Int($0) } } ?? [:]
                seconds = value["seconds"]?.integerValue ?? seconds
            }
        }
        #expect(budgets.count == 1 && scaledJobs.count == waiting.count)
        for scaledJob in scaledJobs { bench.apply(scaledJob) }
        bench.backlog = waiting
        // All of them are read before the first Job is granted.
        bench.listWork()
        bench.wait(.seconds(1))
        bench.list(budgets: budgets)
        bench.wait(.seconds(seconds))
        let outcome = try JSONValue(parsing: Array(example.outcome.utf8))
        for (name, expected) in outcome.objectValue ?? [:] {
            let found: JSONValue =
                name == "running"
                ? .object(bench.running.mapValues { .integer(Int64($0)) }) : bench.statuses[name] ?? .null
            #expect(Self.contains(found, expected), "\(name): \(found)")
        }
        for budget in budgets {
            #expect(BudgetSpecification.read(budget.spec).problems == [])
            #expect(outcome[budget.metadata.name] != nil)
        }
    }

    /// With what the examples leave out.
    private static func completed(_ scaledJob: JSONValue) -> JSONValue {
        var scaledJob = scaledJob
        var spec = scaledJob["spec"] ?? [:]
        if spec["jobTargetRef"] == nil {
            spec["jobTargetRef"] = ["template": ["spec": ["containers": [["name": "main"]]]]]
        }
        if spec["maxReplicaCount"] == nil { spec["maxReplicaCount"] = 1_000 }
        spec["triggers"] = [["type": "mongodb", "metadata": [:]]]
        scaledJob["spec"] = spec
        return scaledJob
    }

    private static func contains(_ value: JSONValue, _ part: JSONValue) -> Bool {
        switch (value, part) {
        case (.object(let members), .object(let wanted)):
            wanted.allSatisfy { key, member in members[key].map { Self.contains($0, member) } ?? false }
        case (.array(let elements), .array(let wanted)):
            elements.count == wanted.count && zip(elements, wanted).allSatisfy { Self.contains($0, $1) }
        default: value == part
        }
    }

    // MARK: - What the page names

    @Test func everyFieldAnnotationAndFlagIsNamed() {
        let names = [
            "selector.namespaces", "selector.namespaceSelector", "selector.scaledJobSelector", "maxRunningJobs",
            "maxJobsPerBatch", "maxJobsPerSecond", "maxResources", "maxFinishedJobs", "sharing.by", "sharing.weights",
            JobShare.priorityAnnotation, JobShare.weightAnnotation, JobShare.batchAnnotation, "--max-running-jobs",
            "--max-jobs-per-batch", "--max-jobs-per-second", "--max-resources",
        ]
        for name in names { #expect(Self.text.contains("| `\(name)` |"), "\(name)") }
    }

    /// The messages that the page shows are those that are given.
    @Test func everyMessageIsOneThatIsGiven() {
        let specs: [JSONValue] = [
            ["maxRunningJobs": -3], ["maxJobsPerSecond": "20"], ["maxResources": ["cpu": "lots"]], ["sharing": [:]],
            ["selector": ["namespaces": "media"]],
        ]
        for spec in specs {
            let message = BudgetSpecification.read(spec).problems.first?.description ?? ""
            #expect(Self.text.contains("| `\(message)` |"), "\(message)")
        }
    }
}
