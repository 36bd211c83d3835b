/// The Jobs of one ScaledJob: those that the API server has shown, and those that were asked for and not shown yet.
///
/// A name is in exactly one of the two. Whatever is unfinished in either holds a slot, so neither a stale watch nor a
/// call whose outcome is unknown can make room for a Job too many.
package struct JobTracker: Sendable, Equatable {
    /// A Job as the API server showed it.
    package struct Observed: Sendable, Equatable {
        package enum Phase: Sendable, Equatable {
            case unfinished
            /// `at` is when the condition became true, in Unix seconds.
            case succeeded(at: Int64)
            case failed(at: Int64)
        }

        package var name: String
        package var uid: String
        package var phase: Phase
        package var isDeleting: Bool
        /// What the Job says about the template it was made of.
        package var template: TemplateMark
        /// `ttlSecondsAfterFinished`.
        package var timeToLive: Int32?
        /// What its Pods request together; in bounds.
        package let cost: ResourceAmounts
        /// What it says about the item that it works on.
        package var item: ItemMark?

        package init(
            name: String,
            uid: String,
            phase: Phase,
            isDeleting: Bool = false,
            template: TemplateMark = TemplateMark(),
            timeToLive: Int32? = nil,
            cost: ResourceAmounts = ResourceAmounts(),
            item: ItemMark? = nil
        ) {
            self.item = item
            self.name = name
            self.uid = uid
            self.phase = phase
            self.isDeleting = isDeleting
            self.template = template
            self.timeToLive = timeToLive
            self.cost = cost.bounded
        }

        /// What it takes of limits.
        var use: AdmissionUse {
            self.isFinished
                ? AdmissionUse(objects: 1) : AdmissionUse(jobs: 1, objects: 1, resources: self.cost)
        }

        package var isFinished: Bool { self.phase != .unfinished }
    }

    /// A Job that was asked for.
    package struct Assumed: Sendable, Equatable {
        package enum State: Sendable, Equatable {
            /// Not sent yet, or never reached the server.
            case queued
            case calling
            /// The server may have it: asked for again under the same name.
            case uncertain
            /// The server said yes; the watch has not shown it yet.
            case confirmed(at: ContinuousClock.Instant)
        }

        package var state: State
        /// Some attempt may have reached the server.
        package var mayExist = false
        /// The watch showed a Job of this name and its end while the call was still under way, so the call may have
        /// created it, or may yet create it again.
        package var wasShownGone = false
        /// What its Pods request together; of one that is queued, nothing is counted yet.
        package var cost = ResourceAmounts()

        /// Whether the server has it, or may have it or get it.
        var mayHold: Bool { self.state != .queued || self.mayExist }

        var use: AdmissionUse { AdmissionUse(jobs: 1, objects: 1, resources: self.cost) }
    }

    /// What a change of the Jobs means for the decision.
    package struct Change: Sendable, Equatable {
        package var freedSlots = 0
        package var succeeded = 0
        package var failed = 0
        package var deleted = 0

        package init() {}
    }

    package private(set) var observed: [String: Observed] = [:]
    package private(set) var assumed: [String: Assumed] = [:]
    /// What its Jobs take of limits: all that exist or may exist, and no name that no server has heard of.
    package private(set) var use = AdmissionUse()
    /// Slots that were freed, oldest first; forgotten by ``forgetFreed(before:)``.
    private(set) var freed: [FreedSlot] = []
    /// When each unfinished Job was asked for, or first seen.
    private(set) var beginnings: [String: ContinuousClock.Instant] = [:]
    /// When each unfinished Job was first seen not to be pending any more; see ``JobTracker/review(_:now:)``.
    var starts: [String: ContinuousClock.Instant] = [:]
    /// When Jobs ended, by name; only while they are followed, and forgotten with ``forgetFreed(before:)``.
    package private(set) var ends: [String: ContinuousClock.Instant] = [:]
    /// Whether it matters which Jobs have ended, and not only how many.
    package var followsEnds = false
    private var unfinishedObserved = 0
    /// Names with a call under way, whatever the watch has shown meanwhile.
    private var calls: Set<String> = []
    /// Until when the server may still act on calls that ended without an answer; see ``JobTracker/mayArrive(_:now:)``.
    var arrivals: [String: Arrival] = [:]

    package init() {}

    /// Jobs that hold a slot.
    package var unfinished: Int { self.unfinishedObserved + self.assumed.count }

    package var isEmpty: Bool { self.observed.isEmpty && self.assumed.isEmpty }

    /// Jobs that held a slot at any time since `instant`.
    package func served(since instant: ContinuousClock.Instant) -> Int {
        self.unfinished + self.freed.reversed().prefix { $0.at >= instant }.count
    }

    /// Bounds the memory of freed slots to what readings still in use can need.
    package mutating func forgetFreed(before instant: ContinuousClock.Instant) {
        let keep = self.freed.firstIndex { $0.at >= instant } ?? self.freed.endIndex
        self.freed.removeFirst(keep)
        if !self.ends.isEmpty { self.ends = self.ends.filter { $0.value >= instant } }
    }

    /// Notes that a Job of this name has ended, as far as is known.
    package mutating func ended(_ name: String, now: ContinuousClock.Instant) {
        if self.followsEnds { self.ends[name] = now }
    }

    package func contains(_ name: String) -> Bool {
        self.observed[name] != nil || self.assumed[name] != nil
    }

    /// The only way that ``observed`` changes, so that ``use`` always follows from what is there.
    @discardableResult
    private mutating func setObserved(_ name: String, _ job: Observed?) -> Observed? {
        let before = self.observed[name]
        self.observed[name] = job
        if let before { self.use -= before.use }
        if let job { self.use += job.use }
        return before
    }

    /// The same for ``assumed``.
    @discardableResult
    private mutating func setAssumed(_ name: String, _ creation: Assumed?) -> Assumed? {
        let before = self.assumed[name]
        self.assumed[name] = creation
        if let before, before.mayHold { self.use -= before.use }
        if let creation, creation.mayHold { self.use += creation.use }
        return before
    }

    private mutating func free(_ name: String, now: ContinuousClock.Instant) {
        self.ended(name, now: now)
        let start = self.starts.removeValue(forKey: name)
        self.freed.append(FreedSlot(at: now, begunAt: self.beginnings.removeValue(forKey: name), startedAt: start))
    }

    private mutating func forget(_ name: String) {
        self.beginnings[name] = nil
        self.starts[name] = nil
    }
}

