internal import NIOConcurrencyHelpers

/// Hands out handles of triggers; none twice in one run of a plugin.
final class HandleCounter: Sendable {
    private let last = NIOLockedValueBox<UInt64>(0)

    func next() -> TriggerHandle {
        self.last.withLockedValue { last in
            last += 1
            return TriggerHandle(number: last)
        }
    }
}
