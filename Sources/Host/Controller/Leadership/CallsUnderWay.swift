package import Kubernetes

/// The calls of a leader that the API server may still work on.
///
/// A write without a clear answer isn't over when the client gives up: the server may act on it until its own limit. Only
/// when nothing is left may the Lease be given back, because the next leader then acts at once.
package struct CallsUnderWay: Sendable {
    /// The longest that the server works on a call.
    private let longestCall: Duration
    private var count = 0
    /// Until when the server may still act on writes that nobody waits for any more.
    private var unansweredUntil: ContinuousClock.Instant?

    package init(longestCall: Duration = .seconds(10)) {
        self.longestCall = longestCall
    }

    /// Whether the client waits for an answer.
    package var isWaiting: Bool { self.count > 0 }

    package mutating func began() { self.count += 1 }

    /// A call ended, perhaps with an error that leaves open what the server did.
    package mutating func ended(_ failure: KubernetesError?, at now: ContinuousClock.Instant) {
        self.count -= 1
        guard failure?.mayHaveHappened == true else { return }
        self.unansweredUntil = now + self.longestCall
    }

    /// Whether one of them may still change something.
    package func mayHaveEffect(at now: ContinuousClock.Instant) -> Bool {
        self.isWaiting || self.unansweredUntil.map { $0 > now } ?? false
    }
}