// MARK: - What the watch shows

extension JobTracker {
    package mutating func upserted(_ job: Observed, now: ContinuousClock.Instant) -> Change {
        var change = Change()
        self.arrived(job.name)
        let wasAssumed = self.setAssumed(job.name, nil) != nil
        let before = self.setObserved(job.name, job)
        let heldSlot = wasAssumed || before.map { !$0.isFinished } ?? false
        if let before, !before.isFinished { self.unfinishedObserved -= 1 }
        if !job.isFinished {
            self.unfinishedObserved += 1
            if self.beginnings[job.name] == nil { self.beginnings[job.name] = now }
            return change
        }
        if heldSlot {
            change.freedSlots = 1
            self.free(job.name, now: now)
        }
        if before?.isFinished != true || before?.uid != job.uid {
            self.ended(job.name, now: now)
            switch job.phase {
            case .succeeded: change.succeeded = 1
            case .failed: change.failed = 1
            case .unfinished: break
            }
        }
        return change
    }

    package mutating func deleted(_ name: String, now: ContinuousClock.Instant) -> Change {
        var change = Change()
        // A name that is still assumed was shown, or its deletion would not be: the assumption has been met.
        let met = self.setAssumed(name, nil)
        if met != nil { change.freedSlots = 1 }
        if self.calls.contains(name) {
            // The call may still create it again: its slot stays taken until the answer.
            let cost = met?.cost ?? self.observed[name]?.cost ?? ResourceAmounts()
            self.setAssumed(name, Assumed(state: .calling, mayExist: true, wasShownGone: true, cost: cost))
            if self.beginnings[name] == nil { self.beginnings[name] = now }
            change.freedSlots = 0
        } else if self.mayArrive(name, now: now) {
            let cost = met?.cost ?? self.observed[name]?.cost ?? ResourceAmounts()
            self.setAssumed(name, Assumed(state: .uncertain, mayExist: true, wasShownGone: true, cost: cost))
            if self.beginnings[name] == nil { self.beginnings[name] = now }
            change.freedSlots = 0
        }
        if let before = self.setObserved(name, nil) {
            change.deleted = 1
            if !before.isFinished {
                self.unfinishedObserved -= 1
                if self.assumed[name] == nil { change.freedSlots = 1 }
            }
        }
        if change.freedSlots > 0 { self.free(name, now: now) }
        return change
    }

