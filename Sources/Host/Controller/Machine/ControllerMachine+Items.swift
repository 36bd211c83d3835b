import DequeModule
import Kubernetes
import PluginHost
import PluginProtocol
import Scaling

/// One Job for each item: `sluice.dev/one-job-per-item`.
extension ControllerMachine {
    // MARK: - Switching

    /// Begins or ends it, as the specification says now.
    ///
    /// Jobs that run go on either way and hold their slots. What was asked for in the other way and has an unknown outcome is
    /// looked up, and not asked for again.
    mutating func reviewItems(_ record: inout ScaledJobRecord, formerTriggers: [TriggerManifest]?) {
        // Without a specification nobody knows; nothing is created meanwhile.
        guard let specification = record.specification else { return }
        let wasOn = self.items[record.uid] != nil
        if let policy = specification.items {
            let most = specification.bounds.mostUnfinished
            if !wasOn {
                let names = ItemNames(scaledJob: record.key.name, uid: record.uid)
                self.items[record.uid] = ItemRecord(book: ItemBook(names: names, attempts: policy.attempts, most: most))
                self.trackers[record.uid, default: JobTracker()].followsEnds = true
                // The last reading was not asked for any item.
                for index in record.triggers.indices { record.triggers[index].isDirty = true }
            }
            self.items[record.uid]?.book.attempts = policy.attempts
            if formerTriggers != specification.triggers { self.items[record.uid]?.book.forgetListing() }
        } else {
            let passedOver = self.items.removeValue(forKey: record.uid)?.passedOver ?? []
            for name in passedOver { self.keep(name, of: record) }
            self.trackers[record.uid]?.followsEnds = false
        }
        guard wasOn != (specification.items != nil) else { return }
        self.withdrawAll(&record)
        for name in record.creations { self.lookUp(record.reference(name)) }
        record.creations = []
    }

    /// What is wrong with the type of a trigger whose items are to have a Job each.
    func itemsProblem(_ type: String, index: Int, of record: ScaledJobRecord) -> Problem? {
        guard record.specification?.items != nil, let declaration = self.offers[type]?.declaration,
            !declaration.capabilities.items
        else { return nil }
        return ItemPolicy.unsupported(type: type, index: index)
    }

    // MARK: - Reading

    /// Takes those triggers out of what is to be measured that are to name their items.
    mutating func takeItemMeasures() -> [TriggerID: Int] {
        guard !self.items.isEmpty else { return [:] }
        let items = self.items
        var asked: [TriggerID: Int] = [:]
        self.measures.removeAll { id in
            guard let count = items[id.owner]?.book.asks else { return false }
            asked[id] = count
            return true
        }
        for (id, count) in asked { self.items[id.owner]?.asked = count }
        return asked
    }

    /// Takes the items of a reading that has just become the newest.
    mutating func listed(_ reading: Reading, of id: TriggerID, askedAt: ContinuousClock.Instant) {
        guard let items = self.items[id.owner], let record = self.records[id.owner],
            record.triggers.indices.contains(id.index),
            case .known(_, askedAt) = record.triggers[id.index].standing
        else { return }
        let listing = ItemListing(reading, asked: items.asked, askedAt: askedAt)
        let history = ItemHistory(self.trackers[id.owner] ?? JobTracker(), names: items.book.names)
        self.items[id.owner]?.book.take(listing, history)
        self.items[id.owner]?.kept = nil
    }

    // MARK: - Deciding

    /// The decision, with no more Jobs than there are items that may have one, and those Jobs; nil where items don't matter.
    mutating func chooseItems(
        _ decision: ScalingDecision,
        _ record: inout ScaledJobRecord,
        at moment: Moment
    ) -> (decision: ScalingDecision, orders: [ItemOrder])? {
        guard var items = self.items.removeValue(forKey: record.uid) else { return nil }
        let tracker = self.trackers[record.uid] ?? JobTracker()
        let history = ItemHistory(tracker, names: items.book.names)
        let room = Swift.max(0, self.configuration.longestCreationQueue - record.creations.count)
        let (orders, tally) = items.book.plan(Swift.min(decision.create, room), history)
        items.tally = tally
        items.orders = items.orders.filter { tracker.assumed[$0.key] != nil }
        for order in orders { items.orders[order.name] = order }
        if decision.isActive != nil {
            let most = record.specification?.bounds.mostUnfinished ?? 0
            if items.book.plansNext(most: most, wanted: decision.create, tally) {
                for index in record.triggers.indices { record.triggers[index].isDirty = true }
                self.touched.insert(record.uid)
            }
        }
        self.tellOfItems(&items, history, &record, at: moment)
        self.items[record.uid] = items
        return (decision.serving(orders.count, tally), orders)
    }

