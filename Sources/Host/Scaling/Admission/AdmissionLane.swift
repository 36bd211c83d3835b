/// Those that wait under one scope and need the same of it: what keeps one of them keeps all.
///
/// Each heap holds lower bounds. The key of one that waits only grows with time, so the first of a heap is looked at anew
/// until it is the first with its present key; where a key falls, because Jobs finished, a new entry is put in beside the
/// old one, which its ticket tells apart.
struct AdmissionLane: Sendable {
    struct Entry: Comparable, Sendable {
        let priority: Int
        let key: Double
        /// Given out anew with each entry, so that only the newest of one entity holds.
        let ticket: UInt64
        /// The index of a claimant, or -1 less the index of a group.
        let entity: Int

        static func < (left: Entry, right: Entry) -> Bool {
            if left.priority != right.priority { return left.priority > right.priority }
            if left.key != right.key { return left.key < right.key }
            return left.ticket < right.ticket
        }
    }

    /// Those of one group.
    struct Group: Sendable {
        var ticket: UInt64
        var members = AdmissionHeap<Entry>()
        var count = 0
    }

    /// Since when one waits.
    struct Age: Comparable, Sendable {
        let since: Double
        let claimant: Int
        let arrival: UInt64

        static func < (left: Age, right: Age) -> Bool {
            (left.since, left.claimant) < (right.since, right.claimant)
        }
    }

    /// What one Job takes of the limited resources of the scope.
    let need: ResourceAmounts
    var entries = AdmissionHeap<Entry>()
    /// By the index of the group.
    var groups: [Int: Group] = [:]
    /// By priority.
    var ages: [Int: AdmissionHeap<Age>] = [:]
    var count = 0
}
