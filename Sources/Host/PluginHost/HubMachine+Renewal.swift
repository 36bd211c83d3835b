internal import PluginProtocol

/// A trigger that is set anew while it is open: what is open answers until the new one is, so that no reading is missed.
extension HubMachine {
    /// What a new setting of a trigger takes over from the one before.
    struct Succession {
        /// What answers meanwhile.
        var predecessor: UInt64?
        /// What still has a reading under way.
        var retiring: Set<UInt64> = []
        /// A reading that is still to be asked for.
        var owedSince: Instant?
    }

    /// Makes room for a new specification of the same trigger.
    mutating func supersede(
        _ number: UInt64,
        by specification: TriggerSpecification,
        revision: UInt64,
        now: Instant
    ) -> Succession {
        guard let trigger = self.triggers[number] else { return Succession() }
        var succession = Succession(retiring: trigger.retiring)
        if trigger.isOpen {
            succession.predecessor = number
        } else if let predecessor = trigger.predecessor, self.triggers[predecessor]?.isOpen == true {
            // The one between is given up before it was ever open.
            succession.predecessor = predecessor
            succession.owedSince = trigger.owedSince
        }
        guard trigger.specification.type == specification.type, succession.predecessor != nil else {
            self.drop(number, now: now)
            return Succession()
        }
        self.triggers[number]?.predecessor = nil
        self.triggers[number]?.retiring = []
        self.triggers[number]?.owedSince = nil
        if succession.predecessor != number { self.drop(number, now: now) }
        for earlier in succession.retiring.union(succession.predecessor.map { [$0] } ?? []) {
            self.triggers[earlier]?.revision = revision
        }
        return succession
    }

    /// The new one is open: the one before goes, after the reading that it has under way.
    mutating func takeOver(_ number: UInt64, now: Instant) {
        guard let trigger = self.triggers[number] else { return }
        if let predecessor = trigger.predecessor {
            self.triggers[number]?.predecessor = nil
            if self.triggers[predecessor]?.askedAt != nil {
                self.triggers[number]?.retiring.insert(predecessor)
            } else {
                self.end(predecessor, now: now)
            }
        }
        if let owed = trigger.owedSince {
            self.triggers[number]?.owedSince = nil
            self.ask(number, since: owed, now: now)
        }
    }

    /// The new one could not be opened: nothing answers with credentials that are not the wanted ones.
    mutating func giveUpPredecessors(of number: UInt64, _ failure: PluginFailure, now: Instant) {
        guard let trigger = self.triggers[number] else { return }
        self.triggers[number]?.predecessor = nil
        self.triggers[number]?.retiring = []
        self.triggers[number]?.owedSince = nil
        let wasAsked = self.endPredecessors(of: trigger, now: now)
        if wasAsked || trigger.owedSince != nil {
            self.act(.emit(.unknown(trigger.id, revision: trigger.revision, failure)))
        }
    }

    /// Closes all that came before; true when one of them had a reading under way.
    mutating func endPredecessors(of trigger: DesiredTrigger, now: Instant) -> Bool {
        var wasAsked = false
        for number in trigger.retiring.union(trigger.predecessor.map { [$0] } ?? []).sorted() {
            wasAsked = wasAsked || self.triggers[number]?.askedAt != nil
            self.end(number, now: now)
        }
        return wasAsked
    }

    /// Notes that the predecessor is asked; its connection, unless it is being asked already.
    mutating func askPredecessor(_ predecessor: UInt64, of number: UInt64, now: Instant) -> ConnectionID? {
        // What was asked before is answered by the new one.
        guard self.triggers[number]?.owedSince == nil else { return nil }
        guard self.triggers[predecessor]?.askedAt == nil else {
            if self.triggers[predecessor]?.askedAgainAt == nil { self.triggers[predecessor]?.askedAgainAt = now }
            return nil
        }
        self.triggers[predecessor]?.askedAt = now
        return self.triggers[predecessor]?.phase.connection
    }

    /// Takes a reading of a trigger that has been set anew since it was asked.
    mutating func predecessorMeasured(
        _ reading: TriggerReading,
        askedAt: Instant,
        _ trigger: DesiredTrigger,
        for current: UInt64,
        on connection: ConnectionID,
        now: Instant
    ) {
        let isRetiring = self.triggers[current]?.retiring.remove(reading.trigger) != nil
        switch reading.outcome {
        case .success(let value):
            self.act(.emit(.reading(trigger.id, revision: trigger.revision, value, askedAt: askedAt)))
            guard let again = trigger.askedAgainAt else { break }
            if isRetiring {
                self.ask(current, since: again, now: now)
            } else {
                self.triggers[reading.trigger]?.askedAt = again
                self.measure([reading.trigger], on: connection, askedAt: again, now: now)
            }
        case .failure where isRetiring:
            self.ask(current, since: askedAt, now: now)
        case .failure:
            // The old credentials may be void already; the new ones get to answer before anybody hears of it.
            self.triggers[current]?.owedSince = askedAt
        }
        if isRetiring { self.end(reading.trigger, now: now) }
    }

    /// Asks the current one, unless it is being asked.
    private mutating func ask(_ number: UInt64, since askedAt: Instant, now: Instant) {
        guard let trigger = self.triggers[number], case .open(let connection, _) = trigger.phase,
            trigger.askedAt == nil
        else { return }
        self.triggers[number]?.askedAt = askedAt
        self.measure([number], on: connection, askedAt: now, now: now)
    }

    /// Closes one that came before, and says nothing.
    private mutating func end(_ number: UInt64, now: Instant) {
        guard let trigger = self.triggers.removeValue(forKey: number) else { return }
        self.changedLater.remove(number)
        self.close(trigger, number, now: now)
    }
}