    /// Tells of each item once that gets no Job any more, or whose Job has finished in vain.
    private mutating func tellOfItems(
        _ items: inout ItemRecord,
        _ history: ItemHistory,
        _ record: inout ScaledJobRecord,
        at moment: Moment
    ) {
        guard items.tally.blocked + items.tally.stillWaiting + items.tally.unusable > 0,
            let listing = items.book.listing
        else { return items.told = [] }
        var current: Set<String> = []
        for item in listing.items {
            let key = item.key.plainLine.prefix(200)
            switch items.book.standing(of: item, history) {
            case .exhausted(let attempts):
                current.insert(item.hash)
                guard !items.told.contains(item.hash) else { continue }
                let times = attempts == 1 ? "once" : "\(attempts) times"
                let note =
                    history[item.hash]?.newest?.hasSucceeded == true
                    ? "item \"\(key)\" still waits after \(times), the last time with success, and gets no further Job; the "
                        + "worker must take it out of the trigger's query"
                    : "item \"\(key)\" failed \(times) and gets no further Job; mend it, then delete its failed Jobs"
                self.note(.warning, .itemFailed, note, &record, at: moment)
            case .collided(let other):
                current.insert(item.hash)
                guard !items.told.contains(item.hash) else { continue }
                let note =
                    "item \"\(key)\" gets no Job: Jobs of the item \"\(other.plainLine.prefix(200))\" have its name; delete "
                    + "those once they have finished"
                self.note(.warning, .itemFailed, note, &record, at: moment)
            case .due, .settling, .inWork:
                guard items.book.isStillWaiting(item, history), let number = history[item.hash]?.newest?.number else {
                    continue
                }
                let mark = "\(item.hash)-\(number)"
                current.insert(mark)
                guard !items.told.contains(mark) else { continue }
                let note =
                    "the Job of item \"\(key)\" succeeded and the item still waits: it is tried again; the worker must take it "
                    + "out of the trigger's query"
                self.note(.warning, .itemStillWaiting, note, &record, at: moment)
            }
        }
        if listing.unusable > 0, !items.told.contains("") {
            let note = "\(listing.unusable) items get no Job, because their key is no text; give them another key"
            self.note(.warning, .itemFailed, note, &record, at: moment)
        }
        if listing.unusable > 0 { current.insert("") }
        items.told = current
    }

    // MARK: - Creating and cleaning

    /// What the Job of this name is made of; nil where it cannot be told any more, so that it must not be asked for.
    func template(for name: String, of record: ScaledJobRecord) -> JobTemplate? {
        guard let template = record.template else { return nil }
        guard template.carriesItems else { return record.names.owns(name) ? template : nil }
        return self.items[record.uid]?.orders[name].map(template.carrying)
    }

    /// Whether a finished Job is not cleaned, whatever the limits say.
    mutating func isKeptForItems(_ name: String, of uid: String) -> Bool {
        guard self.items[uid] != nil, let record = self.records[uid], let tracker = self.trackers[uid] else {
            return false
        }
        let kept = self.items[uid]?.kept ?? self.keptForItems(record, tracker)
        self.items[uid]?.kept = kept
        guard kept.contains(name) else { return false }
        self.items[uid]?.passedOver.insert(name)
        return true
    }

    /// Gives what was kept for items that have left back to the clean-up.
    mutating func releaseKeptForItems(_ record: ScaledJobRecord) {
        guard self.items[record.uid] != nil else { return }
        self.items[record.uid]?.kept = nil
        guard let passedOver = self.items[record.uid]?.passedOver, !passedOver.isEmpty,
            let tracker = self.trackers[record.uid]
        else { return }
        let kept = self.keptForItems(record, tracker)
        self.items[record.uid]?.kept = kept
        self.items[record.uid]?.passedOver.formIntersection(kept)
        for name in passedOver.subtracting(kept) { self.keep(name, of: record) }
    }

    private func keptForItems(_ record: ScaledJobRecord, _ tracker: JobTracker) -> Set<String> {
        guard var book = self.items[record.uid]?.book else { return [] }
        // What was read before the source failed says nothing about Jobs that ended since.
        if !record.triggers.contains(where: \.isKnown) { book.forgetListing() }
        return book.kept(ItemHistory(tracker, names: book.names))
    }
}
