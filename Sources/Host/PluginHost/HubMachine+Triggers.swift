internal import NIOCore
import Pace
internal import PluginProtocol

/// What becomes of the triggers that the controller wants.
extension HubMachine {
    mutating func set(_ id: TriggerID, revision: UInt64, to specification: TriggerSpecification, now: Instant) {
        var succession = Succession()
        if let number = self.numbers[id], let trigger = self.triggers[number] {
            guard trigger.specification != specification else {
                return self.revise(number, revision: revision)
            }
            succession = self.supersede(number, by: specification, revision: revision, now: now)
        }
        self.lastNumber += 1
        let number = self.lastNumber
        self.numbers[id] = number
        self.triggers[number] = DesiredTrigger(
            id: id,
            revision: revision,
            specification: specification,
            backoff: Backoff(base: self.configuration.shortestOpenPause, cap: self.configuration.longestOpenPause)
        )
        self.triggers[number]?.predecessor = succession.predecessor
        self.triggers[number]?.retiring = succession.retiring
        self.triggers[number]?.owedSince = succession.owedSince
        guard let offer = self.offers[specification.type], let connection = offer.connection else {
            self.act(.emit(.failed(id, revision: revision, self.unoffered(specification.type))))
            return
        }
        self.queueOpen(number, on: connection)
        self.openNext(on: connection, now: now)
    }

    mutating func remove(_ id: TriggerID, now: Instant) {
        guard let number = self.numbers.removeValue(forKey: id) else { return }
        self.drop(number, now: now)
        self.act(.forget(id))
    }

    /// The same trigger under a newer revision: what is known of it is said again.
    private mutating func revise(_ number: UInt64, revision: UInt64) {
        self.triggers[number]?.revision = revision
        guard let trigger = self.triggers[number] else { return }
        switch trigger.phase {
        case .open(_, let opened):
            self.act(.emit(.opened(trigger.id, revision: revision, opened)))
        case .unoffered:
            self.act(.emit(.failed(trigger.id, revision: revision, self.unoffered(trigger.specification.type))))
        case .queued, .opening, .retrying:
            guard let failure = trigger.failure else { return }
            self.act(.emit(.failed(trigger.id, revision: revision, failure)))
        }
    }

    mutating func drop(_ number: UInt64, now: Instant) {
        guard let trigger = self.triggers.removeValue(forKey: number) else { return }
        self.changedLater.remove(number)
        self.close(trigger, number, now: now)
        let wasAsked = self.endPredecessors(of: trigger, now: now)
        if trigger.askedAt != nil || trigger.owedSince != nil || wasAsked {
            // The reading under way would be of a trigger that is not wanted any more, but the asker gets an answer.
            let failure = PluginFailure(.cancelled, "the trigger changed while it was measured")
            self.act(.emit(.unknown(trigger.id, revision: trigger.revision, failure)))
        }
    }

    mutating func close(_ trigger: DesiredTrigger, _ number: UInt64, now: Instant) {
        switch trigger.phase {
        case .opening(let connection), .open(let connection, _):
            let actions = self.connections[connection]?.session.close(trigger: number) ?? []
            self.perform(actions, of: connection, now: now)
            self.openNext(on: connection, now: now)
        case .unoffered, .queued, .retrying:
            break
        }
    }

    func unoffered(_ type: String) -> PluginFailure {
        guard let offer = self.offers[type] else {
            return PluginFailure(.unavailable, "no plugin offers trigger type \(type)")
        }
        return PluginFailure(.unavailable, "plugin \(offer.plugin) is not connected")
    }

    // MARK: Opening

    mutating func queueOpen(_ number: UInt64, on id: ConnectionID) {
        self.triggers[number]?.phase = .queued(id)
        self.connections[id]?.toOpen.append(number)
    }

    mutating func openNext(on id: ConnectionID, now: Instant) {
        let limit = self.configuration.opensUnderWay
        while let number = self.connections[id]?.nextToOpen(limit: limit) {
            guard let trigger = self.triggers[number], case .queued(id) = trigger.phase else { continue }
            self.triggers[number]?.phase = .opening(id)
            let open = Frame.Open(
                trigger: number,
                type: trigger.specification.type,
                scaledJob: trigger.specification.scaledJob,
                parameters: trigger.specification.parameters
            )
            self.perform(self.connections[id]?.session.open(open, now: now) ?? [], of: id, now: now)
        }
    }

