import Kubernetes
import NIOConcurrencyHelpers

/// A real API server behind a line on which a test makes faults happen.
final class FaultyAPI: KubernetesAPI {
    /// What becomes of a request.
    enum Fate: Sendable {
        case delivered
        /// It never arrives.
        case refused(KubernetesError)
        /// It is done, and its answer is lost.
        case answerLost
    }

    private let api: APIServerClient
    private let fate: @Sendable (APIRequest) -> Fate
    private let faultCount = NIOLockedValueBox(0)
    /// How late watches of Jobs tell what happened.
    private let watchDelay: Duration

    init(
        _ api: APIServerClient,
        watchDelay: Duration = .zero,
        _ fate: @escaping @Sendable (APIRequest) -> Fate
    ) {
        self.api = api
        self.watchDelay = watchDelay
        self.fate = fate
    }

    /// Faults so far.
    var faults: Int { self.faultCount.withLockedValue { $0 } }

    func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        switch self.fate(request) {
        case .delivered:
            return try await self.api.send(request)
        case .refused(let error):
            self.faultCount.withLockedValue { $0 += 1 }
            throw error
        case .answerLost:
            _ = try await self.api.send(request)
            self.faultCount.withLockedValue { $0 += 1 }
            throw KubernetesError(.timedOut, "the answer was lost", retry: .now, mayHaveHappened: true)
        }
    }

    func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        let lines = try await self.api.watch(request)
        guard self.watchDelay > .zero, request.resource == .jobs else { return lines }
        let (late, queue) = AsyncStream.makeStream(of: LateLine.self)
        // Ends with the watch that it feeds.
        let feeder = Task {
            do throws(KubernetesError) {
                for try await line in lines { queue.yield(LateLine(line: .success(line), arrivedAt: .now)) }
            } catch {
                queue.yield(LateLine(line: .failure(error), arrivedAt: .now))
            }
            queue.finish()
        }
        queue.onTermination = { _ in feeder.cancel() }
        let delay = self.watchDelay
        return WatchStream { () async throws(KubernetesError) in
            var iterator = late.makeAsyncIterator()
            guard let next = await iterator.next() else {
                guard !Task.isCancelled else { throw KubernetesError(.cancelled, "the watch was cancelled") }
                return nil
            }
            try? await Task.sleep(until: next.arrivedAt + delay)
            return try next.line.get()
        }
    }

    private struct LateLine: Sendable {
        let line: Result<[UInt8], KubernetesError>
        let arrivedAt: ContinuousClock.Instant
    }
}

extension APIRequest {
    /// The creation of a Job that is to be stored.
    var createsJob: Bool {
        self.verb == .create && self.resource == .jobs && !self.query.contains { $0.name == "dryRun" }
    }
}
