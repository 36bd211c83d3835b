/// One Measure that waits for its answer, which may come in parts.
struct PendingMeasure: Sendable {
    let startedAt: ContinuousClock.Instant
    let deadline: ContinuousClock.Instant
    private let triggers: [UInt64]
    private let maximumItems: Int
    /// Everything before this position is answered; a peer that keeps the order is followed without a search.
    private var cursor = 0
    private var answered: [Bool]
    private var positions: [UInt64: Int]?
    private(set) var hasAnswers = false

    init(_ measure: Frame.Measure, startedAt: ContinuousClock.Instant, deadline: ContinuousClock.Instant) {
        self.startedAt = startedAt
        self.deadline = deadline
        self.triggers = measure.triggers
        self.maximumItems = measure.maximumItems
        self.answered = Array(repeating: false, count: measure.triggers.count)
    }

    /// The readings of one part that were asked for and not answered before.
    mutating func take(_ readings: [TriggerReading]) -> [TriggerReading] {
        self.hasAnswers = self.hasAnswers || !readings.isEmpty
        guard self.takeInOrder(readings) else { return self.takeInAnyOrder(readings) }
        return readings
    }

    /// The triggers that nothing was said about; there are none afterwards.
    mutating func takeRest() -> [UInt64] {
        let rest = self.triggers.indices.filter { !self.answered[$0] }.map { self.triggers[$0] }
        self.answered = Array(repeating: true, count: self.triggers.count)
        self.cursor = self.triggers.count
        return rest
    }

    private mutating func takeInOrder(_ readings: [TriggerReading]) -> Bool {
        guard self.positions == nil, readings.count <= self.triggers.count - self.cursor else { return false }
        var position = self.cursor
        for reading in readings {
            guard reading.trigger == self.triggers[position] else { return false }
            if case .success(let value) = reading.outcome, value.items.count > self.maximumItems { return false }
            position += 1
        }
        for index in self.cursor..<position {
            self.answered[index] = true
        }
        self.cursor = position
        return true
    }

    private mutating func takeInAnyOrder(_ readings: [TriggerReading]) -> [TriggerReading] {
        let positions =
            self.positions
            ?? Dictionary(zip(self.triggers, self.triggers.indices), uniquingKeysWith: { first, _ in first })
        self.positions = positions
        return readings.compactMap { reading in
            guard let position = positions[reading.trigger], !self.answered[position] else { return nil }
            self.answered[position] = true
            guard case .success(var value) = reading.outcome, value.items.count > self.maximumItems else {
                return reading
            }
            value.items.removeLast(value.items.count - self.maximumItems)
            return TriggerReading(trigger: reading.trigger, outcome: .success(value))
        }
    }
}
