internal import NIOConcurrencyHelpers
internal import PluginProtocol

/// Collects the answer to one Measure: each trigger once, whoever reports it and from wherever.
final class MeasureAnswer: Sendable {
    private struct State {
        var isAnswered: [Bool]
        /// Everything before this is answered, as long as the plugin keeps the order.
        var cursor = 0
        var positions: [TriggerHandle: Int]?
        var waiting: [TriggerReading] = []
        var isFlushScheduled = false
        var isFinished = false
    }

    /// What the plugin is asked for.
    let requests: [MeasureRequest]
    /// The host's numbers of the same triggers.
    private let triggers: [UInt64]
    private let state: NIOLockedValueBox<State>
    private let scheduleFlush: @Sendable () -> Void

    /// Creates an answer; `unknown` are triggers that are not open.
    init(
        requests: [MeasureRequest],
        triggers: [UInt64],
        unknown: [UInt64],
        scheduleFlush: @escaping @Sendable () -> Void
    ) {
        self.requests = requests
        self.triggers = triggers
        self.scheduleFlush = scheduleFlush
        var state = State(isAnswered: Array(repeating: false, count: requests.count))
        state.waiting = unknown.map {
            TriggerReading(trigger: $0, outcome: .failure(PluginFailure(.unknownTrigger, "the trigger is not open")))
        }
        state.waiting.reserveCapacity(requests.count + unknown.count)
        self.state = NIOLockedValueBox(state)
    }

    /// Takes one reading; a second one for the same trigger, or one after the end, is ignored.
    func take(_ handle: TriggerHandle, _ outcome: Result<Reading, PluginFailure>) {
        let schedules = self.state.withLockedValue { state in
            guard !state.isFinished, let position = self.position(of: handle, &state), !state.isAnswered[position]
            else { return false }
            state.isAnswered[position] = true
            state.waiting.append(TriggerReading(trigger: self.triggers[position], outcome: outcome))
            guard !state.isFlushScheduled else { return false }
            state.isFlushScheduled = true
            return true
        }
        if schedules {
            self.scheduleFlush()
        }
    }

    /// What was reported since the last time.
    func takeWaiting() -> [TriggerReading] {
        self.state.withLockedValue { state in
            state.isFlushScheduled = false
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// The last part: what was reported since the last time, and this failure for everything else.
    func finish(_ failure: PluginFailure) -> [TriggerReading] {
        self.state.withLockedValue { state in
            state.isFinished = true
            for position in self.triggers.indices where !state.isAnswered[position] {
                state.waiting.append(TriggerReading(trigger: self.triggers[position], outcome: .failure(failure)))
            }
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    private func position(of handle: TriggerHandle, _ state: inout State) -> Int? {
        if state.cursor < self.requests.count, self.requests[state.cursor].trigger == handle {
            state.cursor += 1
            return state.cursor - 1
        }
        let positions =
            state.positions
            ?? Dictionary(
                zip(self.requests.map(\.trigger), self.requests.indices),
                uniquingKeysWith: { first, _ in first }
            )
        state.positions = positions
        return positions[handle]
    }
}

extension [TriggerReading] {
    /// A frame must hold each part; well below its limit, so that estimates may be rough.
    private static var partBytes: Int { ProtocolLimits.frameBytes / 2 }

    /// The readings in parts that each fit a frame; items that no frame can hold are left out.
    func parts() -> [[TriggerReading]] {
        guard self.count > 4096 || self.contains(where: { $0.estimatedBytes > 128 }) else { return [self] }
        var parts: [[TriggerReading]] = []
        var part: [TriggerReading] = []
        var size = 0
        for var reading in self {
            reading.trimItems(to: Self.partBytes)
            let bytes = reading.estimatedBytes
            if size + bytes > Self.partBytes, !part.isEmpty {
                parts.append(part)
                part = []
                size = 0
            }
            part.append(reading)
            size += bytes
        }
        parts.append(part)
        return parts
    }
}

extension TriggerReading {
    fileprivate var estimatedBytes: Int {
        switch self.outcome {
        case .success(let reading) where reading.items.isEmpty: 64
        case .success(let reading): reading.items.reduce(64) { $0 + $1.key.count + $1.payload.count + 16 }
        case .failure(let failure): 64 + min(failure.message.utf8.count, ProtocolLimits.failureMessageBytes) + 64
        }
    }

    fileprivate mutating func trimItems(to limit: Int) {
        guard case .success(var reading) = self.outcome, !reading.items.isEmpty else { return }
        var size = 64
        let fitting = reading.items.prefix { item in
            size += item.key.count + item.payload.count + 16
            return size <= limit
        }
        guard fitting.count < reading.items.count else { return }
        reading.items = Array(fitting)
        self.outcome = .success(reading)
    }
}
