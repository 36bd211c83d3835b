internal import NIOConcurrencyHelpers

/// Joins a job on a thread with the task that awaits it: the first answer counts, be it a result or a cancellation.
struct Answer<Result: Sendable>: Sendable {
    private enum State {
        case empty
        /// Can become: answered.
        case awaited(CheckedContinuation<Result, any Error>)
        case answered
        /// Cancelled before anything was awaited. Final.
        case refused(any Error)
    }

    private let state = NIOLockedValueBox(State.empty)

    /// Whether somebody still waits.
    var isWanted: Bool {
        self.state.withLockedValue { state in
            if case .awaited = state { true } else { false }
        }
    }

    /// Takes the continuation; false when it was resumed at once because the task was cancelled before.
    func willResume(_ continuation: CheckedContinuation<Result, any Error>) -> Bool {
        let refusal: (any Error)? = self.state.withLockedValue { state in
            if case .refused(let error) = state { return error }
            state = .awaited(continuation)
            return nil
        }
        guard let refusal else { return true }
        continuation.resume(throwing: refusal)
        return false
    }

    /// Answers, unless that has happened.
    func resume(with result: Swift.Result<Result, any Error>) {
        let continuation: CheckedContinuation<Result, any Error>? = self.state.withLockedValue { state in
            switch state {
            case .awaited(let continuation):
                state = .answered
                return continuation
            case .empty:
                if case .failure(let error) = result { state = .refused(error) }
                return nil
            case .answered, .refused:
                return nil
            }
        }
        continuation?.resume(with: result)
    }
}
