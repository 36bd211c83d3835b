import Controller
import Foundation
import SystemPackage
import Testing

@testable import Observability

/// The page for operators says what the code has, no more and no less.
@Suite struct OperationsPageTests {
    private let text: String

    init() throws {
        let path = MetricsTextTests.root.appending("docs/operations.md").string
        self.text = try String(contentsOfFile: path, encoding: .utf8)
    }

    /// The first cells of all table rows that are names in code style.
    private func names(startingWith prefixes: [String]) -> [String] {
        self.text.split(separator: "\n").compactMap { line in
            guard let match = line.firstMatch(of: /^\| `([A-Za-z_]+)` \|/) else { return nil }
            let name = String(match.1)
            return prefixes.contains { name.hasPrefix($0) } ? name : nil
        }
    }

    @Test func everyMetricIsListedWithItsTypeAndLabels() {
        for family in MetricFamily.all {
            let labels = family.labels.isEmpty ? "–" : family.labels.map { "`\($0)`" }.joined(separator: ", ")
            let row = "| `\(family.name)` | \(family.kind.rawValue) | \(labels) |"
            #expect(self.text.contains(row), "\(row)")
        }
        #expect(self.names(startingWith: ["keda_", "sluice_"]).sorted() == MetricFamily.all.map(\.name).sorted())
    }

    @Test func everyEventReasonIsListedWithItsReporter() {
        for reason in EventReason.all {
            let rows = self.text.split(separator: "\n").filter { $0.hasPrefix("| `\(reason.rawValue)` |") }
            #expect(rows.count == 1, "\(reason.rawValue)")
            #expect(rows.first?.contains("| `\(reason.reportingController)` |") == true, "\(reason.rawValue)")
        }
        let listed = self.text.split(separator: "\n").filter {
            $0.contains("| `scale-handler` |") || $0.contains("| `keda-operator` |")
        }
        #expect(listed.count == EventReason.all.count)
    }

    @Test func everyConditionIsListed() {
        for kind in Condition.Kind.allCases { #expect(self.text.contains("| `\(kind.rawValue)` |"), "\(kind)") }
    }
}
