internal import Kubernetes
package import Logging
internal import NIOConcurrencyHelpers

/// Follows the Jobs of an in-process cluster: keeps the tally, and writes the report when one is asked for.
package final class RunObserver: Sendable {
    private struct State {
        var tally = RunTally()
        var report: RunReport?
    }

    private let cluster: InProcessCluster
    private let logger: Logger
    private let state: NIOLockedValueBox<State>

    package init(cluster: InProcessCluster, report: RunReport?, logger: Logger) {
        self.cluster = cluster
        self.logger = logger
        self.state = NIOLockedValueBox(State(report: report))
    }

    package var tally: RunTally { self.state.withLockedValue { $0.tally } }

    /// Follows until it is cancelled.
    package func run() async {
        while !Task.isCancelled {
            let changes = self.cluster.changes(of: WatchScope(resource: .jobs))
            let listed = (try? self.cluster.answer(APIRequest(.list, .jobs)))?["items"]?.arrayValue ?? []
            self.state.withLockedValue { $0.tally.relisted(Set(listed.map(\.uid))) }
            while let event = try? await changes.next(), event.kind != .error { self.take(event) }
        }
    }

    /// Takes in what happened last, and writes the last line of the report.
    package func end() {
        let listed = (try? self.cluster.answer(APIRequest(.list, .jobs)))?["items"]?.arrayValue ?? []
        for job in listed { self.take(WatchEvent(kind: .modified, object: job)) }
        let left = self.tally.jobsLeft
        self.write([RunReport.Entry(.ended, namespace: "", name: "", jobsLeft: left)])
    }

    private func take(_ event: WatchEvent) {
        let news = self.state.withLockedValue { $0.tally.observed(event, at: Timestamp.microseconds) }
        self.write(news)
    }

    private func write(_ entries: [RunReport.Entry]) {
        let problem = self.state.withLockedValue { state -> (any Error)? in
            do {
                for entry in entries { try state.report?.write(entry) }
                return nil
            } catch {
                state.report = nil
                return error
            }
        }
        guard let problem else { return }
        self.logger.warning("The report cannot be written any more", metadata: ["error": "\(problem)"])
    }
}