    mutating func opened(
        _ number: UInt64,
        _ result: Result<OpenedTrigger, PluginFailure>,
        on id: ConnectionID,
        now: Instant
    ) {
        defer { self.openNext(on: id, now: now) }
        guard let trigger = self.triggers[number], case .opening(id) = trigger.phase else { return }
        switch result {
        case .success(var opened):
            opened.metricName = opened.metricName.map(self.hiddenValues(of: trigger).hidden(inName:))
            self.triggers[number]?.phase = .open(id, opened)
            self.triggers[number]?.failure = nil
            self.triggers[number]?.backoff.reset()
            self.act(.emit(.opened(trigger.id, revision: trigger.revision, opened)))
            self.takeOver(number, now: now)
        case .failure(let failure):
            let failure = self.hiddenValues(of: trigger).hidden(in: failure)
                .attributed(to: self.connections[id]?.plugin)
            self.giveUpPredecessors(of: number, failure, now: now)
            let retryAt = now + self.pause(after: failure, of: number)
            self.triggers[number]?.phase = .retrying(id, at: retryAt)
            self.triggers[number]?.failure = failure
            self.earliestRetry = min(self.earliestRetry ?? retryAt, retryAt)
            self.act(.emit(.failed(trigger.id, revision: trigger.revision, failure)))
        }
    }

    /// How long to wait before the open is tried again; what only a person can mend is tried rarely.
    private mutating func pause(after failure: PluginFailure, of number: UInt64) -> Duration {
        if let retryAfter = failure.retryAfter {
            return min(max(retryAfter, .milliseconds(100)), self.configuration.longestRetryAfter)
        }
        switch failure.code {
        case .invalidParameter, .unsupported, .protocolError:
            return self.configuration.hopelessOpenPause * Double.random(in: 1...2, using: &self.random)
        default:
            guard var backoff = self.triggers[number]?.backoff else { return self.configuration.longestOpenPause }
            let pause = backoff.next(using: &self.random)
            self.triggers[number]?.backoff = backoff
            return max(pause, self.configuration.shortestOpenPause / 10)
        }
    }

    mutating func retryOpens(now: Instant) {
        var earliest: Instant?
        var connections: Set<ConnectionID> = []
        for number in self.triggers.keys.sorted() {
            guard let trigger = self.triggers[number], case .retrying(let id, let at) = trigger.phase else { continue }
            if at <= now {
                self.queueOpen(number, on: id)
                connections.insert(id)
            } else {
                earliest = min(earliest ?? at, at)
            }
        }
        self.earliestRetry = earliest
        for id in connections.sorted() {
            self.openNext(on: id, now: now)
        }
    }

    // MARK: Measuring

    /// Asks for readings, with as many items as are wanted of a trigger; none where it is not in `items`.
    mutating func measure(_ ids: [TriggerID], items: [TriggerID: Int] = [:], now: Instant) {
        var wanted: [ConnectionID: [UInt64]] = [:]
        for id in ids {
            guard let number = self.numbers[id], let trigger = self.triggers[number] else {
                let failure = PluginFailure(.unknownTrigger, "the trigger was never set, or was removed")
                self.act(.emit(.unknown(id, revision: 0, failure)))
                continue
            }
            if let predecessor = trigger.predecessor, !trigger.isOpen {
                self.triggers[number]?.maximumItems = items[id] ?? 0
                self.triggers[predecessor]?.maximumItems = items[id] ?? 0
                if let connection = self.askPredecessor(predecessor, of: number, now: now) {
                    wanted[connection, default: []].append(predecessor)
                }
                continue
            }
            guard case .open(let connection, _) = trigger.phase else {
                self.act(.emit(.unknown(id, revision: trigger.revision, self.notOpen(trigger))))
                continue
            }
            self.triggers[number]?.maximumItems = items[id] ?? 0
            if trigger.askedAt == nil {
                self.triggers[number]?.askedAt = now
                wanted[connection, default: []].append(number)
            } else if trigger.askedAgainAt == nil {
                self.triggers[number]?.askedAgainAt = now
            }
        }
        for connection in wanted.keys.sorted() {
            self.measure(wanted[connection] ?? [], on: connection, askedAt: now, now: now)
        }
    }

