import Controller
import Foundation
import Kubernetes
import Scaling
import Testing

/// Every example of `docs/scaling.md` is what `sluice decide` really answers.
@Suite struct ScalingDocumentTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let line: Int
        let situation: String
        let answer: String
        var testDescription: String { "line \(self.line)" }
    }

    static let text: String = {
        let file = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/scaling.md").standardized
        return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }()

    static let examples: [Example] = {
        var examples: [Example] = []
        var situation: (line: Int, text: String)?
        var block: (language: String, line: Int, text: String)?
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let open = block {
                guard line == "```" else {
                    block?.text += line + "\n"
                    continue
                }
                block = nil
                if open.language == "yaml" { situation = (open.line, open.text) }
                if open.language == "json" {
                    examples.append(
                        Example(line: open.line, situation: situation?.text ?? "", answer: open.text)
                    )
                    situation = nil
                }
            } else if line.hasPrefix("```") {
                block = (String(line.dropFirst(3)), number + 1, "")
            }
        }
        return examples
    }()

    @Test func thereAreExamples() {
        #expect(Self.examples.count >= 10)
    }

    @Test(arguments: ScalingDecision.Limit.allCases) func everyLimitIsListed(limit: ScalingDecision.Limit) {
        #expect(Self.text.contains("\n| `\(limit.rawValue)` |"))
    }

    @Test(arguments: examples) func theAnswerIsTheOneShown(example: Example) throws {
        let trial = try DecisionTrial.run(Array(example.situation.utf8)).get()
        #expect(trial.notes == [])
        let shown = try #require(try JSONValue(parsing: Array(example.answer.utf8)).objectValue)
        let answer = trial.json
        for (key, value) in shown {
            #expect(answer[key] == value, "\(key)")
        }
    }
}
