import Testing

/// Looks again and again until it is so; records an issue when it is not by the deadline.
func wait(
    for what: String,
    within limit: Duration,
    lookingEvery pause: Duration = .milliseconds(5),
    _ isSo: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await isSo() { return }
        try await Task.sleep(for: pause)
    }
    Issue.record("never came: \(what)")
}
