/// How many deletions a second may begin: a bucket that fills at the pace and holds what a tenth of a second brings.
package struct DeletionPace: Sendable, Equatable {
    private let perSecond: Double?
    private let largest: Double
    private var tokens: Double
    private var filledAt: ContinuousClock.Instant?

    /// `perSecond` is greater than 0; nil for no limit.
    package init(perSecond: Double?) {
        self.perSecond = perSecond
        self.largest = Swift.max(1, (perSecond ?? 0) / 10)
        self.tokens = self.largest
    }

    /// When the next deletion may begin; nil for at once.
    package mutating func nextRoom(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard let perSecond else { return nil }
        if let filledAt, filledAt < now {
            self.tokens = Swift.min(self.largest, self.tokens + (now - filledAt) / .seconds(1) * perSecond)
        }
        self.filledAt = now
        guard self.tokens < 1 else { return nil }
        return now + .seconds(1) * ((1 - self.tokens) / perSecond) + .microseconds(1)
    }

    /// A deletion begins.
    package mutating func begin() {
        if self.perSecond != nil { self.tokens -= 1 }
    }
}
