/// Why a call to the Kubernetes API did not succeed, and what the caller may do about it.
package struct KubernetesError: Error, Sendable {
    /// A bounded set: also the metric label.
    package enum Code: String, Sendable, CaseIterable {
        /// Not connected, refused, or the connection ended.
        case unreachable
        case timedOut
        case cancelled
        case unauthorized
        case forbidden
        case notFound
        /// 409 on create.
        case alreadyExists
        /// 409 on a write with a stale resourceVersion.
        case conflict
        /// 410, or an `ERROR` event with that code inside a watch: list again.
        case expired
        /// 429.
        case throttled
        /// 400 or 422: the API server refused the content.
        case invalid
        /// 5xx.
        case serverError
        /// The answer could not be understood, or was larger than allowed.
        case malformed
        /// The client's configuration (kubeconfig, token, certificates) is unusable.
        case configuration
    }

    /// What the thrower knows about trying again.
    package enum Retry: Sendable, Equatable {
        case now
        case after(Duration)
        case relist
        case never
    }

    package let code: Code
    /// For people; never parsed, never a secret.
    package let message: String
    package let retry: Retry
    /// True when a write may have reached the server although no answer came back.
    ///
    /// A create that failed with this set is repeated under the same name until the answer is definite.
    package let mayHaveHappened: Bool
    /// The HTTP status, when there was an answer.
    package let status: Int?

    package init(
        _ code: Code,
        _ message: String,
        retry: Retry = .never,
        mayHaveHappened: Bool = false,
        status: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.retry = retry
        self.mayHaveHappened = mayHaveHappened
        self.status = status
    }
}

extension KubernetesError: CustomStringConvertible {
    package var description: String { "\(self.code.rawValue): \(self.message)" }
}
