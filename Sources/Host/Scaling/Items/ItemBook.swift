/// Which items of one ScaledJob get a Job, and which have had enough of them.
///
/// What it decides by is in the cluster: how often an item was tried stands in the names and annotations of its Jobs, and the
/// newest finished one of each is kept from the clean-up while its item waits. So a host that starts anew, or takes over, goes on
/// where the last one was.
package struct ItemBook: Sendable, Equatable {
    /// What is to become of one item.
    package enum Standing: Sendable, Equatable {
        case inWork
        /// Its Job ended after the reading was asked for, so that nobody knows yet whether it still waits.
        case settling
        case due(number: Int, attempt: Int)
        /// It was tried so often and still waits.
        case exhausted(attempts: Int)
        /// Its Jobs were made for this other key with the same hash.
        case collided(with: String)
    }

    /// The fewest and the most items that a reading is asked for.
    package static let fewestItems = 16
    package static let mostItems = 512
    /// The most finished Jobs that are kept for what they say about items.
    package static let mostKept = 1_024

    package let names: ItemNames
    /// How often an item is tried.
    package var attempts: Int
    /// The newest reading's items; nil where there is no reading that still counts.
    package private(set) var listing: ItemListing?
    /// By item, the number of a Job that succeeded and whose item then left: later Jobs are a new round.
    private var closedRounds: [String: Int] = [:]
    /// Names that Jobs of others have.
    private var occupied: Set<String> = []
    /// How many items the next reading is to name.
    package private(set) var asks: Int

    package init(names: ItemNames, attempts: Int, most: Int) {
        self.names = names
        self.attempts = attempts
        self.asks = Self.rounded(most)
    }

    // MARK: - What is learnt

    package mutating func take(_ listing: ItemListing, _ history: ItemHistory) {
        self.listing = listing
        let listed = Set(listing.items.map(\.hash))
        for (hash, entry) in history.entries where !entry.isInWork && !listed.contains(hash) {
            guard let newest = entry.newest, newest.hasSucceeded else { continue }
            if let ended = entry.endedAt, ended >= listing.askedAt { continue }
            self.closedRounds[hash] = newest.number
        }
        self.closedRounds = self.closedRounds.filter { history[$0.key] != nil }
    }

    /// The question changed: what was read answers another one.
    package mutating func forgetListing() { self.listing = nil }

    /// A Job that is not the ScaledJob's has this name.
    package mutating func occupy(_ name: String) {
        if self.occupied.count >= Self.mostKept { self.occupied = [] }
        self.occupied.insert(name)
    }

    // MARK: - What follows

    package func standing(of item: WaitingItem, _ history: ItemHistory) -> Standing {
        guard let listing, let entry = history[item.hash] else { return self.due(item, after: 0, attempt: 1) }
        if let key = entry.key, key != item.key { return .collided(with: key) }
        if entry.isInWork { return .inWork }
        if let ended = entry.endedAt, ended >= listing.askedAt { return .settling }
        let used = self.attemptsUsed(item, entry)
        if used >= self.attempts { return .exhausted(attempts: used) }
        return self.due(item, after: entry.lastNumber, attempt: used + 1)
    }

    /// Whether the newest Job of the item succeeded, and the item still waits.
    package func isStillWaiting(_ item: WaitingItem, _ history: ItemHistory) -> Bool {
        guard let listing, let entry = history[item.hash], !entry.isInWork, let newest = entry.newest,
            newest.hasSucceeded, self.attemptsUsed(item, entry) > 0
        else { return false }
        return entry.endedAt.map { $0 < listing.askedAt } ?? true
    }

    /// The Jobs for up to `count` items, in the plugin's order, and how all of them stand.
    package func plan(_ count: Int, _ history: ItemHistory) -> (orders: [ItemOrder], tally: ItemTally) {
        var tally = ItemTally()
        var orders: [ItemOrder] = []
        guard let listing else { return ([], tally) }
        tally.listed = listing.items.count
        tally.unusable = listing.unusable
        tally.isCut = !listing.isComplete
        for item in listing.items {
            if self.isStillWaiting(item, history) { tally.stillWaiting += 1 }
            switch self.standing(of: item, history) {
            case .inWork: tally.inWork += 1
            case .settling: tally.settling += 1
            case .exhausted: tally.exhausted += 1
            case .collided: tally.collided += 1
            case .due(let number, let attempt):
                tally.due += 1
                guard orders.count < count else { continue }
                let name = self.names.name(hash: item.hash, number: number)
                orders.append(ItemOrder(name: name, item: item, attempt: attempt))
            }
        }
        return (orders, tally)
    }

    /// Sets how many items the next reading is to name; true when it should come at once.
    ///
    /// Enough for every Job that may run, and for those items that are named and have no use for one. When that was too few,
    /// twice as many: a slot is free and more waits than was named.
    package mutating func plansNext(most: Int, wanted: Int, _ tally: ItemTally) -> Bool {
        let (need, isTooMuch) = most.addingReportingOverflow(tally.blocked)
        self.asks = Self.rounded(isTooMuch ? Self.mostItems : need)
        guard let listing, tally.isCut, wanted > tally.due else { return false }
        self.asks = Swift.min(Self.mostItems, Swift.max(self.asks, listing.asked * 2))
        // What has just got its Job makes room among those named for others.
        return tally.due > 0 || self.asks > listing.asked
    }

    /// Names of finished Jobs that hold how often an item was tried that may still wait.
    package func kept(_ history: ItemHistory) -> Set<String> {
        var kept: [ItemHistory.Finished] = []
        let listed = self.listing.map { Set($0.items.map(\.hash)) } ?? []
        for (hash, entry) in history.entries {
            guard let newest = entry.newest, newest.number == entry.lastShown else { continue }
            if let listing, !listed.contains(hash), entry.endedAt.map({ $0 < listing.askedAt }) ?? true,
                newest.hasSucceeded || listing.isComplete
            {
                continue
            }
            kept.append(newest)
        }
        if kept.count > Self.mostKept {
            kept.sort {
                (!listed.contains(hash(of: $0)) ? 1 : 0, -$0.at) < (!listed.contains(hash(of: $1)) ? 1 : 0, -$1.at)
            }
            kept.removeLast(kept.count - Self.mostKept)
        }
        return Set(kept.map(\.name))

        func hash(of job: ItemHistory.Finished) -> String { self.names.parse(job.name)?.hash ?? "" }
    }

    private func attemptsUsed(_ item: WaitingItem, _ entry: ItemHistory.Entry) -> Int {
        guard let newest = entry.newest, newest.number > self.closedRounds[item.hash] ?? 0 else { return 0 }
        return newest.attempt
    }

    private func due(_ item: WaitingItem, after last: Int, attempt: Int) -> Standing {
        var number = last + 1
        while self.occupied.contains(self.names.name(hash: item.hash, number: number)) { number += 1 }
        guard number <= ItemNames.largestNumber else { return .exhausted(attempts: attempt - 1) }
        return .due(number: number, attempt: attempt)
    }

    private static func rounded(_ count: Int) -> Int {
        guard count < Self.mostItems else { return Self.mostItems }
        var power = Self.fewestItems
        while power < count { power *= 2 }
        return power
    }
}
