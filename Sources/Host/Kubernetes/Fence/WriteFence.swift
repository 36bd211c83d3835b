internal import NIOConcurrencyHelpers

/// Until when a leader may change anything in the cluster; it moves with each renewal of the Lease.
///
/// Every write carries it down to the socket, where it is looked at last. So a host that stood still for longer than its Lease
/// sends nothing any more when it goes on, whatever waited inside it. Once fallen it stays so.
package final class WriteFence: Sendable {
    private struct State {
        var deadline = ContinuousClock.now
        var hasStood = false
        var isFallen = false
    }

    private let state = NIOLockedValueBox(State())

    /// Nothing may be written before the first ``stand(until:)``.
    package init() {}

    /// Moves the instant from which on nothing is written; false when the one before has come already.
    @discardableResult
    package func stand(until deadline: ContinuousClock.Instant, at now: ContinuousClock.Instant = .now) -> Bool {
        self.state.withLockedValue { state in
            if state.hasStood, state.deadline <= now { state.isFallen = true }
            guard !state.isFallen else { return false }
            state.hasStood = true
            state.deadline = deadline
            return true
        }
    }

    /// Ends all writing for good.
    package func fall(at now: ContinuousClock.Instant = .now) {
        self.state.withLockedValue { state in
            state.isFallen = true
            state.deadline = Swift.min(state.deadline, now)
        }
    }

    /// Nothing that changes the cluster may leave this process at that instant or later.
    package var deadline: ContinuousClock.Instant { self.state.withLockedValue { $0.deadline } }

    package var stands: Bool { self.deadline > .now }
}

extension WriteFence: Equatable {
    package static func == (left: WriteFence, right: WriteFence) -> Bool { left === right }
}

extension KubernetesError {
    /// The host does not lead any more.
    static let fenced = KubernetesError(.cancelled, "this host does not hold the Lease any more; the call was not sent")
}
