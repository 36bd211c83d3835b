import Foundation
import NIOConcurrencyHelpers
import Testing

/// Shows what the hosts of a test wrote when the test fails, and only then.
struct FailureLogs: TestTrait, SuiteTrait, TestScoping {
    var isRecursive: Bool { true }

    /// The end of each log is what matters, and all that anybody reads.
    private static let shownBytes = 12_000

    final class Record: Sendable {
        let files = NIOLockedValueBox<[String]>([])
        let hasFailed = NIOLockedValueBox(false)

        /// Shows this file if the test fails.
        func add(_ file: String) {
            self.files.withLockedValue { if !$0.contains(file) { $0.append(file) } }
        }

        /// To be called before the files go away.
        func show() {
            guard self.hasFailed.withLockedValue({ $0 }) else { return }
            for file in self.files.withLockedValue({ $0 }) {
                let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
                print("----- \(file)\n\(text.suffix(FailureLogs.shownBytes))\n-----")
            }
        }
    }

    @TaskLocal static var current: Record?

    func scopeProvider(for test: Test, testCase: Test.Case?) -> FailureLogs? {
        testCase == nil ? nil : self
    }

    @concurrent func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await Self.$current.withValue(Record()) { try await function() }
    }

    /// Notes every issue of the running test.
    static let noting = IssueHandlingTrait.compactMapIssues { issue in
        FailureLogs.current?.hasFailed.withLockedValue { $0 = true }
        return issue
    }
}

extension Trait where Self == FailureLogs {
    static var showsLogsOnFailure: Self { FailureLogs() }
}
