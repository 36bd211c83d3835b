package import Kubernetes
internal import NIOConcurrencyHelpers

/// A Kubernetes API inside this process: what the standalone mode gives the controller instead of a cluster.
///
/// All rules live in ``ObjectStore``; this shell owns the lock, the clock and the waiting watches. A watch keeps no
/// queue: it reads the shared, bounded change log, and is told that it expired when the log has moved past it.
package final class InProcessCluster: KubernetesAPI {
    /// The resource types of the standalone mode.
    package static let resources: [APIResource] = [
        .scaledJobs, .triggerAuthentications, .clusterTriggerAuthentications, .secrets, .configMaps, .jobs, .pods,
        .events, .jobBudgets,
    ]

    /// The longest body that a write may have, as for the real server.
    private static let maximumBodySize = 3 << 20

    fileprivate struct State {
        var store: ObjectStore
        var waiting: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
    }

    fileprivate struct Waiter {
        let resource: APIResource
        let continuation: CheckedContinuation<Bool, Never>
    }

    private let state: NIOLockedValueBox<State>

    package init(resources: [APIResource] = InProcessCluster.resources, limits: ObjectStore.Limits = .init()) {
        self.state = NIOLockedValueBox(State(store: ObjectStore(resources: resources, limits: limits)))
    }

    package func send(_ request: APIRequest) async throws(KubernetesError) -> [UInt8] {
        guard !Task.isCancelled else { throw KubernetesError(.cancelled, "the request was cancelled") }
        if (request.body?.count ?? 0) > Self.maximumBodySize {
            throw KubernetesError(.invalid, "the request is too large", status: 413)
        }
        let body = try request.body.flatMap { bytes throws(KubernetesError) in try Self.parsed(bytes) }
        let answer = try self.answer(request, body: body)
        do {
            return try answer.encoded()
        } catch {
            throw KubernetesError(.malformed, "the answer cannot be written as JSON")
        }
    }

    /// The same as ``send(_:)`` for callers inside the process that have their body as a value.
    @discardableResult
    package func answer(_ request: APIRequest, body: JSONValue? = nil) throws(KubernetesError) -> JSONValue {
        let now = Timestamp.now
        let (result, woken) = self.state.withLockedValue { state in
            let revision = state.store.revision
            let result = Result { () throws(KubernetesError) in
                try state.store.answer(request, body: body, now: now)
            }
            return (result, state.store.revision == revision ? [] : state.takeWaiters(since: revision))
        }
        for continuation in woken { continuation.resume(returning: true) }
        return try result.get()
    }

    private static func parsed(_ bytes: [UInt8]) throws(KubernetesError) -> JSONValue? {
        guard !bytes.isEmpty else { return nil }
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw .badRequest("the body is not JSON")
        }
    }
}

// MARK: Watching

extension InProcessCluster {
    package func watch(_ request: APIRequest) async throws(KubernetesError) -> WatchStream {
        let scope = try WatchScope(request)
        try self.state.withLockedValue { $0.store }.checkTarget(request)
        let since = request.query.first { $0.name == "resourceVersion" }?.value ?? ""
        let changes: ObjectChanges
        if since.isEmpty || since == "0" {
            changes = self.changes(of: scope)
        } else if let revision = Int64(since), revision >= 0 {
            changes = ObjectChanges(cluster: self, scope: scope, position: .after(revision))
        } else {
            throw .badRequest("resourceVersion: Invalid value: \"\(since)\"")
        }
        return WatchStream { () throws(KubernetesError) in
            guard let event = try await changes.next() else { return nil }
            do {
                return try event.json.encoded()
            } catch {
                throw KubernetesError(.malformed, "the event cannot be written as JSON")
            }
        }
    }

