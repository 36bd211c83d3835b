internal import NIOConcurrencyHelpers
internal import Pace

/// The Kubernetes API, with every call waiting for its turn, except those about the Lease.
///
/// The timeout of a call counts from the moment when it is made: what it waits here is lost for the server.
package final class PacedAPI: KubernetesAPI {
    private enum Turn: Sendable {
        case begin
        case refused(RequestFlow.Refusal)
        case cancelled
    }

    private struct State {
        var flow: RequestFlow
        var waiting: [UInt64: CheckedContinuation<Turn, Never>] = [:]
        let alarm: Alarm

        /// Takes what the flow decided: who goes on, and when it wants to be asked again.
        mutating func carryOut(_ actions: [RequestFlow.Action]) -> [(CheckedContinuation<Turn, Never>, Turn)] {
            self.alarm.set(self.flow.nextWake)
            return actions.compactMap { action in
                switch action {
                case .begin(let id): self.waiting.removeValue(forKey: id).map { ($0, .begin) }
                case .refuse(let id, let refusal): self.waiting.removeValue(forKey: id).map { ($0, .refused(refusal)) }
                }
            }
        }
    }

    private let api: any KubernetesAPI
    private let state: NIOLockedValueBox<State>

    package init(_ api: any KubernetesAPI, _ settings: RequestFlow.Settings = RequestFlow.Settings()) {
        self.api = api
        let ring = Ring()
        let alarm = Alarm { ring.target.withLockedValue { $0.api }?.tick() }
        let flow = RequestFlow(settings, seed: UInt64.random(in: 0 ... .max))
        self.state = NIOLockedValueBox(State(flow: flow, alarm: alarm))
        ring.target.withLockedValue { $0.api = self }
    }

    deinit {
        self.state.withLockedValue { $0.alarm.stop() }
    }

    /// What the alarm rings at, which must not keep it alive.
    private final class Ring: Sendable {
        struct Target { weak var api: PacedAPI? }

        let target = NIOLockedValueBox(Target())
    }

    package var figures: FlowFigures { self.state.withLockedValue { $0.flow.figures(at: .now) } }

    /// Gives up what waits to change something, none of which has been sent; a host that stops has no use for it.
    package func dropWrites() {
        self.change { $0.carryOut($0.flow.dropWrites(at: .now)) }
    }

    package func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        guard let kind = request.kind else { return try await self.api.send(request) }
        let (id, begin, rest) = try await self.turn(of: request, kind)
        do throws(KubernetesError) {
            let answer = try await self.api.send(rest)
            // How long a list takes depends on how much there is.
            self.ended(id, .answered(kind == .observe ? nil : .now - begin))
            return answer
        } catch {
            self.ended(id, error.outcome(after: .now - begin))
            throw error
        }
    }

    package func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        guard let kind = request.kind else { return try await self.api.watch(request) }
        let (id, begin, rest) = try await self.turn(of: request, kind)
        do throws(KubernetesError) {
            let stream = try await self.api.watch(rest)
            self.ended(id, .answered(nil))
            return stream
        } catch {
            self.ended(id, error.outcome(after: .now - begin))
            throw error
        }
    }

    /// Waits until the call may begin; what is left of its time comes with it.
    private func turn(
        of request: APIRequest,
        _ kind: CallKind
    ) async throws(KubernetesError) -> (UInt64, ContinuousClock.Instant, APIRequest) {
        let deadline = ContinuousClock.now + request.timeout
        let id = self.state.withLockedValue { $0.flow.newID() }
        let turn = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Turn, Never>) in
                self.change { state in
                    // Under the lock, so that a cancellation either shows here or finds the call waiting.
                    guard !Task.isCancelled else { return [(continuation, .cancelled)] }
                    state.waiting[id] = continuation
                    return state.carryOut(state.flow.ask(id, kind, deadline: deadline, at: .now))
                }
            }
        } onCancel: {
            self.change { state in
                let (wasWaiting, actions) = state.flow.cancel(id, at: .now)
                let cancelled = wasWaiting ? state.waiting.removeValue(forKey: id) : nil
                return state.carryOut(actions) + (cancelled.map { [($0, .cancelled)] } ?? [])
            }
        }
        switch turn {
        case .begin:
            var rest = request
            let now = ContinuousClock.now
            rest.timeout = deadline - now
            return (id, now, rest)
        case .refused(.full): throw .tooManyWait(kind)
        case .refused(.late): throw .waitedTooLong(request.timeout)
        case .refused(.dropped), .cancelled:
            throw KubernetesError(.cancelled, "the call was cancelled before it was sent")
        }
    }

    private func ended(_ id: UInt64, _ outcome: RequestFlow.Outcome) {
        self.change { $0.carryOut($0.flow.ended(id, outcome, at: .now)) }
    }

    private func tick() {
        self.change { $0.carryOut($0.flow.tick(at: .now)) }
    }

    /// Changes the state, then lets those go on that may, outside the lock.
    private func change(_ change: (inout State) -> [(CheckedContinuation<Turn, Never>, Turn)]) {
        for (continuation, turn) in self.state.withLockedValue(change) { continuation.resume(returning: turn) }
    }
}

extension KubernetesError {
    fileprivate static func tooManyWait(_ kind: CallKind) -> KubernetesError {
        let message = "too many calls wait for the API server already (\(kind.rawValue)); this one was not sent"
        return KubernetesError(.throttled, message, retry: .after(.seconds(1)))
    }

    fileprivate static func waitedTooLong(_ timeout: Duration) -> KubernetesError {
        let message = "the call waited for \(timeout) behind others to the API server and was not sent"
        return KubernetesError(.throttled, message, retry: .after(.milliseconds(500)))
    }

    /// What the end of a call shows about the server.
    fileprivate func outcome(after latency: Duration) -> RequestFlow.Outcome {
        switch self.code {
        case .throttled:
            guard case .after(let pause) = self.retry else { return .overloaded }
            return .throttled(pause)
        case .serverError, .timedOut: return .overloaded
        case .unreachable, .cancelled, .malformed, .configuration, .unauthorized: return .unknown
        // A refusal takes as long as the server needs for it, like any other answer, but is quicker by nature.
        case .forbidden, .notFound, .alreadyExists, .conflict, .expired, .invalid: return .answered(nil)
        }
    }
}