    mutating func measure(_ numbers: [UInt64], on id: ConnectionID, askedAt: Instant, now: Instant) {
        let deadline = askedAt + self.configuration.session.measureTimeout
        var items: [UInt64: Int] = [:]
        for number in numbers {
            if let count = self.triggers[number]?.maximumItems, count > 0 { items[number] = count }
        }
        let actions =
            self.connections[id]?.session.measure(numbers, items: items, deadline: deadline, now: now) ?? []
        self.perform(actions, of: id, now: now)
    }

    mutating func measured(_ readings: [TriggerReading], on id: ConnectionID, now: Instant) {
        var again: [UInt64] = []
        var earliest = now
        for reading in readings {
            guard let trigger = self.triggers[reading.trigger], let askedAt = trigger.askedAt else { continue }
            self.triggers[reading.trigger]?.askedAt = nil
            self.triggers[reading.trigger]?.askedAgainAt = nil
            if let current = self.numbers[trigger.id], current != reading.trigger {
                self.predecessorMeasured(reading, askedAt: askedAt, trigger, for: current, on: id, now: now)
                continue
            }
            switch reading.outcome {
            case .success(let value):
                self.act(.emit(.reading(trigger.id, revision: trigger.revision, value, askedAt: askedAt)))
                if let askedAgainAt = trigger.askedAgainAt {
                    self.triggers[reading.trigger]?.askedAt = askedAgainAt
                    again.append(reading.trigger)
                    earliest = min(earliest, askedAgainAt)
                }
            case .failure(let failure):
                let failure = self.hiddenValues(of: trigger).hidden(in: failure)
                    .attributed(to: self.connections[id]?.plugin)
                self.act(.emit(.unknown(trigger.id, revision: trigger.revision, failure)))
                if failure.code == .unknownTrigger, case .open(id, _) = trigger.phase {
                    self.queueOpen(reading.trigger, on: id)
                }
            }
        }
        if !again.isEmpty {
            self.measure(again, on: id, askedAt: earliest, now: now)
        }
        self.openNext(on: id, now: now)
    }

    private func notOpen(_ trigger: DesiredTrigger) -> PluginFailure {
        switch trigger.phase {
        case .unoffered: self.unoffered(trigger.specification.type)
        case .retrying, .queued, .opening, .open:
            trigger.failure ?? PluginFailure(.unavailable, "the trigger is being opened")
        }
    }

    // MARK: Changes

    mutating func changed(_ numbers: [UInt64], on id: ConnectionID, now: Instant) {
        for number in numbers {
            guard let trigger = self.triggers[number], case .open(id, _) = trigger.phase else { continue }
            if let changedAt = trigger.changedAt, now < changedAt + self.configuration.changeSpacing {
                self.changedLater.insert(number)
                if self.changedLaterAt == nil {
                    self.changedLaterAt = now + self.configuration.changeSpacing
                }
            } else {
                self.triggers[number]?.changedAt = now
                self.act(.emit(.changed(trigger.id)))
            }
        }
    }

    mutating func reportLaterChanges(now: Instant) {
        self.changedLaterAt = nil
        let numbers = self.changedLater.sorted()
        self.changedLater = []
        for number in numbers {
            guard let trigger = self.triggers[number] else { continue }
            self.triggers[number]?.changedAt = now
            self.act(.emit(.changed(trigger.id)))
        }
    }
}

extension PluginFailure {
    /// The same failure, saying which plugin said so, so that its words never pass for the host's.
    func attributed(to plugin: String?) -> PluginFailure {
        guard let plugin, !self.message.hasPrefix("plugin \(plugin)") else { return self }
        var failure = self
        failure.message = "plugin \(plugin): \(self.message)".prefix(utf8Bytes: ProtocolLimits.failureMessageBytes)
        return failure
    }
}
