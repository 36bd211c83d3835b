internal import FoundationEssentials
package import Kubernetes
package import Logging

/// Lets its body run while this host leads.
package struct LeaderElector: Sendable {
    /// The leader could not renew its Lease in time, or another took it.
    package struct LostLease: Error, CustomStringConvertible {
        package let description: String
    }

    private let api: any KubernetesAPI
    private let key: ObjectKey
    private let settings: LeaderElection.Settings
    private let fence: WriteFence
    private let logger: Logger

    /// The fence is what the body's writes are bound to; it is for one tenure.
    package init(
        api: any KubernetesAPI,
        lease: ObjectKey,
        settings: LeaderElection.Settings,
        fence: WriteFence = WriteFence(),
        logger: Logger
    ) {
        self.api = api
        self.key = lease
        self.settings = settings
        self.fence = fence
        self.logger = logger
    }

    /// Waits for the Lease, then runs the body until the task is cancelled or the Lease is lost.
    ///
    /// The body is cancelled before another host may act, whatever becomes of the calls about the Lease, and has ended
    /// when this returns or throws. When the task is cancelled the body may first finish what is under way: `finish`
    /// returns once it is done, or at the instant that it is given, and says whether nothing is left. Only then is the
    /// Lease given back; otherwise the next host waits as it does after a crash.
    package func lead(
        finish: @escaping @Sendable (ContinuousClock.Instant) async -> Bool = { _ in true },
        _ body: @escaping @Sendable () async -> Void
    ) async throws {
        var election = LeaderElection(settings: self.settings, now: .now)
        let tenure = LeaderTenure(fence: self.fence, body)
        var lastHolder: String??
        let watch = LeaseWatch(api: self.api, lease: self.key, logger: self.logger)
        // Ends with this function, or when there is nothing to wait for any more.
        var watching: Task<Void, Never>?
        defer { watching?.cancel() }
        while !Task.isCancelled {
            if let holder = watch.takeNews() { election.hear(holder: holder, at: .now) }
            let step = election.step(at: .now, time: .now)
            if let deadline = election.deadline, !tenure.lasts(until: deadline) { election.lose() }
            if election.standing == .lost { break }
            if election.standing == .leading, tenure.begin() {
                self.logger.notice("leads", metadata: ["lease": "\(self.key)"])
            }
            await self.take(step, &election, watch)
            if election.standing != .waiting {
                watching?.cancel()
            } else if watching == nil, election.holder != nil {
                watching = Task { await watch.run() }
            }
            if election.standing == .waiting, lastHolder != election.holder {
                lastHolder = election.holder
                self.logger.notice(
                    "waits for its turn",
                    metadata: ["lease": "\(self.key)", "holder": "\(election.holder ?? "nobody")"]
                )
                if let shard = election.foreignShard {
                    self.logger.warning(
                        "hosts of another shard use the same Lease, so only one shard is served; name another with --lease-name",
                        metadata: [
                            "lease": "\(self.key)", "theirs": "\(shard)",
                            "ours": "\(self.settings.shard ?? "everything")",
                        ]
                    )
                }
            }
        }
        let deadline = election.deadline ?? .now
        // The task is cancelled; what is under way and giving the Lease back must still go through.
        let isFinished =
            election.mayGiveBack
            ? await Task { await finish(Swift.min(deadline, .now + Self.longestFinish)) }.value : false
        let ended = await tenure.end()
        if election.standing == .lost {
            throw LostLease(
                description:
                    "the Lease \(self.key) is lost (holder: \(election.holder ?? "nobody")); stopped before another host acts"
            )
        }
        guard election.mayGiveBack, isFinished, ended == .inTime else { return }
        await Task { [election] in await self.giveBack(election) }.value
    }

    /// How long calls under way may take to end before the Lease is given back.
    private static let longestFinish = Duration.seconds(10)

    /// Empties the Lease as it is now: a renewal that was cut off may have changed it.
    private func giveBack(_ election: LeaderElection) async {
        for _ in 0..<3 {
            guard case .success(let current?) = await self.read(timeout: .seconds(2)),
                let record = election.release(of: current, time: .now)
            else { return }
            if case .success = await self.write(record, timeout: .seconds(2)) { return }
        }
    }

    private func take(
        _ step: LeaderElection.Step,
        _ election: inout LeaderElection,
        _ watch: LeaseWatch
    ) async {
        switch step {
        case .stop: return
        case .wait(let until): await watch.wait(until: until)
        case .read(let timeout):
            election.read(await self.read(timeout: timeout), at: .now)
        case .write(let record, let timeout):
            let sentAt = ContinuousClock.now
            election.wrote(await self.write(record, timeout: timeout), sentAt: sentAt, at: .now)
        }
    }

    private func read(timeout: Duration) async -> Result<LeaseRecord?, KubernetesError> {
        let request = APIRequest(
            .get,
            .leases,
            namespace: self.key.namespace,
            name: self.key.name,
            timeout: timeout,
            lane: .lease
        )
        switch await self.send(request) {
        case .failure(let error) where error.code == .notFound: return .success(nil)
        case .failure(let error): return .failure(self.note(error))
        case .success(let record): return .success(record)
        }
    }

    private func write(_ record: LeaseRecord, timeout: Duration) async -> Result<LeaseRecord, KubernetesError> {
        let exists = record.resourceVersion != nil
        let body: [UInt8]
        do {
            body = try record.object(self.key).encoded()
        } catch {
            return .failure(KubernetesError(.malformed, "the Lease cannot be written as JSON"))
        }
        let request = APIRequest(
            exists ? .replace : .create,
            .leases,
            namespace: self.key.namespace,
            name: exists ? self.key.name : nil,
            body: body,
            timeout: timeout,
            lane: .lease
        )
        return await self.send(request).mapError(self.note)
    }

    private func send(_ request: APIRequest) async -> Result<LeaseRecord, KubernetesError> {
        do throws(KubernetesError) {
            let body = try await self.api.send(request)
            guard let object = try? JSONValue(parsing: body) else {
                return .failure(KubernetesError(.malformed, "the API server's Lease cannot be read"))
            }
            return .success(LeaseRecord(object))
        } catch {
            return .failure(error)
        }
    }

    private func note(_ error: KubernetesError) -> KubernetesError {
        let level: Logger.Level = error.code == .conflict || error.code == .cancelled ? .debug : .warning
        self.logger.log(level: level, "a call about the Lease failed", metadata: ["error": "\(error)"])
        return error
    }
}
