/// What was told about one object in Events, so that the same is not told again and again.
///
/// The same words for the same reason are one Event with a count; the count is written ever more rarely while it grows.
/// Beyond that an object has a budget, so that words that change with every poll don't flood the API server either.
struct EventLedger: Sendable {
    /// How an occurrence is told.
    enum Telling: Equatable, Sendable {
        /// As a new Event.
        case first(number: UInt64)
        /// As the count of an Event told before.
        case again(number: UInt64, count: Int)
        /// Not now: it is counted, and told with a later one.
        case counted
        /// Not at all: the budget is used up.
        case dropped
    }

    /// Events that may be told at once, and how long until the next one is free.
    static let burst = 25.0
    static let refill = Duration.seconds(5)
    /// After such a time of silence the same words are a new Event.
    static let memory = Duration.seconds(30 * 60)
    static let shortestSpacing = Duration.seconds(10)
    static let longestSpacing = Duration.seconds(5 * 60)
    private static let largestEntries = 32

    private struct Key: Hashable {
        let reason: EventReason
        let note: String
    }

    private struct Entry {
        let number: UInt64
        var count = 1
        var tellings = 1
        var toldAt: ContinuousClock.Instant
        var lastAt: ContinuousClock.Instant
    }

    private var entries: [Key: Entry] = [:]
    private var tokens = Self.burst
    private var filledAt: ContinuousClock.Instant?

    /// Takes one occurrence; `isOwn` makes it an Event of its own even when the same words were told just before.
    mutating func take(
        _ reason: EventReason,
        _ note: String,
        isOwn: Bool,
        at now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Telling {
        let key = Key(reason: reason, note: note)
        if !isOwn, var entry = self.entries[key], now - entry.lastAt < Self.memory {
            entry.count += 1
            entry.lastAt = now
            defer { self.entries[key] = entry }
            let spacing = Swift.min(Self.shortestSpacing * (1 << Swift.min(entry.tellings - 1, 8)), Self.longestSpacing)
            guard now - entry.toldAt >= spacing else { return .counted }
            guard self.spend(at: now) else { return .counted }
            entry.tellings += 1
            entry.toldAt = now
            return .again(number: entry.number, count: entry.count)
        }
        guard self.spend(at: now) else { return .dropped }
        let number = UInt64.random(in: 1 ... .max, using: &generator)
        if self.entries.count >= Self.largestEntries, self.entries[key] == nil,
            let oldest = self.entries.min(by: { $0.value.lastAt < $1.value.lastAt })?.key
        {
            self.entries[oldest] = nil
        }
        self.entries[key] = Entry(number: number, toldAt: now, lastAt: now)
        return .first(number: number)
    }

    private mutating func spend(at now: ContinuousClock.Instant) -> Bool {
        if let filledAt, filledAt < now {
            self.tokens = Swift.min(Self.burst, self.tokens + (now - filledAt) / Self.refill)
        }
        self.filledAt = now
        guard self.tokens >= 1 else { return false }
        self.tokens -= 1
        return true
    }
}