    /// What is there now as additions, then every change.
    package func changes(of scope: WatchScope) -> ObjectChanges {
        self.state.withLockedValue { state in
            let events = state.store.list(scope).map { WatchEvent(kind: .added, object: $0) }
            let position = ObjectChanges.Position.initial(events[...], revision: state.store.revision)
            return ObjectChanges(cluster: self, scope: scope, position: position)
        }
    }

    /// The next event of a scope after a revision; nil when there is none yet.
    fileprivate func event(of scope: WatchScope, after revision: inout Int64) -> WatchEvent? {
        self.state.withLockedValue { state in
            guard revision <= state.store.revision else { return .expired }
            while revision < state.store.revision {
                guard let change = state.store.log[revision + 1] else { return .expired }
                revision += 1
                if let event = scope.event(of: change) { return event }
            }
            return nil
        }
    }

    /// Waits until a resource type has changed after a revision; false when the task was cancelled.
    fileprivate func change(of resource: APIResource, after revision: Int64) async -> Bool {
        let id = self.state.withLockedValue { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumes = self.state.withLockedValue { state -> Bool? in
                    if Task.isCancelled { return false }
                    if state.store.revision > revision { return true }
                    state.waiting[id] = Waiter(resource: resource, continuation: continuation)
                    return nil
                }
                if let resumes { continuation.resume(returning: resumes) }
            }
        } onCancel: {
            let waiter = self.state.withLockedValue { $0.waiting.removeValue(forKey: id) }
            waiter?.continuation.resume(returning: false)
        }
    }
}

extension InProcessCluster.State {
    /// The watches whose resource type has changed since a revision.
    fileprivate mutating func takeWaiters(since revision: Int64) -> [CheckedContinuation<Bool, Never>] {
        guard !self.waiting.isEmpty else { return [] }
        var touched: Set<APIResource> = []
        for changed in (revision + 1)...self.store.revision {
            // A write that filled the whole log wakes everyone.
            guard let change = self.store.log[changed] else {
                touched.formUnion(self.store.resources)
                break
            }
            touched.insert(change.resource)
        }
        let ids = self.waiting.filter { touched.contains($0.value.resource) }.map(\.key)
        return ids.compactMap { self.waiting.removeValue(forKey: $0)?.continuation }
    }
}

/// The changes of one scope, read one at a time by one task.
package final class ObjectChanges: Sendable {
    fileprivate enum Position {
        case initial(ArraySlice<WatchEvent>, revision: Int64)
        case after(Int64)
        case ended
    }

    private let cluster: InProcessCluster
    private let scope: WatchScope
    private let position: NIOLockedValueBox<Position>

    fileprivate init(cluster: InProcessCluster, scope: WatchScope, position: Position) {
        self.cluster = cluster
        self.scope = scope
        self.position = NIOLockedValueBox(position)
    }

    /// The next event; an `ERROR` event is the last one, and nil follows.
    package func next() async throws(KubernetesError) -> WatchEvent? {
        while true {
            if let event = self.takeReadyEvent() { return event }
            let revision: Int64? = self.position.withLockedValue { position in
                guard case .after(let revision) = position else { return nil }
                return revision
            }
            guard let revision else { return nil }
            guard await self.cluster.change(of: self.scope.resource, after: revision) else {
                throw KubernetesError(.cancelled, "the watch was cancelled")
            }
        }
    }

    private func takeReadyEvent() -> WatchEvent? {
        self.position.withLockedValue { position in
            switch position {
            case .ended:
                return nil
            case .initial(let events, let revision):
                guard let event = events.first else {
                    position = .after(revision)
                    return self.readLog(&position, after: revision)
                }
                position = .initial(events.dropFirst(), revision: revision)
                return event
            case .after(let revision):
                return self.readLog(&position, after: revision)
            }
        }
    }

    private func readLog(_ position: inout Position, after revision: Int64) -> WatchEvent? {
        var revision = revision
        let event = self.cluster.event(of: self.scope, after: &revision)
        position = event?.kind == .error ? .ended : .after(revision)
        return event
    }
}
