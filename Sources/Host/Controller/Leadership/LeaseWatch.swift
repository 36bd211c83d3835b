import Kubernetes
import Logging
internal import NIOConcurrencyHelpers

/// Tells whoever waits for a Lease when its holder changes, so that a Lease that was given back is taken at once.
///
/// It only says that a look is worth its while: what counts is what is read then. Without the right to watch the Lease the
/// looks come as often as they always do.
final class LeaseWatch: Sendable {
    private struct State {
        /// The holder that the watch showed last, once it has shown any.
        var shown: String??
        /// What was shown has not been looked at.
        var isNews = false
        var sleep: Task<Void, Never>?
        var wasRefused = false
    }

    private let reflector: Reflector<Lease>
    private let logger: Logger
    private let state = NIOLockedValueBox(State())

    init(api: any KubernetesAPI, lease: ObjectKey, logger: Logger) {
        self.logger = logger
        self.reflector = Reflector(
            api: api,
            namespace: lease.namespace,
            fieldSelector: "metadata.name=\(lease.name)",
            logger: logger
        )
    }

    /// Follows the Lease until the task is cancelled.
    func run() async {
        await self.reflector.run { change in
            switch change {
            case .replaced(let leases, _): self.show(leases.first?.holder)
            case .upserted(let lease): self.show(lease.holder)
            case .deleted: self.show(nil)
            case .interrupted(let error): self.interrupted(error)
            }
        }
    }

    /// Waits until the instant, or until the holder is another.
    func wait(until instant: ContinuousClock.Instant) async {
        // Ends with this call: cancelled with its task, or from the watch.
        let sleep = Task<Void, Never> { try? await Task.sleep(until: instant) }
        let isNews = self.state.withLockedValue { state in
            state.sleep = sleep
            return state.isNews
        }
        if isNews { sleep.cancel() }
        await withTaskCancellationHandler {
            await sleep.value
        } onCancel: {
            sleep.cancel()
        }
        self.state.withLockedValue { $0.sleep = nil }
    }

    /// The holder that was shown since this was asked last; nil when there is no news.
    func takeNews() -> String?? {
        self.state.withLockedValue { state in
            defer { state.isNews = false }
            return state.isNews ? state.shown : nil
        }
    }

    private func show(_ holder: String?) {
        let sleep = self.state.withLockedValue { state -> Task<Void, Never>? in
            guard state.shown != .some(holder) else { return nil }
            state.shown = .some(holder)
            state.isNews = true
            return state.sleep
        }
        sleep?.cancel()
    }

    private func interrupted(_ error: KubernetesError) {
        guard error.code == .forbidden || error.code == .unauthorized else { return }
        let isFirst = self.state.withLockedValue { state in
            defer { state.wasRefused = true }
            return !state.wasRefused
        }
        if isFirst {
            self.logger.notice(
                "may not watch its Lease, and so takes it over some seconds later than it could",
                metadata: ["error": "\(error)"]
            )
        }
    }
}
