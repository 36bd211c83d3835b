import Pace

/// What a reflector does next, without doing it: list, watch, wait, and what to tell.
///
/// Inputs say what happened and when; each returns the one step to take. What is told follows two rules: nothing before
/// the first complete list, and after an interruption again nothing before the next complete list. So whoever listens
/// may hold on an interruption and will always hear of its end.
package struct ReflectorStateMachine: Sendable {
    package enum Step: Sendable, Equatable {
        /// Ask for a page of the list; without a token for the first one, without a limit for the whole at once.
        case list(continueToken: String?, limit: Int?)
        /// Open a watch that the server ends after the timeout.
        case watch(resourceVersion: String, timeout: Duration)
        /// Call ``waited()`` after this time.
        case wait(Duration)
    }

    /// A step, and whether the listener must hear of the error first.
    package struct Outcome: Sendable, Equatable {
        package var step: Step
        package var tellsInterruption: Bool
    }

    private enum Phase: Sendable, Equatable {
        /// Can go to: listing (next page), watching (last page), waiting (failure).
        case listing(continueToken: String?)
        /// Can go to: watching (normal end), waiting (failure), listing (expired).
        case watching(since: ContinuousClock.Instant?, heard: Bool)
        /// Can go to: listing, watching.
        case waiting(isRelist: Bool, continueToken: String?)
    }

    package static let pageSize = 500
    /// A watch that was good for this long may be retried at once when it fails.
    static let steady: Duration = .seconds(5)
    /// A watch that was good for this long starts the pauses over.
    static let healthy: Duration = .seconds(120)

    private var phase: Phase = .listing(continueToken: nil)
    private(set) var resourceVersion: String?
    private var backoff = Backoff(base: .milliseconds(800), cap: .seconds(10))
    private var mayRetryQuickly = true
    private var pagesAreLimited = true
    /// The listener has been told of an interruption and not yet of a complete list.
    private var isInterrupted = false
    /// When the watch last opened; consecutive good watches count as one.
    private var goodSince: ContinuousClock.Instant?

    package init() {}

    /// The first step.
    package var start: Step { .list(continueToken: nil, limit: Self.pageSize) }

    // MARK: Lists

    /// A page arrived.
    ///
    /// Nil when it was the last one: the list is complete, and `watchNext` follows.
    package mutating func pageReceived(resourceVersion: String?, continueToken: String?) -> Step? {
        if let continueToken, !continueToken.isEmpty {
            self.phase = .listing(continueToken: continueToken)
            return .list(continueToken: continueToken, limit: Self.pageSize)
        }
        self.resourceVersion = resourceVersion
        self.isInterrupted = false
        self.pagesAreLimited = true
        return nil
    }

    /// The list failed.
    ///
    /// An expired token starts over, and then without pages, so that it cannot happen again.
    package mutating func listFailed(
        _ error: KubernetesError,
        using generator: inout some RandomNumberGenerator
    ) -> Outcome {
        guard case .listing(let token) = self.phase else { return self.fail(error, relist: true, using: &generator) }
        if error.code == .expired {
            let wasPaged = token != nil
            if wasPaged { self.pagesAreLimited = false }
            self.phase = .listing(continueToken: nil)
            guard wasPaged else { return self.fail(error, relist: true, using: &generator) }
            return Outcome(step: self.firstPage, tellsInterruption: false)
        }
        return self.fail(error, relist: true, continueToken: token, using: &generator)
    }

    // MARK: Watches

    /// The step after a complete list, and after every watch that ended well.
    package mutating func watchNext(using generator: inout some RandomNumberGenerator) -> Step {
        guard let resourceVersion, !resourceVersion.isEmpty else {
            self.phase = .listing(continueToken: nil)
            return self.firstPage
        }
        self.phase = .watching(since: nil, heard: false)
        let seconds = Int64.random(in: 240...480, using: &generator)
        return .watch(resourceVersion: resourceVersion, timeout: .seconds(seconds))
    }

    package mutating func watchOpened(at now: ContinuousClock.Instant) {
        self.phase = .watching(since: now, heard: false)
        if self.goodSince == nil { self.goodSince = now }
    }

    /// An event or a bookmark arrived: the watch goes on from here if it ends.
    package mutating func eventReceived(resourceVersion: String?) {
        if let resourceVersion, !resourceVersion.isEmpty { self.resourceVersion = resourceVersion }
        guard case .watching(let since, false) = self.phase else { return }
        self.phase = .watching(since: since, heard: true)
    }

    /// The server closed the watch without an error.
    package mutating func watchEnded(
        at now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Outcome {
        if case .watching(let since?, let heard) = self.phase, heard || since.duration(to: now) >= .seconds(1) {
            self.noteHealth(now)
            return Outcome(step: self.watchNext(using: &generator), tellsInterruption: false)
        }
        self.goodSince = nil
        let error = KubernetesError(.unreachable, "the watch ended as soon as it began", retry: .now)
        return self.fail(error, relist: false, using: &generator)
    }

    /// The watch could not be opened, or ended with an error.
    ///
    /// An error that came as an `ERROR` event inside the stream says that the place in it is lost.
    package mutating func watchFailed(
        _ error: KubernetesError,
        isEvent: Bool = false,
        at now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Outcome {
        self.noteHealth(now)
        self.goodSince = nil
        switch error.code {
        case .expired where self.mayRetryQuickly:
            // At once, but not again and again.
            self.mayRetryQuickly = false
            self.phase = .listing(continueToken: nil)
            return Outcome(step: self.firstPage, tellsInterruption: self.interrupt())
        case .expired, .invalid, .malformed, .notFound:
            return self.fail(error, relist: true, using: &generator)
        default:
            return self.fail(error, relist: isEvent, using: &generator)
        }
    }

    /// The time of a ``Step/wait(_:)`` is over.
    package mutating func waited(using generator: inout some RandomNumberGenerator) -> Step {
        guard case .waiting(let isRelist, let token) = self.phase else { return self.firstPage }
        guard isRelist else { return self.watchNext(using: &generator) }
        self.phase = .listing(continueToken: token)
        return token.map { .list(continueToken: $0, limit: Self.pageSize) } ?? self.firstPage
    }

    // MARK: Failures

    private var firstPage: Step { .list(continueToken: nil, limit: self.pagesAreLimited ? Self.pageSize : nil) }

    private mutating func noteHealth(_ now: ContinuousClock.Instant) {
        guard let goodSince else { return }
        let duration = goodSince.duration(to: now)
        if duration >= Self.steady { self.mayRetryQuickly = true }
        if duration >= Self.healthy { self.backoff.reset() }
    }

    /// The first failure after a steady time is retried quickly and without a word; from the second on the listener
    /// knows, and the way back leads over a list.
    private mutating func fail(
        _ error: KubernetesError,
        relist: Bool,
        continueToken: String? = nil,
        using generator: inout some RandomNumberGenerator
    ) -> Outcome {
        var pause: Duration
        var tells = false
        var isRelist = relist || self.isInterrupted
        if self.mayRetryQuickly, error.code != .throttled {
            self.mayRetryQuickly = false
            pause = .milliseconds(Int64.random(in: 50...200, using: &generator))
            if relist { tells = self.interrupt() }
        } else {
            pause = self.backoff.next(using: &generator)
            if error.code == .throttled, !isRelist {
                // Only told to slow down: what was told before still stands.
                tells = false
            } else {
                tells = self.interrupt()
                isRelist = true
            }
        }
        if case .after(let asked) = error.retry, error.code == .throttled { pause = max(pause, asked) }
        self.phase = .waiting(isRelist: isRelist, continueToken: continueToken)
        return Outcome(step: .wait(pause), tellsInterruption: tells)
    }

    /// Told with each failure, since each may have another reason; the list that ends it comes once.
    private mutating func interrupt() -> Bool {
        self.isInterrupted = true
        return true
    }
}
