import Testing

@Suite struct FinishedJobOptionsTests {
    @Test(arguments: [
        ("--finished-jobs-max-age", "soon"), ("--finished-jobs-max-age", "0s"), ("--max-finished-jobs", "-1"),
        ("--max-deletions-per-second", "-1"), ("--max-deletions-per-second", "nan"),
    ])
    func aValueThatCannotBeIsNamedBeforeAnythingStarts(option: String, value: String) async throws {
        for command in [["host"], ["run", "nowhere.yaml"]] {
            let outcome = try await ValidateTests.sluice(command + ["\(option)=\(value)"])
            #expect(!outcome.isFine)
            #expect(outcome.error.contains("\(option): "), "\(outcome.error)")
        }
    }
}
