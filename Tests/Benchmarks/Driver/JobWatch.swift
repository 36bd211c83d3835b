import Foundation
import Kubernetes
import NIOConcurrencyHelpers

/// Sees Jobs come and go from outside, over a connection of its own.
final class JobWatch: Sendable {
    enum Kind: Hashable, Sendable { case added, modified, deleted }

    struct Sighting: Sendable {
        let name: String
        let at: ContinuousClock.Instant
    }

    private struct State {
        var sightings: [Kind: [Sighting]] = [:]
        var waiter: (kind: Kind, count: Int, continuation: CheckedContinuation<Void, Never>)?

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { self.waiter = nil }
            return self.waiter?.continuation
        }
    }

    private let state: NIOLockedValueBox<State>
    private let task: Task<Void, Never>

    /// Watches all Jobs of a namespace; those that are there already come first.
    init(kubeconfig: String, namespace: String) throws {
        let api = try APIServerClient(.kubeconfig(kubeconfig, environment: [:]))
        let state = NIOLockedValueBox(State())
        self.state = state
        let request = APIRequest(
            .watch,
            .jobs,
            namespace: namespace,
            query: [QueryItem("timeoutSeconds", "3600")],
            timeout: .seconds(3_600)
        )
        // Owned by the watch, and cancelled with it.
        self.task = Task {
            do {
                for try await line in try await api.watch(request) { Self.note(line, at: .now, in: state) }
                print("the watch of \(namespace) ended")
            } catch {
                // Whoever waits will run into the time limit.
                if !Task.isCancelled { print("the watch of \(namespace) ended: \(error)") }
            }
        }
    }

    deinit { self.task.cancel() }

    func sightings(_ kind: Kind) -> [Sighting] {
        self.state.withLockedValue { $0.sightings[kind] ?? [] }
    }

    /// Waits until as many Jobs have been seen since the watch began; returns them all.
    func wait(for count: Int, _ kind: Kind, within limit: Duration = .seconds(60)) async throws -> [Sighting] {
        // Unowned by intent: it only makes the wait below end.
        let alarm = Task {
            try await Task.sleep(for: limit)
            self.state.withLockedValue { $0.takeWaiter() }?.resume()
        }
        await withCheckedContinuation { continuation in
            let isThere = self.state.withLockedValue { state in
                guard (state.sightings[kind]?.count ?? 0) < count else { return true }
                state.waiter = (kind, count, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
        alarm.cancel()
        let found = self.sightings(kind)
        guard found.count >= count else {
            throw BenchFailure("\(found.count) of \(count) Jobs \(kind) within \(limit)")
        }
        return found
    }

    private static func note(
        _ line: [UInt8],
        at instant: ContinuousClock.Instant,
        in state: NIOLockedValueBox<State>
    ) {
        guard let (kind, name) = Self.read(line) else { return }
        let waiter = state.withLockedValue { state in
            state.sightings[kind, default: []].append(Sighting(name: name, at: instant))
            guard let waiter = state.waiter, waiter.kind == kind, state.sightings[kind]?.count == waiter.count else {
                return CheckedContinuation<Void, Never>?.none
            }
            return state.takeWaiter()
        }
        waiter?.resume()
    }

    /// Reads the beginning of a line only: the observer must not be what takes the time.
    private static func read(_ line: [UInt8]) -> (Kind, String)? {
        let head = String(decoding: line.prefix(400), as: UTF8.self)
        let kinds: [(String, Kind)] = [("ADDED", .added), ("MODIFIED", .modified), ("DELETED", .deleted)]
        guard let kind = kinds.first(where: { head.hasPrefix("{\"type\":\"\($0.0)\"") })?.1,
            let start = head.range(of: "\"metadata\":{\"name\":\"")
        else { return nil }
        return (kind, String(head[start.upperBound...].prefix { $0 != "\"" }))
    }
}
