internal import FoundationEssentials
package import Logging

/// Keeps telling about all objects of one resource type: lists them, then watches, and starts over when it must.
///
/// Consistent: the list is read from etcd, not from a cache, so it never shows an older state than one already seen.
package struct Reflector<Object: KubernetesObject>: Sendable {
    package typealias Body = (Reflection<Object>) async -> Void

    private let api: any KubernetesAPI
    private let namespace: String?
    private let query: [QueryItem]
    private let logger: Logger

    /// - Parameters:
    ///   - api: the cluster.
    ///   - namespace: nil for all namespaces.
    ///   - labelSelector: only objects with these labels.
    ///   - fieldSelector: for one object only, `metadata.name=…`.
    ///   - logger: told about objects that cannot be read.
    package init(
        api: any KubernetesAPI,
        namespace: String? = nil,
        labelSelector: String? = nil,
        fieldSelector: String? = nil,
        logger: Logger
    ) {
        self.api = api
        self.namespace = namespace
        self.logger = logger
        var query: [QueryItem] = []
        if let labelSelector { query.append(QueryItem("labelSelector", labelSelector)) }
        if let fieldSelector { query.append(QueryItem("fieldSelector", fieldSelector)) }
        self.query = query
    }

    /// Tells the body everything, one thing after the other, until the task is cancelled.
    ///
    /// The body sets the pace: while it runs, nothing is decoded.
    package func run(_ body: Body) async {
        var round = Round(machine: ReflectorStateMachine(), generator: SystemRandomNumberGenerator())
        var step = round.machine.start
        while !Task.isCancelled {
            switch step {
            case .list(let token, let limit): step = await self.list(token, limit, &round, body)
            case .watch(let version, let timeout): step = await self.watch(version, timeout, &round, body)
            case .wait(let pause):
                try? await Task.sleep(for: pause)
                step = round.machine.waited(using: &round.generator)
            }
        }
    }

    /// What one run carries from step to step.
    private struct Round {
        var machine: ReflectorStateMachine
        var generator: SystemRandomNumberGenerator
        /// Items of the pages so far.
        var items: [Object] = []
        var listStartedAt = ContinuousClock.now
        /// Objects that were reported as unreadable; bounded, then everything is reported again.
        var unreadable: Set<ObjectKey?> = []
        let decoder = JSONDecoder()
    }

    private func list(_ token: String?, _ limit: Int?, _ round: inout Round, _ body: Body) async
        -> ReflectorStateMachine.Step
    {
        if token == nil {
            round.items = []
            round.listStartedAt = .now
        }
        var query = self.query
        if let limit { query.append(QueryItem("limit", "\(limit)")) }
        if let token { query.append(QueryItem("continue", token)) }
        let request = APIRequest(.list, Object.resource, namespace: self.namespace, query: query, timeout: .seconds(60))
        do throws(KubernetesError) {
            let page = try self.page(try await self.api.send(request), round.decoder)
            for item in page.items ?? [] {
                switch item {
                case .object(let object): round.items.append(object)
                case .unreadable(let key, let reason): self.report(key, reason, &round)
                }
            }
            if let next = round.machine.pageReceived(
                resourceVersion: page.metadata.resourceVersion,
                continueToken: page.metadata.continue
            ) {
                return next
            }
            let items = round.items
            round.items = []
            await body(.replaced(items, startedAt: round.listStartedAt))
            return round.machine.watchNext(using: &round.generator)
        } catch {
            return await self.tell(round.machine.listFailed(error, using: &round.generator), error, body)
        }
    }

    private func watch(_ version: String, _ timeout: Duration, _ round: inout Round, _ body: Body) async
        -> ReflectorStateMachine.Step
    {
        let query =
            self.query + [
                QueryItem("resourceVersion", version),
                QueryItem("allowWatchBookmarks", "true"),
                QueryItem("timeoutSeconds", "\(timeout.components.seconds)"),
            ]
        do throws(KubernetesError) {
            let request = APIRequest(.watch, Object.resource, namespace: self.namespace, query: query)
            var lines = try await self.api.watch(request).makeAsyncIterator()
            round.machine.watchOpened(at: .now)
            while let line = try await lines.next() {
                if let failure = await self.event(line, &round, body) {
                    let outcome = round.machine.watchFailed(failure, isEvent: true, at: .now, using: &round.generator)
                    return await self.tell(outcome, failure, body)
                }
            }
            let outcome = round.machine.watchEnded(at: .now, using: &round.generator)
            return await self.tell(outcome, KubernetesError(.unreachable, "the watch ended as soon as it began"), body)
        } catch {
            let outcome = round.machine.watchFailed(error, at: .now, using: &round.generator)
            return await self.tell(outcome, error, body)
        }
    }

    /// Handles one line.
    ///
    /// Returns the error that ends the watch, if the line was one.
    private func event(_ line: [UInt8], _ round: inout Round, _ body: Body) async -> KubernetesError? {
        guard let event = try? round.decoder.decode(WatchEvent<Object>.self, from: Data(line)) else {
            return KubernetesError(.malformed, "a line of the watch is not a watch event")
        }
        switch event {
        case .upserted(let object):
            await body(.upserted(object))
            round.machine.eventReceived(resourceVersion: object.metadata.resourceVersion)
        case .deleted(let object):
            await body(.deleted(object))
            round.machine.eventReceived(resourceVersion: object.metadata.resourceVersion)
        case .bookmark(let version):
            round.machine.eventReceived(resourceVersion: version)
        case .unreadable(let key, let version, let reason):
            self.report(key, reason, &round)
            round.machine.eventReceived(resourceVersion: version)
        case .error(let status):
            return KubernetesError(
                status: status,
                httpStatus: status.code ?? 500,
                retryAfter: nil,
                isCreate: false,
                isWrite: false
            )
        }
        return nil
    }

    private func page(_ bytes: [UInt8], _ decoder: JSONDecoder) throws(KubernetesError) -> ObjectPage<Object> {
        do {
            return try decoder.decode(ObjectPage<Object>.self, from: Data(bytes))
        } catch {
            throw KubernetesError(
                .malformed,
                "the list of \(Object.resource.plural) cannot be read: \(DecodingError.summary(error))"
            )
        }
    }

    private func tell(
        _ outcome: ReflectorStateMachine.Outcome,
        _ error: KubernetesError,
        _ body: Body
    ) async -> ReflectorStateMachine.Step {
        if outcome.tellsInterruption, !Task.isCancelled { await body(.interrupted(error)) }
        return outcome.step
    }

    private func report(_ key: ObjectKey?, _ reason: String, _ round: inout Round) {
        if round.unreadable.count > 1000 { round.unreadable = [] }
        guard round.unreadable.insert(key).inserted else { return }
        self.logger.warning(
            "An object cannot be read and is left out",
            metadata: [
                "kind": "\(Object.resource.kind)",
                "object": "\(key?.description ?? "unnamed")",
                "reason": "\(reason)",
            ]
        )
    }
}
