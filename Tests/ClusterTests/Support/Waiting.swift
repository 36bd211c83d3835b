/// Waits until the claim holds.
///
/// - Throws: ``NeverHappened`` with the last thing that `otherwise` had to say.
func eventually(
    _ what: String,
    within timeout: Duration = .seconds(30),
    otherwise state: () async -> String = { "" },
    _ claim: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while try await !claim() {
        guard ContinuousClock.now < deadline else {
            throw NeverHappened(what: what, timeout: timeout, state: await state())
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Something that a test waited for did not come.
struct NeverHappened: Error, CustomStringConvertible {
    let what: String
    let timeout: Duration
    let state: String

    var description: String {
        "not within \(self.timeout): \(self.what)" + (self.state.isEmpty ? "" : "; instead: \(self.state)")
    }
}
