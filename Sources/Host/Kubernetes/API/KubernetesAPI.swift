/// The narrow waist between the controller and a cluster: one request with a whole answer, or one watch.
///
/// The HTTP client and the in-process cluster of the standalone mode both implement it, so the controller cannot tell
/// them apart; tests wrap it to make a fault happen on purpose.
package protocol KubernetesAPI: Sendable {
    /// Sends one request and returns the body of a 2xx answer.
    ///
    /// Any other answer is thrown as a ``KubernetesError`` that says whether to retry and whether the write may have
    /// happened. Cancelling the task cancels the request.
    func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8]

    /// Opens a watch. The stream yields one JSON watch event per element, without the newline.
    ///
    /// The stream ends without an error when the server closes it normally.
    func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream
}

/// The lines of one watch, delivered with back-pressure: nothing is read ahead beyond a fixed bound.
package struct WatchStream: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = KubernetesError

    private let nextLine: @Sendable () async throws(KubernetesError) -> [UInt8]?

    /// Wraps a function that returns the next line, or nil at the normal end of the stream.
    ///
    /// The function must react to cancellation of its task by throwing an error with code `cancelled`.
    package init(next: @escaping @Sendable () async throws(KubernetesError) -> [UInt8]?) {
        self.nextLine = next
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(nextLine: self.nextLine)
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let nextLine: @Sendable () async throws(KubernetesError) -> [UInt8]?

        package mutating func next() async throws(KubernetesError) -> [UInt8]? {
            try await self.nextLine()
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(KubernetesError) -> [UInt8]? {
            try await self.nextLine()
        }
    }
}