    /// Takes a complete list.
    ///
    /// What is missing has been deleted, unless its creation was answered after the list began.
    package mutating func replaced(
        with jobs: [Observed],
        listedAt: ContinuousClock.Instant,
        now: ContinuousClock.Instant
    ) -> Change {
        var total = Change()
        let listed = Set(jobs.map(\.name))
        for name in self.observed.keys where !listed.contains(name) {
            total.add(self.deleted(name, now: now))
        }
        for (name, creation) in self.assumed where !listed.contains(name) {
            if case .confirmed(let at) = creation.state, at < listedAt { total.add(self.deleted(name, now: now)) }
        }
        for job in jobs { total.add(self.upserted(job, now: now)) }
        return total
    }
}

// MARK: - What the host asks for

extension JobTracker {
    /// Takes a slot for a Job that will be created under this name; false when the name is in use.
    package mutating func assume(_ name: String, now: ContinuousClock.Instant) -> Bool {
        guard !self.contains(name) else { return false }
        self.setAssumed(name, Assumed(state: .queued))
        self.beginnings[name] = now
        return true
    }

    /// Notes that a call is sent for a Job of this cost; false when the Job is not to be asked for (any more).
    ///
    /// A Job that may exist already keeps the cost that it was first asked for with.
    package mutating func calling(_ name: String, cost: ResourceAmounts = ResourceAmounts()) -> Bool {
        // One that was there and has served is not asked for a second time.
        guard var creation = self.assumed[name], !creation.wasShownGone else { return false }
        switch creation.state {
        case .queued, .uncertain: break
        case .calling, .confirmed: return false
        }
        if !creation.mayExist { creation.cost = cost.bounded }
        creation.state = .calling
        self.setAssumed(name, creation)
        self.calls.insert(name)
        return true
    }

    /// Whether a call for this name must be sent again, because its Job may exist: its slot is taken already.
    package func holdsSlot(_ name: String) -> Bool { self.assumed[name]?.mayHold ?? false }

    /// Whether a call for this name is under way: its Job must not be deleted, or the call could create it again.
    package func isCalling(_ name: String) -> Bool { self.calls.contains(name) }

    /// The server said yes.
    ///
    /// Nothing changes when the watch was faster.
    package mutating func confirmed(_ name: String, now: ContinuousClock.Instant) {
        self.calls.remove(name)
        self.arrivals[name]?.isAccountedFor = true
        guard var creation = self.assumed[name] else { return }
        creation.state = .confirmed(at: now)
        creation.mayExist = true
        self.setAssumed(name, creation)
    }

    /// The outcome is not known; the slot stays taken.
    package mutating func uncertain(_ name: String, mayExist: Bool) {
        self.calls.remove(name)
        guard var creation = self.assumed[name] else { return }
        creation.mayExist = creation.mayExist || mayExist
        creation.state = creation.mayExist ? .uncertain : .queued
        self.setAssumed(name, creation)
    }

    /// Gives the slot of a Job back that does not exist.
    ///
    /// Nothing changes when it is not held.
    package mutating func release(_ name: String) {
        self.calls.remove(name)
        guard self.setAssumed(name, nil) != nil else { return }
        self.forget(name)
    }

    /// Forgets what was asked for, except calls under way: their answers are still to come.
    package mutating func releaseAllButCalls() {
        for (name, creation) in self.assumed where creation.state != .calling {
            self.setAssumed(name, nil)
            self.forget(name)
        }
        self.arrivals = [:]
    }

    /// Takes back up to `count` Jobs that no server has heard of; returns their names.
    ///
    /// The newest go first. Their names end in a number that grows, so of two the longer one is the newer.
    package mutating func withdraw(_ count: Int) -> [String] {
        guard count > 0 else { return [] }
        let names = self.assumed.filter { $0.value.state == .queued && !$0.value.mayExist }.keys
            .sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }.prefix(count)
        for name in names {
            self.setAssumed(name, nil)
            self.forget(name)
        }
        return Array(names)
    }

    /// Creations that the server confirmed before `instant` and that the watch has not shown since.
    package func overdue(before instant: ContinuousClock.Instant) -> [String] {
        self.assumed.compactMap { name, creation in
            if case .confirmed(let at) = creation.state, at < instant { return name }
            return nil
        }
    }
}

extension JobTracker.Change {
    package mutating func add(_ other: JobTracker.Change) {
        self.freedSlots += other.freedSlots
        self.succeeded += other.succeeded
        self.failed += other.failed
        self.deleted += other.deleted
    }
}
