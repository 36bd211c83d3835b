import HeapModule

/// One life of one host: what belongs to it ends with it, and waits while it is stopped.
struct Process: Equatable {
    let host: Int
    let life: Int
}

/// What will happen, in the order of its time.
struct Agenda {
    struct Entry: Comparable {
        let at: ContinuousClock.Instant
        /// Breaks ties: as it was noted, or shuffled after a stop.
        let order: UInt64
        /// The host that it happens on; nil for the world outside.
        let process: Process?
        let label: StaticString
        let action: (World) -> Void

        static func == (left: Entry, right: Entry) -> Bool { left.at == right.at && left.order == right.order }
        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.order) < (right.at, right.order) }
    }

    private var entries = Heap<Entry>()
    private var noted: UInt64 = 0

    mutating func add(
        at instant: ContinuousClock.Instant,
        process: Process?,
        _ label: StaticString,
        shuffle: UInt64 = 0,
        _ action: @escaping (World) -> Void
    ) {
        self.noted += 1
        let order = shuffle << 40 | self.noted
        self.entries.insert(Entry(at: instant, order: order, process: process, label: label, action: action))
    }

    mutating func next() -> Entry? { self.entries.popMin() }
}
