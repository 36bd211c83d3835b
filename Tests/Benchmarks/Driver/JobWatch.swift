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
        // Owned by the watch, and cancelled with it.
        self.task = Task {
            var version = ""
            while !Task.isCancelled {
                var query = [QueryItem("timeoutSeconds", "3600")]
                // A server that ends the watch is asked for what came after the last event.
                if !version.isEmpty { query.append(QueryItem("resourceVersion", version)) }
                let request = APIRequest(.watch, .jobs, namespace: namespace, query: query, timeout: .seconds(60))
                do {
                    for try await line in try await api.watch(request) {
                        version = Self.note(line, at: .now, in: state) ?? version
                    }
                } catch {
                    // Asked again; whoever waits has a time limit.
                    try? await Task.sleep(for: .milliseconds(10))
                }
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

    /// Returns the version of the Job that the line shows.
    private static func note(
        _ line: [UInt8],
        at instant: ContinuousClock.Instant,
        in state: NIOLockedValueBox<State>
    ) -> String? {
        guard let (kind, name, version) = Self.read(line) else { return nil }
        let waiter = state.withLockedValue { state in
            state.sightings[kind, default: []].append(Sighting(name: name, at: instant))
            guard let waiter = state.waiter, waiter.kind == kind, state.sightings[kind]?.count == waiter.count else {
                return CheckedContinuation<Void, Never>?.none
            }
            return state.takeWaiter()
        }
        waiter?.resume()
        return version
    }

    /// Reads the beginning of a line only: the observer must not be what takes the time.
    private static func read(_ line: [UInt8]) -> (Kind, name: String, version: String)? {
        let head = String(decoding: line.prefix(500), as: UTF8.self)
        let kinds: [(String, Kind)] = [("ADDED", .added), ("MODIFIED", .modified), ("DELETED", .deleted)]
        guard let kind = kinds.first(where: { head.hasPrefix("{\"type\":\"\($0.0)\"") })?.1,
            let name = Self.text("\"metadata\":{\"name\":\"", in: head),
            let version = Self.text("\"resourceVersion\":\"", in: head)
        else { return nil }
        return (kind, name, version)
    }

    /// The text after a mark, up to its closing quotation mark.
    private static func text(_ mark: String, in head: String) -> String? {
        guard let start = head.range(of: mark) else { return nil }
        return String(head[start.upperBound...].prefix { $0 != "\"" })
    }
}
