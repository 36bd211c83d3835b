import Credentials
import DequeModule
import HeapModule
import Pace

/// When each credential is fetched, and fetched again.
///
/// Equal requests are one entry. A bounded number is under way at a time for each server, so that a slow one delays nobody
/// else.
struct CredentialLedger: Sendable {
    /// What the controller makes of an answer.
    enum Effect: Equatable {
        /// This is what the request comes to from now on.
        case becomes(FetchedCredentials.Entry)
        /// What was fetched before still holds; why no newer one came.
        case keeps(String)
        /// Nobody wants it any more.
        case nothing
    }

    struct Pace: Sendable {
        /// How often something is read again that has no end of its own.
        var refresh: Duration = .seconds(300)
        /// How soon something may be read again because a source refused it.
        var refreshAfterRefusal: Duration = .seconds(10)
        var largestUnderWayPerServer = 4
        var largestUnderWay = 64
    }

    private enum Phase: Equatable {
        case idle(dueAt: ContinuousClock.Instant)
        case queued
        case underWay
    }

    private struct Entry {
        let id: UInt64
        var phase: Phase
        var backoff = Backoff(base: .seconds(1), cap: .seconds(60))
        /// The last good answer, and when it came.
        var fetchedAt: ContinuousClock.Instant?
        var goodUntil: ContinuousClock.Instant?
        var isIssued = false
    }

    private struct Wake: Comparable {
        let at: ContinuousClock.Instant
        let id: UInt64

        static func < (left: Wake, right: Wake) -> Bool { (left.at, left.id) < (right.at, right.id) }
    }

    let pace: Pace
    private var entries: [CredentialRequest: Entry] = [:]
    private var requests: [UInt64: CredentialRequest] = [:]
    private var lastID: UInt64 = 0
    private var wakes = Heap<Wake>()
    private var queues: [String: Deque<UInt64>] = [:]
    private var underWay: [String: Int] = [:]
    private var allUnderWay = 0
    /// The server that was served last: the next one comes first.
    private var lastServer = ""

    init(pace: Pace = Pace()) {
        self.pace = pace
    }

    /// When ``start(at:)`` has something to do; nil when it never will by itself.
    var nextWake: ContinuousClock.Instant? { self.wakes.min?.at }

    /// Forgets requests that nobody wants any more.
    mutating func drop(_ unwanted: Set<CredentialRequest>) {
        for request in unwanted {
            guard let entry = self.entries.removeValue(forKey: request) else { continue }
            self.requests[entry.id] = nil
            // What is under way is counted until it ends.
        }
    }

    /// Takes requests that are wanted from now on, besides the others.
    mutating func want(_ wanted: Set<CredentialRequest>, at now: ContinuousClock.Instant) {
        for request in wanted where self.entries[request] == nil {
            self.lastID += 1
            self.requests[self.lastID] = request
            self.entries[request] = Entry(id: self.lastID, phase: .idle(dueAt: now))
            self.wakes.insert(Wake(at: now, id: self.lastID))
        }
    }

    /// The requests to send now.
    mutating func start(at now: ContinuousClock.Instant) -> [CredentialRequest] {
        while let next = self.wakes.min, next.at <= now {
            self.wakes.removeMin()
            guard let request = self.requests[next.id], self.entries[request]?.phase == .idle(dueAt: next.at) else {
                continue
            }
            self.entries[request]?.phase = .queued
            self.queues[request.server, default: []].append(next.id)
        }
        var started: [CredentialRequest] = []
        guard !self.queues.isEmpty else { return [] }
        let servers = self.queues.keys.sorted()
        for server in servers.filter({ $0 > self.lastServer }) + servers.filter({ $0 <= self.lastServer }) {
            while self.allUnderWay < self.pace.largestUnderWay,
                self.underWay[server, default: 0] < self.pace.largestUnderWayPerServer,
                let id = self.queues[server]?.popFirst()
            {
                guard let request = self.requests[id], self.entries[request]?.phase == .queued else { continue }
                self.entries[request]?.phase = .underWay
                self.underWay[server, default: 0] += 1
                self.allUnderWay += 1
                self.lastServer = server
                started.append(request)
            }
            if self.queues[server]?.isEmpty == true { self.queues[server] = nil }
        }
        return started
    }

    /// Takes an answer.
    mutating func finished(
        _ request: CredentialRequest,
        _ outcome: Result<FetchedCredential, CredentialFailure>,
        at now: ContinuousClock.Instant,
        using random: inout some RandomNumberGenerator
    ) -> Effect {
        let left = self.underWay[request.server, default: 1] - 1
        self.underWay[request.server] = left > 0 ? left : nil
        self.allUnderWay = Swift.max(0, self.allUnderWay - 1)
        guard var entry = self.entries[request], entry.phase == .underWay else { return .nothing }
        defer { self.entries[request] = entry }
        switch outcome {
        case .success(let credential):
            entry.backoff.reset()
            entry.fetchedAt = now
            entry.goodUntil = credential.lifetime.map { now + $0 }
            entry.isIssued = credential.isIssued
            self.put(&entry, off: self.pause(after: credential), at: now)
            return .becomes(.known(credential))
        case .failure(let failure):
            let pause = Swift.max(entry.backoff.next(using: &random), .milliseconds(500))
            self.put(&entry, off: Swift.max(pause, Swift.min(failure.retryAfter ?? .zero, .seconds(300))), at: now)
            let isGood = entry.fetchedAt != nil && entry.goodUntil.map { $0 > now } ?? true
            guard failure.isRefusal || !isGood else { return .keeps(failure.message) }
            entry.fetchedAt = nil
            return .becomes(.failed(failure))
        }
    }

    /// A source refused what these gave: they are fetched again soon, in case they have changed.
    mutating func refused(_ requests: Set<CredentialRequest>, at now: ContinuousClock.Instant) {
        for request in requests {
            guard var entry = self.entries[request], case .idle(let dueAt) = entry.phase,
                let fetchedAt = entry.fetchedAt
            else { continue }
            let age = entry.isIssued ? self.pace.refreshAfterRefusal * 6 : self.pace.refreshAfterRefusal
            guard fetchedAt + age < dueAt else { continue }
            self.put(&entry, off: Swift.max(.zero, fetchedAt + age - now), at: now)
            self.entries[request] = entry
        }
    }

    /// Two thirds of the time that is left, so that two more attempts fit before the end.
    private func pause(after credential: FetchedCredential) -> Duration {
        var pause =
            credential.isIssued && credential.lifetime != nil ? Duration.seconds(30 * 86_400) : self.pace.refresh
        if let lifetime = credential.lifetime { pause = Swift.min(pause, Swift.max(.seconds(1), lifetime * 2 / 3)) }
        return Swift.min(pause, credential.renewWithin ?? pause)
    }

    private mutating func put(_ entry: inout Entry, off pause: Duration, at now: ContinuousClock.Instant) {
        entry.phase = .idle(dueAt: now + pause)
        self.wakes.insert(Wake(at: now + pause, id: entry.id))
    }
}
