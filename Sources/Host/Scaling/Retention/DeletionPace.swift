/// How many deletions a second may begin.
package struct DeletionPace: Sendable, Equatable {
    package enum Rule: Sendable, Equatable {
        case unlimited
        /// Greater than 0.
        case atMost(perSecond: Double)
        /// One for each Job that finishes, and so many a second for those that had finished before: a backlog that
        /// nobody waits for is no reason to slow others down.
        case backlog(perSecond: Double)
    }

    /// Jobs that finished, and whose deletions have not begun, count up to here.
    private static let largestCredit = 1_000.0

    private let rule: Rule
    private let perSecond: Double
    /// What a tenth of a second brings.
    private let largest: Double
    private var tokens: Double
    private var filledAt: ContinuousClock.Instant?

    package init(_ rule: Rule) {
        self.rule = rule
        switch rule {
        case .unlimited: self.perSecond = 0
        case .atMost(let perSecond), .backlog(let perSecond): self.perSecond = perSecond
        }
        self.largest = Swift.max(1, self.perSecond / 10)
        self.tokens = self.largest
    }

    /// When the next deletion may begin; nil for at once.
    package mutating func nextRoom(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard self.rule != .unlimited else { return nil }
        if let filledAt, filledAt < now, self.tokens < self.largest {
            self.tokens = Swift.min(self.largest, self.tokens + (now - filledAt) / .seconds(1) * self.perSecond)
        }
        self.filledAt = now
        guard self.tokens < 1 else { return nil }
        return now + .seconds(1) * ((1 - self.tokens) / self.perSecond) + .microseconds(1)
    }

    /// A deletion begins.
    package mutating func begin() {
        if self.rule != .unlimited { self.tokens -= 1 }
    }

    /// A Job was seen to finish.
    package mutating func finished() {
        guard case .backlog = self.rule else { return }
        self.tokens = Swift.min(self.tokens + 1, Self.largestCredit)
    }
}
